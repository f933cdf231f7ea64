"""What Slurm is asked when somebody looks at a container that waits: a squeue of the test's, and no cluster."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import termios
import threading
import time
from typing import TYPE_CHECKING

import pytest

from actors.slurm.scheduler import Outlook
from actors.slurm.slurm import Slurm
from proto.life import events as e
from proto.life import journal, lifecycle, state_file
from proto.life.journal import Journal
from scrun.box.box import find
from scrun.why import inquiry
from scrun.why.watch import AGAIN, Watch
from tests.conftest import alive
from tests.process.site import COMMAND
from tests.unit.creations import creation
from tests.unit.scrun.hub import Hub, anchor

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from proto.life.creation import Creation
    from tests.conftest import WaitUntil
    from tests.unit.scrun.hub import Reply, Request

ANSWER = "8|PENDING|90|debug|N/A|Priority|\n29|PENDING|50|debug|2030-01-01T08:30:00|Priority|\n"


class Queue:
    """A container whose job is queued, and the squeue that it would be asked for with."""

    def __init__(self, path: pathlib.Path) -> None:
        self.root = path / "root"
        self.bin = path / "bin"
        self.bin.mkdir()

    @property
    def creation(self) -> Creation:
        path = f"PATH={self.bin}:/usr/bin:/bin".encode()
        return creation(root=str(self.root), id="x", created=time.time(), environ=(path, b"TOKEN=secret"))

    def squeue(self, script: str) -> None:
        program = self.bin / "squeue"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def journal(self) -> None:
        journal = Journal(str(self.root / "x/journal"))
        for event in (e.CreateBegun(self.creation), e.JobRequested("c"), e.JobQueued(29, "Resources")):
            journal.append(event)
        journal.close()

    def why(self) -> str:
        words = [*COMMAND, "--root", str(self.root), "why", "x"]
        done = subprocess.run(words, env={}, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture
def queue(tmp_path: pathlib.Path) -> Queue:
    return Queue(tmp_path)


def test_a_queued_container_tells_its_place_and_the_start_that_slurm_expects(queue: Queue) -> None:
    queue.squeue(f"cat <<'END'\n{ANSWER}END")
    with anchor(queue.root / "x", "created"):
        queue.journal()
        said = queue.why()
    assert said.startswith("Container x waits in Slurm's queue (job 29), for ")
    assert "Slurm's reason is Priority: jobs of higher priority wait" in said
    assert " (1 job before it, start expected at 2030-01-01 08:30). " in said
    assert "secret" not in said


def test_a_controller_that_is_away_is_said_and_the_rest_too(queue: Queue) -> None:
    queue.squeue("echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1")
    with anchor(queue.root / "x", "created"):
        queue.journal()
        said = queue.why()
    assert "Slurm's reason is Resources: the nodes that it needs are busy." in said
    assert said.endswith(" Slurm did not answer when it was asked for more.\n")


def test_one_whose_anchor_is_gone_is_abandoned(queue: Queue) -> None:
    with anchor(queue.root / "x", "created"):
        queue.journal()
    assert queue.why().startswith("Container x has lost the process that stood for it (job 29), ")


def test_a_squeue_that_hangs_is_ended(queue: Queue, wait_until: WaitUntil) -> None:
    queue.squeue('echo "$$" >"$0.new"; mv "$0.new" "$0.pid"; exec sleep 1000')
    query = Slurm(queue.creation).outlook(29)
    asked = inquiry.Inquiry(query, 0.0) if query else None
    assert asked is not None
    asked.wait()
    assert asked.over()
    wait_until((queue.bin / "squeue.pid").exists)
    assert asked.close() is None
    assert asked.silent
    assert not alive(int((queue.bin / "squeue.pid").read_text()))


def test_nobody_runs_what_another_user_has_named(queue: Queue) -> None:
    """PATH is of the container's owner; root would run it as root."""
    queue.squeue("touch $0.ran")
    queue.root.mkdir()
    os.chown(queue.root, 12345, 12345)
    assert inquiry.begin(str(queue.root), queue.creation, 29) is None
    os.chown(queue.root, os.getuid(), os.getgid())
    asked = inquiry.begin(str(queue.root), queue.creation, 29)
    assert asked is not None
    asked.wait()
    assert asked.close() is None
    assert not asked.silent
    assert (queue.bin / "squeue.ran").exists()


def test_there_is_nobody_to_ask(queue: Queue) -> None:
    queue.root.mkdir()
    assert inquiry.begin(str(queue.root), queue.creation, 0) is None
    queue.bin.rmdir()
    path = creation(root=str(queue.root), environ=(b"PATH=/nowhere",))
    assert inquiry.begin(str(queue.root), path, 29) is None


# --- at a terminal -------------------------------------------------------------------------------------------


class Watched:
    """What somebody who waits is told, on a clock of the test's."""

    def __init__(self, queue: Queue, stack: contextlib.ExitStack) -> None:
        stack.enter_context(anchor(queue.root / "x", "created"))
        queue.journal()
        queue.squeue(f"echo >>$0.asked; cat <<'END'\n{ANSWER}END")
        self.now = 0.0
        self.asked = queue.bin / "squeue.asked"
        self.watch = Watch(find(str(queue.root), "x"), lambda: self.now)
        stack.callback(self.watch.close)

    def count(self) -> int:
        return len(self.asked.read_text().splitlines()) if self.asked.exists() else 0


@pytest.fixture
def watched(queue: Queue) -> Iterator[Watched]:
    with contextlib.ExitStack() as stack:
        yield Watched(queue, stack)


def test_slurm_is_asked_at_once_and_seldom_after_that(watched: Watched, wait_until: WaitUntil) -> None:
    assert watched.watch.look("queued") is None  # nobody waits for the answer
    found = wait_until(lambda: watched.watch.look("queued"))
    assert found == Outlook("PENDING", "Priority", 1, "2030-01-01T08:30:00")
    watched.now = AGAIN - 1
    assert watched.watch.look("queued") == found
    assert watched.count() == 1
    watched.now = AGAIN
    watched.watch.look("queued")
    wait_until(lambda: watched.count() == 2)


def test_it_is_asked_again_when_something_has_changed(watched: Watched, wait_until: WaitUntil) -> None:
    watched.watch.look("requested")
    assert watched.count() == 0
    watched.watch.look("queued")
    wait_until(lambda: watched.watch.look("queued"))
    watched.watch.look("created")
    watched.watch.look("launching")
    wait_until(lambda: watched.count() == 2)


def test_the_question_ends_with_the_waiting(queue: Queue, watched: Watched, wait_until: WaitUntil) -> None:
    queue.squeue('echo "$$" >"$0.new"; mv "$0.new" "$0.pid"; exec sleep 1000')
    watched.watch.look("queued")
    wait_until((queue.bin / "squeue.pid").exists)
    watched.watch.close()
    assert not alive(int((queue.bin / "squeue.pid").read_text()))


def test_start_at_a_terminal_says_it_there_and_takes_it_away(queue: Queue, wait_until: WaitUntil) -> None:
    queue.squeue(f"cat <<'END'\n{ANSWER}END")
    granted, said = threading.Event(), ""

    def react(_: Request) -> Reply:
        granted.wait(60)
        return "done", {}

    with contextlib.ExitStack() as stack:
        process = stack.enter_context(anchor(queue.root / "x", "created"))
        queue.journal()
        container = lifecycle.replay(journal.read(str(queue.root / "x/journal")))
        text = state_file.render(container, process.pid, state_file.start_time(process.pid))
        (queue.root / "x/state.json").write_text(text)
        stack.enter_context(Hub(queue.root / "x", react))
        stack.callback(granted.set)
        master, slave = pty.openpty()
        stack.callback(os.close, master)
        stack.callback(os.close, slave)
        termios.tcsetwinsize(slave, (24, 200))
        os.set_blocking(master, False)

        def read() -> str:
            nonlocal said
            with contextlib.suppress(BlockingIOError):
                said += os.read(master, 4096).decode()
            return said

        words = [*COMMAND, "--root", str(queue.root), "start", "x"]
        start = subprocess.Popen(words, env={}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave)
        stack.enter_context(start)
        stack.callback(start.kill)
        wait_until(lambda: "1 job before it, start expected at 2030-01-01 08:30" in read(), 30)
        granted.set()
        output, _ = start.communicate(timeout=30)
        assert (start.returncode, output) == (0, b"")
        assert read().startswith("\r\x1b[Kscrun: job 29 is queued (")
        assert said.endswith("\r\x1b[K")
