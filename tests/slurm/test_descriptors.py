"""Standard streams as callers leave them, closed or without another end: each command ends with the right status, and
leaves neither a job nor a process nor a directory."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.chaos.ordeal import staging_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.slurm.runtime import Runtime

PROGRAM = "echo out; echo err >&2; cat >/dev/null; exit 5"
LASTING = "trap 'exit 6' TERM; echo out; echo err >&2; cat >/dev/null; while :; do sleep 0.1; done"

Streams = dict[int, int]


def _no_reader() -> Streams:
    """Pipes: one that nobody writes into any more, two that nobody reads."""
    (stdin, writer), (reader, stdout) = os.pipe(), os.pipe()
    os.close(writer)
    os.close(reader)
    return {0: stdin, 1: stdout, 2: os.dup(stdout)}


OPEN: dict[str, Callable[[], Streams]] = {"no reader": _no_reader}
CLOSED = ["0", "1", "2", "01", "02", "12", "012"]


class Caller:
    """Calls scrun with streams of a kind."""

    def __init__(self, runtime: Runtime, kind: str) -> None:
        self.runtime = runtime
        self.kind = kind

    def __call__(self, *words: str) -> int:
        """Its status; nobody else has its streams."""
        line = self.runtime.words(*words)
        with self._streams() as streams:
            if self.kind in CLOSED:
                closing = " ".join(f"{number}>&-" for number in self.kind)
                line = ["sh", "-c", f'exec "$@" {closing}', "sh", *line]
            process = self.runtime.runner.start(line, stdin=streams[0], stdout=streams[1], stderr=streams[2])
        return process.wait(60)

    @contextlib.contextmanager
    def _streams(self) -> Iterator[Streams]:
        null = {number: os.open(os.devnull, os.O_RDWR) for number in (0, 1, 2)}
        made = OPEN[self.kind]() if self.kind in OPEN else {}
        try:
            yield null | made
        finally:
            for number in {*null.values(), *made.values()}:
                os.close(number)

    def job(self, name: str) -> int:
        return int(json.loads(self.runtime("state", name).stdout)["annotations"]["scrun.job-id"])

    def gone(self, name: str, job: int = 0) -> None:
        assert self.runtime.left(name) == []
        assert not staging_of(name)
        self.runtime.wait_until(lambda: not job or self.runtime.released(job), what=f"the end of job {job}")
        assert self.runtime.runner(["squeue", "--noheader", "--name", name, "--states=PD,R,S"]).stdout == ""


@pytest.fixture(params=[*CLOSED, *OPEN])
def call(runtime: Runtime, request: pytest.FixtureRequest) -> Caller:
    return Caller(runtime, request.param)


def test_run(runtime: Runtime, call: Caller) -> None:
    bundle = str(runtime.bundle("/bin/sh", "-c", PROGRAM))
    runtime.ids.append("alone")
    assert call("run", "--bundle", bundle, "alone") == 5
    call.gone("alone")
    assert runtime.records() == []


def test_every_other_verb(runtime: Runtime, call: Caller) -> None:
    bundle = str(runtime.bundle("/bin/sh", "-c", LASTING))
    runtime.ids += ["box", "detached"]
    assert call("create", "--bundle", bundle, "box") == 0
    job = call.job("box")
    assert call("start", "box") == 0
    assert call("exec", "box", "/bin/sh", "-c", "echo out; echo err >&2; exit 3") == 3
    assert call("exec", "--detach", "box", "/bin/true") == 0
    assert call("kill", "box", "TERM") == 0
    runtime.wait_until(lambda: json.loads(runtime("state", "box").stdout)["status"] == "stopped", 30)
    assert json.loads(runtime("state", "box").stdout)["annotations"]["scrun.exit-code"] == "6"
    assert call("delete", "box") == 0
    call.gone("box", job)
    assert call("run", "--detach", "--bundle", bundle, "detached") == 0
    job = call.job("detached")
    assert call("delete", "--force", "detached") == 0
    call.gone("detached", job)
    assert runtime.records() == []
