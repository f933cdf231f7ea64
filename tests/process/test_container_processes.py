"""How the node's scripts find a container's processes: by what lies in its /dev, else by its mounts."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from actors.programs import program
from actors.slurm import enter
from tests.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

COOKIE = os.urandom(8).hex()
NOWHERE = "/nowhere"
"""A PATH without grep(1)."""


BOUND = 'mount --bind /dev/null "$0/.scrun-$1" && echo && exec sleep 1000'
"""In a mount namespace: the cookie is mounted in the directory $0."""
ROOTED = """
    mount --rbind / "$0" && mount -t tmpfs none "$0/dev" && touch "$0/dev/.scrun-$1" &&
    exec chroot "$0" sh -c "echo; exec sleep 1000"
"""
"""The directory $0 is its root, and the cookie is in /dev there."""


@contextlib.contextmanager
def apart(script: str, directory: pathlib.Path) -> Iterator[int]:
    """A process in a mount namespace of its own, when it has said a line; its pid."""
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(directory), COOKIE]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"\n"
        yield process.pid
        process.kill()


@pytest.fixture
def elsewhere(tmp_path: pathlib.Path) -> Iterator[int]:
    """A process with the cookie among its mounts, and not in its /dev."""
    (tmp_path / f".scrun-{COOKIE}").touch()
    with apart(BOUND, tmp_path) as pid:
        yield pid


@pytest.fixture
def inside(tmp_path: pathlib.Path) -> Iterator[int]:
    """A process with the cookie in its /dev."""
    root = tmp_path / "root"
    root.mkdir()
    with apart(ROOTED, root) as pid:
        yield pid


def found(job: pathlib.Path | None, path: str = "/usr/bin:/bin") -> set[int]:
    """Processes that a script finds.

    Args:
        job: the job's control group; None where Slurm tracks processes otherwise.
        path: where programs are.

    """
    script = f"job=$2\n{program('container_processes.sh').decode()}\ninside\necho $found\n"
    words = ["/bin/sh", "-c", script, "sh", COOKIE, str(job or "")]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={"PATH": path})
    return {int(word.removeprefix("/proc/")) for word in done.stdout.split()}


def group(directory: pathlib.Path, *pids: int) -> pathlib.Path:
    """A job's control group with these processes."""
    job = directory / "job_1"
    (job / "step_0").mkdir(parents=True)
    (job / "step_0" / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in (1, *pids)))
    return job


def test_it_is_seen_in_its_dev_without_another_process(tmp_path: pathlib.Path, inside: int) -> None:
    assert found(group(tmp_path, inside), NOWHERE) == {inside}


@pytest.mark.usefixtures("inside")
def test_another_process_s_is_not(tmp_path: pathlib.Path, elsewhere: int) -> None:
    assert found(group(tmp_path, elsewhere), NOWHERE) == set()


def test_it_is_seen_by_its_mounts_elsewhere(tmp_path: pathlib.Path, elsewhere: int) -> None:
    assert found(group(tmp_path, elsewhere)) == {elsewhere}


def test_it_is_looked_for_on_all_of_the_node(tmp_path: pathlib.Path, elsewhere: int) -> None:
    assert found(group(tmp_path)) == {elsewhere} == found(None)


RUNTIME = """unshare --mount --propagation private sh -c '
    mount --bind /dev/null "$0/.scrun-$1" && echo && read -r _ <"$0/go" && exec sleep 1000' "$0" "$1" & wait"""
"""Like a runtime: its child has the cookie among its mounts, and is a sh, too, until somebody writes a line."""


def test_a_container_that_is_not_made_yet_is_waited_for(tmp_path: pathlib.Path) -> None:
    (tmp_path / f".scrun-{COOKIE}").touch()
    os.mkfifo(tmp_path / "go")
    runtime = subprocess.Popen(
        ["sh", "-c", RUNTIME, str(tmp_path), COOKIE, "run", "--bundle", "/b", "box"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    script = enter.FIND.decode() + 'echo "$id"'
    words = ["/bin/sh", "-c", script, "sh", COOKIE]
    with runtime, subprocess.Popen(words, stdout=subprocess.PIPE, env={"PATH": "/usr/bin:/bin"}) as finding:
        try:
            assert runtime.stdout
            assert finding.stdout
            assert runtime.stdout.readline() == b"\n"
            wait_until(lambda: naps(finding.pid), what="it looks again later")
            (tmp_path / "go").write_text("\n")
            assert finding.stdout.read() == b"box\n"
        finally:
            finding.kill()
            os.killpg(runtime.pid, signal.SIGKILL)


def naps(pid: int) -> bool:
    """Whether a process waits for sleep(1)."""
    with contextlib.suppress(OSError):  # its children come and go
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return any(pathlib.Path(f"/proc/{child}/comm").read_text() == "sleep\n" for child in children)
    return False
