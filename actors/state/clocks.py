"""What of a container must not last for ever: which clocks run, and what happens when one strikes. Pure."""

from collections.abc import Callable

from proto.exit_codes import KILLED, REFUSED
from proto.life import events as e
from proto.life import intents, wants
from proto.life.container import Container
from proto.life.settings import Settings
from proto.wire.registry import Message

GRACE = 10.0
"""Seconds from SIGTERM to SIGKILL in a cancellation."""
RELEASE_WAIT = 10.0
"""Seconds after which the guard goes on releasing a job alone, when Slurm does not answer."""
QUEUE_WAIT = 2.0
"""Seconds that ``create`` waits for a job of which Slurm has said that it is queued: engines hear no Ctrl-C before it
returns, and only to ``start`` they give a terminal."""
REQUEST_LIMIT = 100.0
"""Seconds without any word from salloc (a munged that hangs): podman waits 240 for ``create``, and then cannot
say why."""


def running(c: Container, settings: Settings) -> dict[str, float]:
    """The clocks that the state calls for, and after how many seconds each strikes."""
    found = {}
    if not c.answered and c.ending is None and not c.create_wait_over:
        found["create-wait"] = settings.scrun.create_wait
        if c.job == "queued":
            found["queue-wait"] = QUEUE_WAIT
    if c.job == "requested" and c.ending is None:
        found["request-limit"] = REQUEST_LIMIT
    if settings.scrun.start_wait and _waits_to_run(c):
        found["start-wait"] = settings.scrun.start_wait
    if settings.scrun.start_limit and _waits_for_start(c):
        found["start-limit"] = settings.scrun.start_limit
    if c.ending is not None and c.step in {"launching", "running"} and not c.forced:
        found["grace"] = GRACE
    if _waits_for_release_only(c):
        found["release-wait"] = RELEASE_WAIT
    if c.killed or (c.ending is not None and c.forced):
        found["kill-wait"] = settings.scrun.kill_wait
    return found


def _request_limit(c: Container) -> Message | None:
    reason = f"scrun: Slurm did not answer the request for a job within {REQUEST_LIMIT:g} s"
    return e.CancelRequested(reason, REFUSED, forced=True) if c.job == "requested" else None


def _start_limit(c: Container) -> Message | None:
    """An engine that was killed while its container was queued never asks for it again."""
    return e.CancelRequested("scrun, since nobody has started it", KILLED, forced=True) if _waits_for_start(c) else None


def _grace(_: Container) -> Message | None:
    return e.CancelRequested("scrun, after waiting for SIGTERM to work", KILLED, forced=True)


def _kill_wait(c: Container) -> Message | None:
    """Staging out goes on alone, too: after a SIGKILL no engine waits for it (podman gives the pid 5 s)."""
    return e.GivenUp() if c.killed or c.forced or c.step != "ended" or not c.drained else None


def _release_wait(c: Container) -> Message | None:
    """The program has ended and everything is safe: the engine need not wait for Slurm."""
    return e.GivenUp() if _waits_for_release_only(c) else None


STRIKES: dict[str, Callable[[Container], Message | None]] = {
    "create-wait": lambda _: e.CreateWaitOver(),
    "queue-wait": lambda c: e.CreateWaitOver() if c.job == "queued" else None,
    "request-limit": _request_limit,
    "start-wait": lambda c: e.StartWaitOver() if _waits_to_run(c) else None,
    "start-limit": _start_limit,
    "grace": _grace,
    "kill-wait": _kill_wait,
    "release-wait": _release_wait,
}
"""What has happened when a clock strikes, if its time has not passed in vain."""


def _waits_for_start(c: Container) -> bool:
    return c.answered and c.ending is None and not c.started_by


def _waits_to_run(c: Container) -> bool:
    """For its job, or for staging; ``start`` waits for the launch itself in any case, and tells how that went."""
    return bool(c.started_by) and c.ending is None and c.step == "none" and not c.promised


def _waits_for_release_only(c: Container) -> bool:
    return c.ending is not None and [type(want.message) for want in wants.wanted(c)] == [intents.ReleaseJob]
