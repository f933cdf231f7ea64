"""The supervisor: who is started, ended and replaced when, and what the state actor is told; no process is forked."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from actors.anchor.descriptors import Descriptors
from actors.anchor.interventions import ACTIONS
from actors.anchor.outbox import Outbox
from actors.anchor.supervisor import LONGEST_LEASE, Supervisor
from actors.anchor.vigil import LOOK
from actors.process.channel import Channel
from actors.process.logbook import Logbook
from actors.process.supervision import BACK_OFF, GIVE_UP, LEASE, STILLBORN
from actors.slurm.lost_nodes import connections
from proto.life import requests, talk
from tests.unit.creations import creation

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator
    from typing import Any

    from actors.anchor.children import Child
    from proto.life.creation import Creation
    from proto.wire.registry import Message

EXITED_0, EXITED_70, SIGKILLED = 0, 70 << 8, int(signal.SIGKILL)
EARLY = ["state", "allocation", "staging"]
LATE = ["stdio", "signals"]


class House:
    """A supervisor whose actors are no processes, with a clock that the test moves."""

    def __init__(self, path: pathlib.Path) -> None:
        self.now = 100.0
        self.killed: list[str] = []
        self.sent: list[tuple[str, int]] = []
        self.full = False
        self.far: dict[str, Channel] = {}
        """The actors' own ends of their channels."""
        container = creation(root=str(path), log__own="debug")
        (path / container.id).mkdir()
        self.log = path / container.id / "log"
        self.outbox = Outbox()
        self.poller = select.poll()
        self.descriptors = Descriptors()
        self.actors = Supervisor(
            container, self.descriptors, 0, self.poller, Logbook(container, "anchor"), self.outbox,
            bear=self.bear, kill=lambda child: self.killed.append(child.name) if child.pid else None,
            send=lambda child, signum: self.sent.append((child.name, signum)), clock=lambda: self.now,
        )  # fmt: skip

    def bear(self, child: Child, _creation: Creation, _descriptors: Descriptors, _lock: int) -> None:
        if self.full:
            raise BlockingIOError(errno.EAGAIN, "no more processes")
        if child.name in self.far:
            self.far.pop(child.name).close()
        ours, theirs = socket.socketpair()
        child.incarnation += 1
        child.pid = 1000 + child.incarnation
        child.channel = Channel(ours, patient=False)
        self.far[child.name] = Channel(theirs, patient=True)

    def __getitem__(self, name: str) -> Child:
        return self.actors[name]

    def running(self) -> list[str]:
        return [name for name in (*EARLY, *LATE) if self[name].pid]

    def pass_(self, seconds: float) -> None:
        self.now += seconds
        for name in self.running():
            self.actors.renew(self[name])
        self.actors.keep()

    def dies(self, name: str, status: int = EXITED_70) -> str:
        return self.actors.died(self[name], status)

    def rests(self, name: str, **what: Any) -> None:
        self.actors.rest(self[name], talk.Rest(**what))

    def wishes(self, action: requests.Action, actor: str = "", level: str = "") -> None:
        ACTIONS[action](self.actors, talk.Administer(action, actor, level))

    def told(self) -> list[tuple[str, str]]:
        """What the state actor has been told of: name and status."""
        self.outbox.tell(self["state"].channel)
        messages: list[Message] = self.far["state"].receive() or []
        return [(message.actor, message.status) for message in messages if isinstance(message, talk.ChildChanged)]

    def close(self) -> None:
        os.close(self.log_descriptor)
        for channel in (*self.far.values(), *(self[name].channel for name in (*EARLY, *LATE))):
            if channel is not None:
                channel.close()

    @property
    def log_descriptor(self) -> int:
        return self.actors._log._fd


@pytest.fixture
def house(tmp_path: pathlib.Path) -> Iterator[House]:
    made = House(tmp_path)
    made.actors.keep()
    yield made
    made.close()


def test_only_the_early_actors_are_there_before_anybody_is_needed(house: House) -> None:
    house.pass_(100)
    assert house.running() == EARLY


def test_the_state_actor_hears_of_everybody_and_its_successor_hears_it_again(house: House) -> None:
    assert sorted(set(house.told())) == sorted((name, "running") for name in EARLY)
    house.dies("state")
    house.pass_(0)
    told = house.told()
    assert ("state", "dead") in told
    assert set(told) >= {(name, "running") for name in EARLY}


def test_the_successor_of_the_state_actor_hears_of_the_signals_that_may_be_lost(house: House) -> None:
    house.outbox.interrupted(15)
    house.told()
    house.dies("state")
    house.pass_(0)
    house.outbox.tell(house["state"].channel)
    assert talk.Interrupted(15, 1) in (house.far["state"].receive() or [])


def test_who_dies_again_and_again_comes_back_after_growing_pauses(house: House) -> None:
    house.actors.ready(house["allocation"])
    for number, pause in enumerate((*BACK_OFF, BACK_OFF[-1]), 1):
        assert house.dies("allocation") == ""
        if pause:
            house.pass_(pause - 0.01)
            assert not house["allocation"].pid
        house.pass_(0.01)
        assert house["allocation"].pid
        assert house["allocation"].incarnation == number + 1
        assert house["allocation"].restarts == number


def test_who_has_never_been_ready_is_given_up_and_the_reason_has_the_logs_last_words(house: House) -> None:
    for _ in range(STILLBORN):
        assert house.dies("allocation") == ""
        house.pass_(BACK_OFF[-1])
    house.log.write_text("first\nLookupError: cannot work here\n")
    told = house.dies("allocation")
    assert "its allocation process failed again and again (exit status 70)" in told
    assert told.endswith("LookupError: cannot work here")
    house.pass_(1000)
    assert not house["allocation"].pid
    assert ("allocation", "given-up") in house.told()


def test_who_is_killed_by_others_is_never_given_up(house: House) -> None:
    house.actors.ready(house["allocation"])
    for _ in range(3 * GIVE_UP):
        assert house.dies("allocation", SIGKILLED) == ""
        house.pass_(BACK_OFF[-1])
        assert house["allocation"].pid


# --- leases ---------------------------------------------------------------------------------------------------


def test_who_is_silent_for_too_long_is_killed_once_and_replaced_when_it_is_dead(house: House) -> None:
    house.actors.renew(house["staging"], talk.Lease(60.0, "copying"))
    house.actors.renew(house["state"], talk.Lease(60.0))
    house.now += LEASE - 0.01
    house.actors.keep()
    assert house.killed == []
    house.now += 0.01
    house.actors.keep()
    house.actors.keep()
    assert house.killed == ["allocation"]
    assert "allocation is stuck (idle); replaced" in house.log.read_text()
    assert house["allocation"].incarnation == 1
    house.dies("allocation", SIGKILLED)
    house.actors.keep()
    assert house["allocation"].incarnation == 2


def test_one_that_does_not_die_of_it_is_killed_again_after_another_lease(house: House) -> None:
    for name in ("staging", "state"):
        house.actors.renew(house[name], talk.Lease(60.0))
    house.now += LEASE
    house.actors.keep()
    house.now += LEASE
    house.actors.keep()
    assert house.killed == ["allocation", "allocation"]


def test_our_own_kill_is_no_excuse(house: House) -> None:
    """One that is stuck again and again is given up, unlike one that others kill."""
    house.actors.ready(house["allocation"])
    for _ in range(GIVE_UP):
        house.actors.condemn(house["allocation"], "is stuck")
        assert house.dies("allocation", SIGKILLED) == ""
        house.pass_(BACK_OFF[-1])
    house.actors.condemn(house["allocation"], "is stuck")
    assert house.dies("allocation", SIGKILLED)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e12])
def test_no_lease_is_for_ever(house: House, seconds: float) -> None:
    house.actors.renew(house["staging"], talk.Lease(seconds, "copying"))
    assert house["staging"].record.lease_ends <= house.now + LONGEST_LEASE
    assert house["staging"].record.task == "copying"


def test_what_an_actor_says_besides_shortens_no_lease(house: House) -> None:
    """An actor at rest offers to go with each lease: where it is needed, its long lease counts all the same."""
    house.actors.renew(house["staging"], talk.Lease(60.0))
    house.actors.renew(house["staging"])
    house.now += 59.0
    house.actors.keep()
    assert "staging" not in house.killed


def test_the_loop_sleeps_until_the_next_lease_or_start(house: House) -> None:
    assert 0 < house.actors.patience() - LEASE * 1000 <= 1
    house.dies("allocation")
    house.pass_(0)
    house.dies("allocation")
    assert 0 <= house.actors.patience() - BACK_OFF[1] * 1000 <= 1
    house.now += 60
    assert 0 <= house.actors.patience() <= 1


# --- who is needed ------------------------------------------------------------------------------------------------


def test_who_is_needed_is_started_and_left_alone_when_there(house: House) -> None:
    house.actors.need({"staging", "stdio"})
    house.actors.keep()
    house.actors.need({"staging", "stdio"})
    house.actors.keep()
    assert house.running() == [*EARLY, "stdio"]
    assert [(house[name].incarnation, house[name].due) for name in ("staging", "stdio")] == [(1, None), (1, None)]
    assert house.killed == []


def test_who_is_not_needed_any_more_is_not_disturbed(house: House) -> None:
    house.actors.need({"staging", "signals"})
    house.actors.keep()
    house.actors.need(())
    assert (house.running(), house.killed) == ([*EARLY, "signals"], [])


def test_who_is_needed_and_ends_by_itself_comes_back(house: House) -> None:
    house.actors.need({"allocation"})
    house.dies("allocation", EXITED_0)
    house.pass_(BACK_OFF[0])
    assert house["allocation"].incarnation == 2


def test_who_was_given_up_does_not_come_back_however_much_it_is_needed(house: House) -> None:
    house.actors.need({"allocation"})
    for _ in range(STILLBORN + 1):
        house.dies("allocation")
        house.pass_(BACK_OFF[-1])
    house.actors.need({"allocation", "signals"})
    house.actors.rouse(house["allocation"])
    house.pass_(100)
    assert house.running() == ["state", "staging", "signals"]


# --- who rests ----------------------------------------------------------------------------------------------------


def test_who_has_nothing_to_do_may_go(house: House) -> None:
    house.rests("allocation")
    assert house.killed == ["allocation"]
    assert house.dies("allocation", SIGKILLED) == ""
    house.pass_(100)
    assert house.running() == ["state", "staging"]
    assert ("allocation", "stopped") in house.told()


def test_who_is_needed_may_not(house: House) -> None:
    house.actors.need({"allocation"})
    house.rests("allocation")
    assert house.killed == []


def test_who_has_not_heard_all_that_it_was_told_may_not(house: House) -> None:
    """The end of its last command may be on its way to it."""
    channel = house["allocation"].channel
    assert channel is not None
    channel.send(talk.Exited("step", 0))
    house.rests("allocation")
    assert house.killed == []
    house.rests("allocation", heard=1)
    assert house.killed == ["allocation"]


@pytest.mark.parametrize("dead", [False, True])
def test_who_rests_comes_back_when_something_of_its_has_happened(house: House, *, dead: bool) -> None:
    house.rests("allocation", counts={"stdout": 5})
    if dead:
        house.dies("allocation", SIGKILLED)
    house.actors.rouse(house["allocation"])
    if not dead:
        house.dies("allocation", SIGKILLED)
    house.actors.keep()
    assert house["allocation"].incarnation == 2
    assert house["allocation"].counts == {"stdout": 5}


def test_who_rests_comes_back_when_one_of_its_descriptors_is_ready(house: House) -> None:
    reader, writer = os.pipe()
    house.descriptors.put("stdin", reader)
    house.rests("allocation", descriptors={"stdin": select.POLLIN, "gone": select.POLLIN})
    house.dies("allocation", SIGKILLED)
    assert house.poller.poll(0) == []
    house.actors.ready_for(writer)
    assert house["allocation"].due is None
    os.write(writer, b"x")
    assert house.poller.poll(0) == [(reader, select.POLLIN)]
    house.actors.ready_for(reader)
    house.actors.keep()
    assert house["allocation"].incarnation == 2
    assert house.poller.poll(0) == []  # it is the actor's again
    os.close(reader)
    os.close(writer)


def test_who_rests_comes_back_when_its_launcher_loses_a_connection(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        far = socket.create_connection(server.getsockname())
        near, _ = server.accept()
        us = os.getpid()
        now = connections(us) or 0
        house.rests("allocation", launcher=us, connections=now + 1)
        assert house.killed == []  # one is missing already
        house.rests("allocation", launcher=us, connections=now)
        house.dies("allocation", SIGKILLED)
        assert house.actors.patience() <= LOOK * 1000 + 1
        house.pass_(LOOK)
        assert house["allocation"].incarnation == 1
        far.close()
        near.close()
        house.pass_(LOOK)
        assert house["allocation"].incarnation == 2


# --- what is heard of them ----------------------------------------------------------------------------------------


def test_who_does_not_speak_the_protocol_is_killed(house: House) -> None:
    os.write(house.far["staging"].fileno(), b"\x04\0\0\0junk")
    assert house.actors.received(house["staging"]) is None
    assert house.killed == ["staging"]
    assert "staging does not speak the protocol" in house.log.read_text()


def test_the_end_of_a_channel_is_told_once_and_does_not_spin_the_loop(house: House) -> None:
    house.far["staging"].close()
    [(fd, _)] = house.poller.poll(0)
    child = house.actors.with_channel(fd)
    assert child is house["staging"]
    assert house.actors.received(child) is None
    house.actors.hang_up(child)
    assert house.killed == ["staging"]
    assert [event for _, event in house.poller.poll(0) if event & select.POLLIN] == []
    house.dies("staging", SIGKILLED)
    assert house.poller.poll(0) == []


def test_a_process_and_a_channel_are_known_by_their_numbers(house: House) -> None:
    house["allocation"].pid = 77
    assert house.actors.with_pid(77) is house["allocation"]
    assert house.actors.with_pid(78) is None
    assert house.actors.with_channel(-5) is None


def test_at_the_end_all_are_killed_in_reverse_order_but_state(house: House) -> None:
    house.actors.need({*EARLY, *LATE})
    house.actors.keep()
    others = house.actors.end_all_but_state()
    assert house.killed == [child.name for child in others] == ["signals", "stdio", "staging", "allocation"]


# --- what somebody at the console wants -----------------------------------------------------------------------


def test_a_restart_that_is_asked_for_waits_for_no_pause(house: House) -> None:
    house.actors.ready(house["allocation"])
    for _ in range(3):
        house.dies("allocation")
        house.pass_(BACK_OFF[-1])
    house.wishes("restart", "allocation")
    assert house.killed == ["allocation"]
    house.dies("allocation", SIGKILLED)
    house.actors.keep()
    assert house["allocation"].pid
    # Of one that waits for its pause, too.
    for _ in range(2):
        house.dies("allocation")
        house.actors.keep()
    assert not house["allocation"].pid
    house.wishes("restart", "allocation")
    house.actors.keep()
    assert house["allocation"].pid


def test_who_is_frozen_is_not_replaced_until_his_lease_after_the_thaw_is_over(house: House) -> None:
    house.wishes("freeze", "allocation")
    house.now += 100 * LEASE
    for name in ("state", "staging"):
        house.actors.renew(house[name])
    house.actors.keep()
    assert house.killed == []
    assert LEASE * 1000 - 1 <= house.actors.patience() <= LEASE * 1000 + 1  # the loop does not spin
    house.wishes("thaw", "allocation")
    assert house.sent == [("allocation", signal.SIGSTOP), ("allocation", signal.SIGCONT)]
    house.now += LEASE - 0.1
    house.actors.keep()
    assert house.killed == []
    house.now += 0.2
    house.actors.keep()
    assert "allocation" in house.killed


def test_a_successor_is_not_frozen(house: House) -> None:
    house.wishes("freeze", "allocation")
    house.dies("allocation", SIGKILLED)
    house.actors.keep()
    assert [p.frozen for p in house.actors.processes() if p.name == "allocation"] == [False]


def test_while_restarts_are_held_only_the_state_actor_comes_back(house: House) -> None:
    house.wishes("hold")
    for name in EARLY:
        house.dies(name)
    house.now += 1.0
    house.actors.keep()
    assert house.running() == ["state"]
    assert house.actors.patience() > 0
    # Who is wanted for the first time, or by hand, is no restart.
    house.actors.need(LATE)
    house.wishes("restart", "allocation")
    house.actors.keep()
    assert house.running() == ["state", "allocation", *LATE]
    house.wishes("resume")
    house.actors.keep()
    assert house.running() == [*EARLY, *LATE]


def test_while_restarts_are_held_nobody_is_stuck_but_the_state_actor(house: House) -> None:
    house.wishes("hold")
    house.now += LEASE
    house.actors.keep()
    assert house.killed == ["state"]
    house.wishes("resume")
    house.actors.keep()
    assert house.killed == ["state"]
    house.now += LEASE
    house.actors.keep()
    assert set(house.killed) == set(EARLY)


def test_a_thaw_shortens_no_lease(house: House) -> None:
    house.actors.renew(house["staging"], talk.Lease(1000.0, "copying"))
    house.wishes("freeze", "staging")
    house.wishes("thaw", "staging")
    house.wishes("hold")
    house.wishes("resume")
    house.now += 999.0
    house.actors.keep()
    assert "staging" not in house.killed


def test_a_successor_of_the_state_actor_hears_of_those_that_wait_for_their_restart(house: House) -> None:
    house.wishes("hold")
    house.dies("allocation")
    house.dies("state")
    house.told()
    house.pass_(0)
    assert ("allocation", "dead") in house.told()


def test_a_level_that_is_asked_for_is_told_and_told_again_to_a_successor(house: House) -> None:
    house.wishes("log-level", "allocation", "debug3")
    assert house.far["allocation"].receive() == [talk.SetLevel("debug3")]
    house.dies("allocation", SIGKILLED)
    house.wishes("log-level", "allocation", "debug")
    house.actors.keep()
    assert house.far["allocation"].receive() == [talk.SetLevel("debug")]
    assert house.far["staging"].receive() == []


def test_a_host_without_room_for_a_process_is_asked_again(house: House) -> None:
    house.full = True
    house.dies("allocation", SIGKILLED)
    house.actors.need(["stdio"])
    house.pass_(0)
    assert house.running() == ["state", "staging"]
    house.pass_(0.4)
    assert house.running() == ["state", "staging"]
    house.full = False
    house.pass_(0.2)
    assert house.running() == ["state", "allocation", "staging", "stdio"]


def test_a_container_for_which_there_is_no_room_at_all_does_not_begin(tmp_path: pathlib.Path) -> None:
    house = House(tmp_path)
    house.full = True
    with pytest.raises(BlockingIOError):
        house.actors.keep()
    house.close()
