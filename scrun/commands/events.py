"""``scrun events``: what a container uses, as far as Slurm knows it, in runc's JSON lines."""

import json
import re
import time
from typing import Any

from proto.errors import (
    NotFoundError,
    SchedulerUnavailableError,
    ScrunError,
    UnsupportedError,
    UsageError,
    WrongStateError,
)
from proto.host.sockets import endpoint
from scrun.box.box import Box, find
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.packages import use_packages
from scrun.report import diagnostics
from scrun.report.lines import feed

DEFAULT = "5s"
LOOK = 0.5
"""Seconds between two looks whether the anchor lives."""
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
NOTHING = "this cluster does not measure what its jobs use (JobAcctGatherType of slurm.conf), so there are no numbers"


def run(line: Line) -> int:
    """Print one sample, or samples and what happens until the container ends."""
    use_packages()
    interval = duration(line.own.text("interval") or DEFAULT)
    container = find(root_of(line), line.id)
    if container.status == "stopped":
        raise WrongStateError(f"container {container.paths.id} is not running")
    meter = _Meter(container)
    try:
        if line.own.flag("stats"):
            _print("stats", container.paths.id, meter.sample())
        else:
            _stream(line, container, meter, interval)
    except BrokenPipeError:
        pass  # nobody reads any more
    return 0


def duration(text: str) -> float:
    """Seconds of a duration as Go writes it, such as ``1m30s``.

    Raises:
        UsageError: it is none, or not above 0.

    """
    parts = _PART.findall(text)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or not seconds:
        raise UsageError(f"duration interval must be greater than 0, such as 5s or 1m30s, not {text[:40]!r}")
    return seconds


class _Meter:
    """Asks Slurm about the container's step."""

    def __init__(self, container: Box) -> None:
        from actors.slurm import scheduler_for
        from proto.life import journal, lifecycle

        creation = lifecycle.replay(journal.read(container.paths.journal)[:1]).creation
        if creation is None:
            raise WrongStateError(f"container {container.paths.id} is still being created")
        self._paths = container.paths
        self._scheduler = scheduler_for(creation)

    def sample(self) -> dict[str, object]:
        """The numbers of this moment.

        Raises:
            WrongStateError: nothing runs.
            UnsupportedError: this cluster does not measure.
            SchedulerUnavailableError: Slurm does not say.

        """
        from actors.guard.clean_up import run as run_command
        from actors.slurm.usage import data

        step = _annotations(find(self._paths.root, self._paths.id)).get("scrun.step", "")
        if not step:
            raise WrongStateError(f"container {self._paths.id} is not running: there is nothing to measure")
        query = self._scheduler.measure(step)
        if query is None:
            raise UnsupportedError(NOTHING)
        usage = query.read(run_command(query.command)[1])
        if usage is None:
            raise SchedulerUnavailableError(f"Slurm says nothing about step {step}: it has just ended, or try again")
        found = data(usage)
        if not found:
            raise UnsupportedError(NOTHING)
        return found


def _stream(line: Line, container: Box, meter: _Meter, interval: float) -> None:
    """Print samples, and how it ended if memory ran out, until the container has ended."""
    import msgpack
    import zmq

    paths = container.paths
    due = time.monotonic()
    measurable = True
    with zmq.Context() as context, context.socket(zmq.SUB) as sock:
        sock.setsockopt(zmq.LINGER, 0)
        sock.setsockopt(zmq.MAXMSGSIZE, 1 << 22)
        for topic in (b"fact.allocation.step-ended", b"fact.state.finished"):
            sock.subscribe(topic)
        sock.connect(endpoint(paths.tap))
        ended = False
        while not ended:
            if measurable and time.monotonic() >= due:
                due = time.monotonic() + interval
                try:
                    _print("stats", paths.id, meter.sample())
                except UnsupportedError as error:
                    # What happens can be told all the same.
                    diagnostics.warn(line, error.sentence)
                    measurable = False
                except ScrunError:
                    pass  # not started yet, or just over
            wait = min(LOOK, max(0.0, due - time.monotonic())) if measurable else LOOK
            if not sock.poll(int(wait * 1000) + 1):
                ended = not container.alive()
                if ended and _end(container) == "out-of-memory":
                    _print("oom", paths.id)
                continue
            topic, body = sock.recv_multipart()
            if topic.endswith(b".step-ended") and msgpack.unpackb(body)["data"]["ending"]["kind"] == "out-of-memory":
                _print("oom", paths.id)
            ended = topic.endswith(b".finished")


def _end(container: Box) -> str:
    """How it ended, where that is still known."""
    try:
        return _annotations(find(container.paths.root, container.paths.id)).get("scrun.end", "")
    except NotFoundError:
        return ""


def _annotations(container: Box) -> dict[str, str]:
    return dict(json.loads(container.state()).get("annotations", {}))


def _print(kind: str, container_id: str, data: dict[str, object] | None = None) -> None:
    record: dict[str, Any] = {"type": kind, "id": container_id}
    if data is not None:
        record["data"] = data
    feed(json.dumps(record, separators=(",", ":")) + "\n")
