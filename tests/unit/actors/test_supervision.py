"""The policy of supervision, with a clock that the test moves."""

from actors.process import supervision
from actors.process.supervision import (
    BACK_OFF,
    GIVE_UP,
    LEASE,
    STABLE,
    STILLBORN,
    TABLE,
    Restarts,
    died,
    renewed,
    started,
    stuck,
)

PERMANENT = next(s for s in TABLE if s.restart == "permanent")
TRANSIENT = next(s for s in TABLE if s.restart == "transient")


def test_back_off_grows_and_a_stable_start_resets_it() -> None:
    now, record, delays = 100.0, supervision.ready(Restarts()), []
    for _ in range(7):
        record = started(record, now)
        verdict = died(PERMANENT, record, now, normal=False)
        record, now = verdict.record, now + 1
        delays.append(verdict.delay)
    assert delays == [*BACK_OFF, BACK_OFF[-1], BACK_OFF[-1]]
    record = started(record, now)
    assert died(PERMANENT, record, now + STABLE, normal=False).delay == BACK_OFF[0]


def test_a_child_that_never_gets_stable_is_given_up() -> None:
    record = supervision.ready(Restarts())
    for _ in range(GIVE_UP):
        verdict = died(PERMANENT, started(record, 100.0), 100.0, normal=False)
        assert not verdict.given_up
        record = verdict.record
    assert died(PERMANENT, started(record, 100.0), 100.0, normal=False).given_up
    assert not died(PERMANENT, started(record, 100.0), 100.0 + STABLE, normal=False).given_up


def test_kills_from_outside_are_never_the_last() -> None:
    record = supervision.ready(Restarts())
    for _ in range(10 * GIVE_UP):
        verdict = died(PERMANENT, started(record, 100.0), 100.0, normal=False, struck=True)
        assert not verdict.given_up
        record = verdict.record
    assert verdict.delay == BACK_OFF[-1]
    # And they bring nobody nearer to its end who fails by itself later.
    for _ in range(GIVE_UP - len(BACK_OFF) + 1):
        verdict = died(PERMANENT, started(record, 100.0), 100.0, normal=False)
        assert not verdict.given_up
        record = verdict.record
    assert died(PERMANENT, started(record, 100.0), 100.0, normal=False).given_up
    assert not died(PERMANENT, started(record, 100.0), 100.0, normal=False, struck=True).given_up
    # One that has never been ready is no better for it.
    unproven = Restarts(in_a_row=STILLBORN)
    assert died(PERMANENT, started(unproven, 100.0), 100.0, normal=False, struck=True).given_up


def test_a_child_that_has_never_been_ready_is_given_up_within_seconds() -> None:
    record, waited = Restarts(), 0.0
    for _ in range(STILLBORN):
        verdict = died(PERMANENT, started(record, 100.0), 100.0, normal=False)
        assert not verdict.given_up
        assert verdict.delay is not None
        record, waited = verdict.record, waited + verdict.delay
    assert died(PERMANENT, started(record, 100.0), 100.0, normal=False).given_up
    assert waited < 2
    # Ready once is ready for life: what it can do once it can do again.
    assert not died(PERMANENT, started(supervision.ready(record), 100.0), 100.0, normal=False).given_up


def test_a_transient_child_is_restarted_only_after_an_abnormal_end() -> None:
    assert died(TRANSIENT, Restarts(), 1.0, normal=True).delay is None
    assert died(TRANSIENT, Restarts(), 1.0, normal=False).delay == BACK_OFF[0]


def test_a_lease_runs_out_unless_it_is_renewed() -> None:
    record = started(Restarts(), 10.0)
    assert not stuck(record, 10.0 + LEASE - 0.1)
    assert stuck(record, 10.0 + LEASE)
    record = renewed(record, 12.0, 60.0, "waiting for nodes")
    assert not stuck(record, 70.0)
    assert stuck(record, 72.0)
