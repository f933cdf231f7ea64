"""Who looks into the container from the console, or does something to its actors, is served here.

The tables, and what may be done, are imported when somebody asks: seldom, and never on the way of ``create``.
"""

from collections.abc import Callable

from actors.process.channel import Channel
from proto.errors import ScrunError
from proto.life import events as e
from proto.life import requests, talk
from proto.life.container import Container
from proto.wire.registry import Message

from .hub import Arrival, Hub
from .recorder import Recorder

OF_THE_ANCHOR = frozenset({"tree"})
"""Tables for which the anchor has to be asked first."""
ONLOOKERS = 100
"""So many wait for the anchor's word about its processes; who asked before them has no answer."""

Children = dict[str, talk.ChildChanged]


class Desk:
    """Answers for the state actor."""

    def __init__(self, hub: Hub, channel: Channel, recorder: Recorder, anchor: int) -> None:
        """Args:
        hub: by which answers go.
        channel: to the anchor.
        recorder: has the journal.
        anchor: pid of the anchor.
        """
        self._hub = hub
        self._channel = channel
        self._recorder = recorder
        self._anchor = anchor
        self._onlookers: list[Arrival] = []

    def inspect(self, arrival: Arrival, what: str, container: Container, children: Children) -> None:
        """Answer somebody who looks, at once or when the anchor has said whom it has."""
        if what in OF_THE_ANCHOR:
            self._onlookers = [*self._onlookers[1 - ONLOOKERS :], arrival]
            self._channel.send(talk.ListProcesses())
        else:
            self._show(arrival, None, container, children)

    def listed(self, processes: talk.Processes, container: Container, children: Children) -> None:
        """The anchor has said whom it has."""
        onlookers, self._onlookers = self._onlookers, []
        for arrival in onlookers:
            self._show(arrival, processes, container, children)

    def intervene(
        self,
        arrival: Arrival,
        wish: requests.Intervene,
        children: Children,
        happen: Callable[[Message, str, str], None],
    ) -> None:
        """Do what somebody wants, once it is in the journal who that is.

        Args:
            arrival: what came.
            wish: what is in it.
            children: the anchor's processes.
            happen: records an event, its source and the message that led to it.

        """
        id_ = arrival.envelope.id
        known = any(isinstance(r.event, e.Intervened) and r.event.request == id_ for r in self._recorder.records)
        answer: Message = requests.Done()
        try:
            if not known:
                from .interventions import check

                check(wish, children)
                event = e.Intervened(wish.action, wish.actor, arrival.uid, arrival.pid, id_, wish.level)
                happen(event, arrival.envelope.source, id_)
                self._channel.send(talk.Administer(wish.action, wish.actor, wish.level))
        except ScrunError as error:
            answer = requests.Failed(error.code, error.sentence)
        except ImportError as error:
            answer = requests.Failed("internal", f"scrun was installed anew, and this container is older: {error}")
        self._hub.reply(arrival, answer)

    def _show(self, arrival: Arrival, listed: talk.Processes | None, container: Container, children: Children) -> None:
        asked = arrival.envelope.message
        assert isinstance(asked, requests.Inspect)  # noqa: S101 - only these come here
        records = tuple(self._recorder.records)
        try:
            from .inspection import View, inspect

            processes, held = (listed.rows, listed.held) if listed else ((), False)
            view = View(self._anchor, container, tuple(children.values()), records, processes, held)
            answer = inspect(view, asked.what, asked.argument)
        except Exception as error:
            # Whoever only looks harms no container, also not where scrun was installed anew and has other files.
            answer = requests.Failed("internal", f"the state actor cannot show its {asked.what[:40]}: {error!r}")
        self._hub.reply(arrival, answer)
