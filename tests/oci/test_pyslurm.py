"""podman at a site with ``scheduler = "pyslurm"``."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from tests.oci.podman import at_site
from tests.slurm.runtime import WITHOUT_PYSLURM


@pytest.mark.skipif(not importlib.util.find_spec("pyslurm"), reason=WITHOUT_PYSLURM)
def test_podman_runs_stops_and_removes(cluster: Any, as_user: Any) -> None:
    with at_site(cluster, as_user, '[scrun]\nscheduler = "pyslurm"\n') as podman:
        done = podman.run("busybox", "sh", "-c", "echo out; exit 6")
        assert (done.stdout, done.returncode) == ("out\n", 6)
        name = podman.ready('trap "exit 3" TERM; trap "echo told" USR1; echo ready; while :; do sleep 0.1; done')
        dump = 'd=$(mktemp -d); scrun console "$0" dump "$d/dump"; cat "$d/dump"; rm -r "$d"'
        assert "\nscheduler pyslurm\n" in podman.runner(["sh", "-c", dump, podman.id(name)]).stdout
        podman.ok("kill", "--signal", "USR1", name)
        podman.ok("stop", "--time", "30", name, timeout=25)
        assert podman.status(name) == ("exited", 3)
        assert "told" in podman.ok("logs", name).splitlines()
        podman.ok("rm", name)
