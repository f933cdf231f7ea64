import json
import os
import pty
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.slurm.scheduler import Outlook
from proto.host.paths import ContainerPaths
from scrun.box.box import Box
from scrun.hub.waiting import Waiting, sentence

BOOTING = Outlook("CONFIGURING")


def state(phase: str, **known: str) -> bytes:
    annotations = {f"scrun.{name.replace('_', '-')}": value for name, value in known.items()}
    private = {"anchor": os.getpid(), "starttime": 1, "phase": phase, "boot": ""}
    lines = [
        '  "status": "created"',
        f'  "annotations": {json.dumps(annotations)}',
        f'  "scrun": {json.dumps(private)}',
    ]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


@pytest.mark.parametrize(
    ("text", "outlook", "words"),
    [
        (state("requested"), None, "scrun: asking Slurm for a job"),
        (state("queued", job_id="4"), None, "scrun: job 4 is queued"),
        (state("queued", job_id="4", job_reason="Resources"), None, "scrun: job 4 is queued (Resources)"),
        (state("queued", job_id="4", job_reason="Resources"), Outlook("PENDING"), "scrun: job 4 is queued (Resources)"),
        (
            state("queued", job_id="4", job_reason="Resources"),
            Outlook("PENDING", "Priority", 2, "2030-01-01T08:30:00"),
            "scrun: job 4 is queued (Priority): 2 jobs before it, start expected at 2030-01-01 08:30",
        ),
        (state("staging in", job_id="4"), None, "scrun: job 4: copying the image for its nodes"),
        (state("staging in", job_id="4", staging="31 %"), None, "scrun: job 4: copying the image for its nodes: 31 %"),
        (
            state("staging in", job_id="4", staging="31 %"),
            BOOTING,
            "scrun: job 4: copying the image for its nodes: 31 %",
        ),
        (state("staging in", job_id="4"), BOOTING, "scrun: job 4: its nodes are booting"),
        (state("launching", job_id="4", nodes="n1"), BOOTING, "scrun: job 4: its nodes are booting"),
        (state("launching", job_id="4", nodes="n1"), None, "scrun: job 4: starting the container on n1"),
        (state("launching", job_id="4"), Outlook("PENDING"), "scrun: job 4: starting the container"),
        (state("created"), None, ""),
        (state("running"), BOOTING, ""),
    ],
)
def test_the_sentences(text: bytes, outlook: Outlook | None, words: str) -> None:
    assert sentence(json.loads(text), outlook, 0.0) == words


class Terminal:
    """A terminal of 40 columns, and what was written to it."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        os.set_blocking(self.master, False)

    def said(self) -> str:
        try:
            return os.read(self.master, 4096).decode()
        except BlockingIOError:
            return ""

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    import termios

    termios.tcsetwinsize(made.slave, (24, 40))
    yield made
    made.close()


def test_a_line_appears_after_a_second_changes_and_goes_away(tmp_path: Path, terminal: Terminal) -> None:
    paths = ContainerPaths(str(tmp_path), "box")
    os.mkdir(paths.directory)

    def write(text: bytes) -> None:
        Path(paths.state).write_bytes(text)

    write(state("queued", job_id="4"))
    now = [0.0]
    waiting = Waiting(Box(paths, state("queued")), terminal.slave, lambda: now[0])
    waiting()
    assert terminal.said() == ""
    now[0] = 1.1
    waiting()
    waiting()
    assert terminal.said() == "\r\x1b[Kscrun: job 4 is queued"
    write(state("staging in", job_id="4", staging="layer 1 of 2: 5 files"))
    now[0] = 2.0
    waiting()
    assert terminal.said() == "\r\x1b[K" + "scrun: job 4: copying the image for its nodes"[:39]
    os.unlink(paths.state)
    now[0] = 3.0
    waiting()
    assert terminal.said() == ""
    waiting.close()
    assert terminal.said() == "\r\x1b[K"


def test_nothing_is_erased_that_was_not_shown(tmp_path: Path, terminal: Terminal) -> None:
    Waiting(Box(ContainerPaths(str(tmp_path), "box"), state("queued")), terminal.slave).close()
    assert terminal.said() == ""
