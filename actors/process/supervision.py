"""Who is supervised how: one table of specifications, and the policy as pure functions of time.

The words are OTP's (``supervisor``): *permanent* is restarted always, *transient* only after an abnormal end,
*temporary* never by the policy itself. Added: the *lease* (an actor that does not renew it in time is stuck and
gets replaced) and the *back-off*.
"""

from typing import Literal

from proto.value import Value, replace

Restart = Literal["permanent", "transient", "temporary"]

BACK_OFF = (0.0, 0.05, 0.2, 1.0, 5.0)
"""Seconds to wait before the first, second, … restart in a row; the last value holds for all later ones."""
STABLE = 10.0
"""Seconds after which a start counts as good and the row begins anew."""
GIVE_UP = 15
"""Restarts in a row after which a child that fails by itself is given up: with the back-off some 55 seconds of failure.
OTP counts restarts in a period instead; with a back-off that grows that would never be reached."""
STILLBORN = 4
"""The same for a child that has never been ready, in all the life of the container: what keeps it from starting (a
full disk, a broken installation) will not go away within seconds, and ``create`` waits. With the back-off 1.3 s."""
LEASES = (6.0, 6.0, 12.0, 24.0, 60.0)
"""Seconds of silence after which an actor counts as stuck: by how many renewals there were since something happened. It
renews the lease every third of it, and at once when something happens after a long rest."""
LEASE = LEASES[0]


FREE = frozenset({"state"})
"""Neither frozen nor held: whoever wants things to go on has to ask it."""


class Specification(Value):
    """One kind of child of the anchor.

    Attributes:
        name: of the actor.
        main: dotted name of the module whose ``main(begin, channel)`` is its body.
        restart: OTP's word.
        descriptors: names of the anchor's descriptors that it inherits; missing ones are left out.
        early: whether it is started with the container, before the state actor can say that it is needed.

    """

    name: str
    main: str
    restart: Restart
    descriptors: tuple[str, ...] = ()
    early: bool = False


TABLE: tuple[Specification, ...] = (
    Specification("state", "actors.state.actor", "permanent", ("hub", "tap", "journal"), early=True),
    Specification(
        "allocation", "actors.allocation.actor", "transient", ("hub-file", "hold", "job-log", "step-log"), early=True
    ),
    Specification("staging", "actors.staging.actor", "transient", ("hub-file",), early=True),
    Specification(
        "stdio",
        "actors.stdio.actor",
        "transient",
        ("hub-file", "stdin", "stdout", "stderr", "step-stdin", "step-stdout", "step-stderr"),
    ),
    Specification("signals", "actors.signals.actor", "transient", ("hub-file",)),
)
"""As people see them. They start and end from the last to the first: staging, which imports most, is waited for."""


class Restarts(Value):
    """What the policy remembers of one child. Times are seconds of a monotonic clock.

    Attributes:
        proven: whether any incarnation of it has ever been ready.
        mailbox: messages that waited for it when it last said so.
        frozen: whether somebody has stopped it on purpose, so that its silence means nothing.

    """

    proven: bool = False
    started: float = 0.0
    in_a_row: int = 0
    lease_ends: float = 0.0
    task: str = ""
    mailbox: int = 0
    frozen: bool = False


class Verdict(Value):
    """What to do about a child that has died. ``delay`` is seconds; None: never again."""

    record: Restarts
    delay: float | None
    given_up: bool = False


def started(record: Restarts, now: float) -> Restarts:
    """The record after a (re)start."""
    return replace(record, started=now, lease_ends=now + LEASE, task="", mailbox=0, frozen=False)


def ready(record: Restarts) -> Restarts:
    """The record after the child has said that it is ready."""
    return record if record.proven else replace(record, proven=True)


def renewed(record: Restarts, now: float, seconds: float, task: str) -> Restarts:
    """The record after the child renewed its lease."""
    return replace(record, lease_ends=now + max(seconds, LEASE), task=task)


def heard(record: Restarts, now: float) -> Restarts:
    """The record after the child has said something else; a lease that is longer stays so."""
    return replace(record, lease_ends=max(record.lease_ends, now + LEASE))


def died(specification: Specification, record: Restarts, now: float, *, normal: bool, struck: bool = False) -> Verdict:
    """Decide about a child that has died.

    Args:
        specification: its own.
        record: its own.
        now: monotonic time.
        normal: it exited with 0 by itself.
        struck: it was killed from outside (by the kernel that needed memory, by a person). However often that happens,
            it says nothing about what the child can do: such deaths make the pauses longer, and never the last one.

    """
    if specification.restart == "temporary" or (specification.restart == "transient" and normal):
        return Verdict(record, None)
    in_a_row = 0 if now - record.started >= STABLE else record.in_a_row
    blameless = struck and record.proven
    if not blameless and in_a_row >= (GIVE_UP if record.proven else STILLBORN):
        return Verdict(record, None, given_up=True)
    last = len(BACK_OFF) - 1
    delay = BACK_OFF[min(in_a_row, last)]
    counted = in_a_row if blameless and in_a_row >= last else in_a_row + 1
    return Verdict(replace(record, in_a_row=counted), delay)


def frozen(record: Restarts, now: float, *, frozen: bool) -> Restarts:
    """The record after somebody has stopped the child, or has let it go on."""
    return replace(heard(record, now), frozen=frozen)


def forgiven(record: Restarts) -> Restarts:
    """The record of a child that somebody wants to have anew: what it has failed before does not count."""
    return replace(record, in_a_row=0)


def lease(quiet: int) -> float:
    """For how long an actor may be silent after so many renewals without anything that has happened."""
    return LEASES[min(quiet, len(LEASES) - 1)]


def stuck(record: Restarts, now: float, *, held: bool = False) -> bool:
    """Whether the lease has run out; not of one that is frozen, nor while nobody shall be replaced (``held``)."""
    return not record.frozen and not held and now >= record.lease_ends
