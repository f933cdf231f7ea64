"""What the state actor has to be told: kept while there is none, and told again to a successor.

A state actor may die with what it was told and had not yet written down. So signals are repeated until it says that
the journal has them, and a successor hears of everybody and everything anew.
"""

from actors.process.channel import Channel
from proto.life import talk

Lasting = talk.Abandoned | talk.Deserted


class Outbox:
    """The anchor's news, in their order."""

    def __init__(self) -> None:
        self._waiting: list[talk.ChildChanged | talk.Interrupted | Lasting] = []
        self._unheeded: list[talk.Interrupted] = []
        self._counts: dict[int, int] = {}
        self._lasting: list[Lasting] = []

    def child(self, outbox: talk.ChildChanged) -> None:
        """An actor has come, or gone."""
        self._waiting.append(outbox)

    def interrupted(self, signum: int, *, logout: bool = False) -> None:
        """The anchor has got this signal, perhaps not for the first time."""
        self._counts[signum] = self._counts.get(signum, 0) + 1
        self._unheeded.append(talk.Interrupted(signum, self._counts[signum], logout))
        self._waiting.append(self._unheeded[-1])

    def heeded(self, message: talk.Heeded) -> None:
        """That signal is in the journal."""
        self._unheeded = [v for v in self._unheeded if (v.signal, v.number) != (message.signal, message.number)]

    def for_good(self, news: Lasting) -> None:
        """What stays true: who has called is gone."""
        self._lasting.append(news)
        self._waiting.append(news)

    def begin_anew(self) -> None:
        """There is a new state actor; the caller adds who else is there."""
        self._waiting = [v for v in self._waiting if isinstance(v, talk.ChildChanged)]
        self._waiting += [*self._unheeded, *self._lasting]

    def tell(self, channel: Channel | None) -> None:
        """Pass on what there is; without a state actor, or if it dies just now, it waits."""
        while self._waiting and channel is not None:
            try:
                channel.send(self._waiting[0])
            except ConnectionError:
                return
            del self._waiting[0]
