"""A container in which nothing happens: three processes of scrun's, which are silent, and whatever happens is heard."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from proto.life import events as e
from proto.life import journal
from scrun.console.processes import children
from tests.chaos.ordeal import ECHO
from tests.chaos.sabotage import pass_time
from tests.chaos.witness import children_of, find
from tests.conftest import alive, read_proc
from tests.process.site import COMMAND, Site

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.conftest import WaitUntil

ALWAYS = {"state", "guard"}
COMERS = ("allocation", "stdio", "signals", "staging")
QUIET = 12.0
"""Seconds: the lease at rest is renewed after four, eight and then twenty."""


class Talker(Site):
    """A container on pipes, at rest."""

    def begin(self, wait_until: WaitUntil) -> None:
        self.wait_until = wait_until
        self.config(program=ECHO)
        far_in, self.stdin = os.pipe()
        self.stdout, far_out = os.pipe()
        command = [*COMMAND, "--root", str(self.root), "create", "--bundle", str(self.bundle), "x"]
        pid = os.posix_spawn(
            command[0], command, self.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, far_in, 0), (os.POSIX_SPAWN_DUP2, far_out, 1), (os.POSIX_SPAWN_DUP2, far_out, 2),
            ],
        )  # fmt: skip
        os.close(far_in)
        os.close(far_out)
        assert os.waitpid(pid, 0)[1] == 0
        self.succeeds("start", "x")
        assert self.line() == "ready"
        self.anchor = self.state()["pid"]
        self.rest()

    def line(self) -> str:
        text = b""
        while not text.endswith(b"\n") and (part := os.read(self.stdout, 1)):
            text += part
        return text.decode().rstrip("\n")

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.succeeds("state", "x"))
        return found

    def rest(self) -> None:
        self.wait_until(lambda: not any(find(self.anchor, role) for role in COMERS), 40, what="rest")
        assert all(find(self.anchor, role) for role in ALWAYS)

    def ended(self) -> dict[str, str]:
        self.wait_until(lambda: self.state()["pid"] == 0, 40, what="the end")
        return dict(self.state()["annotations"])


@pytest.fixture
def talker(tmp_path: pathlib.Path, wait_until: WaitUntil) -> Iterator[Talker]:
    made = Talker(tmp_path)
    made.begin(wait_until)
    yield made
    made.scrun("delete", "--force", "x")
    os.close(made.stdout)
    with contextlib.suppress(OSError):
        os.close(made.stdin)


def test_it_is_silent(talker: Talker) -> None:
    state = find(talker.anchor, "state")
    before = {pid: switches(pid) for pid in (talker.anchor, state)}
    known = {pid for pid in children_of(talker.anchor) if alive(pid)}
    pass_time(QUIET)
    assert {pid for pid in children_of(talker.anchor) if alive(pid)} == known
    # Each renewal wakes the state actor, and the anchor, a few times; a message each second would be dozens.
    woken = {pid: switches(pid) - count for pid, count in before.items()}
    assert max(woken.values()) <= 12, woken


def switches(pid: int) -> int:
    """How often the threads of a process have waited for something and gone on."""
    tasks = os.listdir(f"/proc/{pid}/task")
    counts = (re.search(rb"\nvoluntary_ctxt_switches:\t(\d+)", read_proc(pid, f"task/{task}/status")) for task in tasks)
    return sum(int(count[1]) for count in counts if count)


def test_input_signals_and_the_end_are_heard(talker: Talker) -> None:
    os.write(talker.stdin, b"one\n")
    assert talker.line() == "one"
    talker.rest()
    talker.succeeds("kill", "x", "USR1")
    assert talker.line() == "got"
    talker.rest()
    os.write(talker.stdin, b"two\n")
    assert talker.line() == "two"
    talker.rest()
    os.close(talker.stdin)
    assert talker.ended()["scrun.exit-code"] == "42"
    [drained] = [r.event for r in journal.read(str(talker.root / "x/journal")) if isinstance(r.event, e.OutputDrained)]
    # Three processes have moved them, one after the other.
    assert (drained.stdin, drained.stdout, drained.stderr) == (8, 8, len("ready\ngot\nbye\n"))


def test_output_without_any_input_is_heard(talker: Talker) -> None:
    """The program is told by a signal that goes past scrun."""
    family = [talker.anchor]
    for pid in family:
        family += children(pid)  # runc's are those of another thread than its first
    shell = next(pid for pid in family if read_proc(pid, "cmdline").startswith(b"/bin/busybox"))
    os.kill(shell, signal.SIGUSR1)
    assert talker.line() == "got"


def test_a_killed_launcher_is_noticed(talker: Talker) -> None:
    launcher = next(pid for pid in children_of(talker.anchor) if read_proc(pid, "comm").startswith(b"runc"))
    os.kill(launcher, signal.SIGKILL)
    assert talker.ended()["scrun.end"] == "lost"


@pytest.mark.parametrize("role", sorted(ALWAYS))
def test_whoever_is_killed_is_replaced_and_all_goes_on(talker: Talker, wait_until: WaitUntil, role: str) -> None:
    old = find(talker.anchor, role)
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: find(talker.anchor, role) not in {0, old})
    talker.rest()
    os.write(talker.stdin, b"one\n")
    assert talker.line() == "one"
    os.close(talker.stdin)
    assert talker.ended()["scrun.exit-code"] == "42"
