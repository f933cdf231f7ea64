"""A container's whole life under fire, and what has to be true after it."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
import select
import traceback
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from proto.life import events as e
from tests.conftest import read_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.slurm.runtime import Box, Runtime

    from .witness import Witness

T = TypeVar("T")

ECHO = """exec 3<&0; trap 'echo got >&2' USR1
(trap '' USR1; exec cat <&3) & exec 3<&-; echo ready >&2
while kill -0 $! 2>/dev/null; do wait $!; done; echo bye >&2; exit 42"""
"""Copies its input to its output, counts SIGUSR1 on standard error, and exits with 42 at the end of input."""
GOT = "trap 'echo got >&2' USR1; echo ready >&2; while :; do sleep 0.1; done"
"""Says each SIGUSR1 on standard error, for ever."""
WORKERS = 6
PATIENCE = 45.0
"""Seconds of silence after which a container counts as stuck: a row of restarts takes its pauses."""


@dataclasses.dataclass
class Outcome:
    """What one container's engine saw."""

    code: int
    output: str
    errors: str
    words: list[str]
    events: list[Any]
    job: int
    cookie: str


def echo(runtime: Runtime, name: str, **more: Any) -> Box:
    """A container that runs ``ECHO``, and has set its trap."""
    box = runtime.running("/bin/sh", "-c", ECHO, id=name, stdin=True, **more)
    assert read_line(box) == "ready"
    return box


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_line(box: Box, name: str = "err") -> str:
    """As ``box.read_line``, but not for ever."""
    return read(box, name, b"\n").rstrip("\n")


def read(box: Box, name: str = "err", until: bytes = b"") -> str:
    """As ``box.read``, but not for ever: to the end, or to the first ``until``."""
    data = b""
    end = box._ends[name]
    while not until or not data.endswith(until):
        if not select.select([end], [], [], PATIENCE)[0]:
            pytest.fail(f"{box.id} says nothing on {name} after {data!r}; {box.state()}")
        part = os.read(end, 1 if until else 1 << 16)
        if not part:
            break
        data += part
    return data.decode()


def pump(box: Box, data: bytes, progress: Callable[[int], None] = lambda _: None) -> str:
    """Write all data, close standard input, read standard output to its end; return the digest of that."""
    found = hashlib.sha256()
    total = 0
    sent = memoryview(data)
    os.set_blocking(box._ends["in"], False)
    out = box._ends["out"]
    while True:
        readable, writable, _ = select.select([out], [box._ends["in"]] if sent else [], [], PATIENCE)
        assert readable or writable, f"nothing moves any more: {len(sent)} unsent, {total} received"
        if writable:
            try:
                sent = sent[os.write(box._ends["in"], sent[: 1 << 16]) :]
            except BlockingIOError:
                pass
            if not sent:
                box.close_stdin()
        if readable:
            part = os.read(out, 1 << 16)
            if not part:
                return found.hexdigest()
            found.update(part)
            total += len(part)
            progress(total)


def live(
    runtime: Runtime, name: str, data: bytes, witness: Witness, may_end: Callable[[], object] = lambda: True
) -> Outcome:
    """Create, start, one signal, all data both ways, the end once it may come, delete: as an engine does it."""
    box = runtime.begin("/bin/sh", "-c", ECHO, id=name, stdin=True)
    process = runtime.creating[name]
    assert process.wait(timeout=60) == 0, f"create failed: {read(box)}"
    box.anchor = witness.anchor()
    started = runtime("start", name)
    assert started.returncode == 0, f"start failed: {started.stderr}"
    assert read_line(box) == "ready"
    half = len(data) // 2
    box.write(data[: min(half, 4096)])
    killed = runtime("kill", name, "USR1")
    assert killed.returncode == 0, f"kill failed: {killed.stderr}"
    errors = read_line(box) + "\n"
    runtime.wait_until(may_end, PATIENCE, what="leave to end the program")
    output = pump(box, data[min(half, 4096) :])
    errors += read(box)
    code = box.wait()
    state = box.state()
    assert (state["status"], state["pid"]) == ("stopped", 0), state
    outcome = Outcome(code, output, errors, [], [], int(state["annotations"]["scrun.job-id"]), "")
    return finish(runtime, box, witness, outcome)


def finish(runtime: Runtime, box: Box, witness: Witness, outcome: Outcome) -> Outcome:
    witness._read()
    outcome.events = witness.events
    outcome.words = [type(event).__name__ for event in witness.events]
    first = witness.events[0]
    assert isinstance(first, e.CreateBegun)
    outcome.cookie = first.creation.cookie
    deleted = runtime("delete", box.id)
    assert deleted.returncode == 0, f"delete failed: {deleted.stderr}"
    forget(runtime, box)
    nothing_left(runtime, box.id, outcome.job)
    return outcome


def forget(runtime: Runtime, box: Box) -> None:
    """It is gone: not to be deleted once more at the end."""
    box.close()
    runtime.boxes.remove(box)
    runtime.creating.pop(box.id, None)


def nothing_left(runtime: Runtime, name: str, job: int, seconds: float = 10.0) -> None:
    def left() -> list[str]:
        found = runtime.left(name)
        found += map(str, staging_of(name))
        if job and not runtime.released(job):
            found.append(f"job {job}")
        return found

    try:
        runtime.wait_until(lambda: not left(), seconds)
    except pytest.fail.Exception:
        pytest.fail(f"left of {name}: {left()}")


def staging() -> pathlib.Path:
    """The test user's staging directory."""
    cluster = read_cluster()
    assert not isinstance(cluster, str), cluster
    return pathlib.Path(f"~{cluster.user}/.scrun").expanduser()


def staging_of(name: str) -> list[pathlib.Path]:
    """What is staged for containers of this id, or begins to be, or ceases to be."""
    return [path for pattern in (f"{name}~*", f".*~{name}~*") for path in staging().glob(pattern)]


def jobs_by_cookie(runtime: Runtime) -> str:
    """All jobs of the last minutes, those that have ended, too, with their comments."""
    done = runtime.runner(["squeue", "-h", "-t", "all", "-o", "%i %T %k"])
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_parallel(cases: Sequence[T], run: Callable[[T], Any], workers: int = WORKERS) -> list[Any]:
    """Run all cases; the failures are reported together."""
    failures = []
    results = []

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        futures = {pool.submit(run, case): case for case in cases}
        for future, case in futures.items():
            error = future.exception()
            if error is None:
                results.append(future.result())
            else:
                failures.append(f"--- {case}: {_brief(error)}")
    if failures:
        pytest.fail(f"{len(failures)} of {len(cases)} cases failed\n" + "\n".join(failures), pytrace=False)
    return results


def _brief(error: BaseException) -> str:
    where = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)][-5:]
    told_more = getattr(error, "__notes__", ())
    return "\n".join([f"{type(error).__name__}: {error} ({' '.join(where)})", *told_more])


def told(runtime: Runtime, name: str, witness: Witness) -> str:
    """Journal and log, for a failure's message."""
    witness._read()
    try:
        log = (runtime.root / name / "log").read_text()[-2000:]
    except OSError as error:
        log = str(error)
    return "\n".join(["", *(repr(event) for event in witness.events[1:]), log])
