"""How the node's scripts find a container's processes: by what lies in its /dev, else by its mounts."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING

import pytest

from actors.programs import program

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

COOKIE = "0123456789abcdef"
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
