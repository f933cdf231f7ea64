"""A node without oci.conf would run the program on the host, and say 0: it must not come to that."""

from __future__ import annotations

import pathlib
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.oci.podman import Podman

BARE = ("--annotation", "scrun.partition=bare")


def test_the_program_does_not_run_on_the_host(podman: Podman) -> None:
    # The node's /tmp is this machine's; both spellings exist on it, too.
    trace = pathlib.Path(f"/tmp/on-host-{secrets.token_hex(6)}")
    try:
        for program in (["touch", str(trace)], ["/bin/sh", "-c", f"touch {trace}"], ["/usr/bin/touch", str(trace)]):
            done = podman.run("--rm", *BARE, "busybox", *program)
            assert not trace.exists()
            assert done.returncode not in {0, None}
    finally:
        trace.unlink(missing_ok=True)


def test_the_error_says_what_is_missing(podman: Podman) -> None:
    done = podman.run("--rm", *BARE, "busybox", "true")
    assert (done.returncode, done.stdout) in {(125, ""), (126, "")}
    assert "oci.conf" in done.stderr
    assert "bare1" in done.stderr


def test_nothing_is_left(podman: Podman) -> None:
    name = podman.name()
    podman("run", "--name", name, *BARE, "busybox", "true")
    container_id = podman.id(name)
    podman.ok("rm", "--force", "--time", "0", name)
    assert podman.left(container_id) == []
