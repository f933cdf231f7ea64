"""Hooks on the real cluster: podman's hooks directory, and what the node must not run again."""

from __future__ import annotations

import json
import pathlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")


class Podman:
    """podman with hooks that note who they are, by the host's clock, in a file of the test user."""

    def __init__(self, as_user: Any, directory: str) -> None:
        self.as_user, self.directory = as_user, directory

    def hook(self, name: str, kinds: tuple[str, ...], script: str, *env: str) -> None:
        entry = {
            "version": "1.0.0",
            "hook": {"path": "/bin/sh", "args": ["sh", "-c", script]} | ({"env": list(env)} if env else {}),
            "when": {"always": True},
            "stages": list(kinds),
        }
        self._write(f"{self.directory}/{name}.json", json.dumps(entry))

    def run(self, *words: str) -> Any:
        return self.as_user(["podman", f"--hooks-dir={self.directory}", "run", "--rm", "busybox", *words])

    def read(self, name: str) -> list[str]:
        lines: list[str] = self.as_user(["cat", f"{self.directory}/{name}"]).stdout.splitlines()
        return lines

    def _write(self, path: str, text: str) -> None:
        done = self.as_user(["tee", path], input=text)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def podman(as_user: Any) -> Iterator[Podman]:
    directory = as_user(["mktemp", "-d"]).stdout.strip()
    assert pathlib.PurePath(directory).is_absolute()
    yield Podman(as_user, directory)
    as_user(["rm", "-rf", directory])


@pytest.mark.slice
@pytest.mark.usefixtures("staged_anywhere")
def test_every_hook_runs_once_and_here(podman: Podman) -> None:
    state = "cut -c -2000 | tr -d '\\n'"
    podman.hook("all", KINDS, f'state=$({state}); echo "$state" >> {podman.directory}/states')
    done = podman.run("sh", "-c", "echo hello; exit 7")
    assert (done.returncode, done.stdout) == (7, "hello\n")
    # podman's own words, once for each user namespace, where / is a private mount.
    assert [line for line in done.stderr.splitlines() if "is not a shared mount" not in line] == []
    # createContainer is the node's affair: it runs there, and this "node" has the same file system. And podman runs
    # poststop hooks of its directories itself (libpod, postDeleteHooks).
    states = [json.loads(line) for line in podman.read("states")]
    ours = [state for state in states if "scrun.job-id" in state.get("annotations", {})]
    assert [state["status"] for state in ours] == ["creating", "creating", "running"]
    assert len(states) - len(ours) == 2
    assert len({state["annotations"]["scrun.job-id"] for state in ours}) == 1


@pytest.mark.slice
@pytest.mark.usefixtures("staged_anywhere")
def test_a_failed_hook_fails_the_container_and_gives_the_job_back(podman: Podman) -> None:
    podman.hook("bad", ("createRuntime",), f"cat > {podman.directory}/state; echo no licence left >&2; exit 3")
    done = podman.run("true")
    assert done.returncode == 126
    assert "the createRuntime hook /bin/sh ended with exit status 3: no licence left" in done.stderr
    job = json.loads("".join(podman.read("state")))["annotations"]["scrun.job-id"]
    states = podman.as_user(["squeue", "-h", "-t", "all", "-o", "%T", "-j", job]).stdout.split()
    assert set(states) <= {"CANCELLED", "COMPLETING", "COMPLETED", "FAILED"}
