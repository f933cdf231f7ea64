"""What the tests with Slurm and no engine share."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.slurm.runtime import APPLETS, Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def runtime(as_user: Any, wait_until: Any) -> Iterator[Runtime]:
    """scrun, run by the unprivileged user, with a place for bundles that the nodes see."""
    directory = pathlib.Path(as_user(["mktemp", "-d", "/tmp/scrun-test-XXXXXX"]).stdout.strip())
    script = f"""set -e; cd {directory}; mkdir -p rootfs/bin rootfs/proc rootfs/sys rootfs/dev rootfs/tmp
        cp /bin/busybox rootfs/bin/; for a in {" ".join(APPLETS)}; do ln -sf busybox rootfs/bin/$a; done"""
    done = as_user(["/bin/sh", "-c", script])
    assert done.returncode == 0, done.stderr
    made = Runtime(as_user, directory, wait_until)
    yield made
    made.close()
