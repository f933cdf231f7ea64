"""What is wanted of the other actors is said to them as long as they have not heard it."""

from collections.abc import Iterable, Mapping

from actors.process.channel import Channel
from actors.process.inbox import Inbox
from proto.life import talk, wants
from proto.life.container import Container
from proto.wire.envelope import Envelope, new_id

from .hub import Hub
from .intents import Intents
from .tap import Tap


class Asking:
    """What ``intents`` decides, carried out: it is pure, and this has the actors at the hub's other end."""

    def __init__(self, hub: Hub, tap: Tap, inbox: Inbox, channel: Channel) -> None:
        """Args:
        hub: by which intents go.
        tap: shows them.
        inbox: has the clock ``wants``, at which to ask again.
        channel: to the anchor, which has those actors run that are needed.
        """
        self._hub = hub
        self._tap = tap
        self._inbox = inbox
        self._channel = channel
        self._intents = Intents()
        self._needed: frozenset[str] | None = None

    def ask(
        self, container: Container, wanted: Iterable[wants.Want], children: Mapping[str, talk.ChildChanged],
        cause: str | None,
    ) -> None:  # fmt: skip
        """Send what is wanted to those who have not heard it yet.

        Args:
            container: what it is by now.
            wanted: what has to happen now.
            children: the actors, by name.
            cause: id of the message that led to it; None: of none.

        """
        needed = self._say_who_is_needed(container)
        running = {name for name, child in children.items() if child.status == "running"}
        for want in self._intents.due(wanted, (needed | running) - {"state"}):
            envelope = Envelope(want.actor, "state", want.message, new_id(), cause)
            self._tap.publish("intent", want.actor, want.message)
            self._hub.tell(envelope)  # an actor that cannot be reached makes itself known when it can
            self._intents.sent(want, envelope.id)
        patience = self._intents.patience()
        if patience is None:
            self._inbox.never("wants")
        else:
            self._inbox.later("wants", patience)

    def heard(self, id_: str | None) -> None:
        """An actor has acted on the message of that id."""
        self._intents.heard(id_)

    def forget(self, actor: str) -> None:
        """A new incarnation knows nothing: it is asked again for all that is wanted of it."""
        self._intents.forget(actor)

    def _say_who_is_needed(self, container: Container) -> frozenset[str]:
        needed = wants.needed(container)
        if needed != self._needed:
            self._needed = needed
            self._channel.send(talk.Needed(tuple(sorted(needed))))
        return needed
