"""What has been heard of one container's tap, and so what has not (``docs/tap.md``, What a gap means). Pure."""

from typing import Any

from proto.value import Value

HELLO = "hello"
LAYERS = 64
"""More of them are nonsense that would be kept."""


class Gap(Value):
    """Something that was said, or may have been, and was not heard.

    Attributes:
        why: ``slow``: messages were lost, for this listener did not keep up; ``replaced``: another process speaks,
            with numbers of its own; ``unheard``: the container came and went before it was heard.
        layer: of the messages that were lost; empty if it is not known.
        lost: how many; 0 if it is not known.

    """

    why: str
    layer: str = ""
    lost: int = 0


def subscriptions(*prefixes: str) -> list[str]:
    """What to subscribe to for topics with these prefixes: whole layers, whose numbers have no holes, and the hello."""
    if not all(prefixes) or not prefixes:
        return [""]
    return sorted({HELLO, *("".join(prefix.partition(".")[:2]) for prefix in prefixes)})


class Hearing:
    """Counts what one container says.

    Attributes:
        incarnation: of the process that speaks; 0 as long as nothing was heard.

    """

    def __init__(self, *prefixes: str) -> None:
        """Args:
        prefixes: of the topics that are listened to; none: all.
        """
        self.incarnation = 0
        self._subscribed = tuple(subscriptions(*prefixes))
        self._numbers: dict[str, int] | None = None

    def hear(self, topic: str, body: dict[str, Any]) -> list[Gap]:
        """Take a message in; what is missing before it.

        Raises:
            ValueError: there are too many layers.

        """
        layer = topic.partition(".")[0]
        told: dict[str, int] = body["data"]["numbers"] if topic == HELLO else {layer: body["number"]}
        if len(told.keys() | (self._numbers or {}).keys()) > LAYERS:
            raise ValueError
        gaps = []
        if self._is_other(body["incarnation"], layer, told):
            if self.incarnation:
                gaps.append(Gap("replaced"))
            self.incarnation, self._numbers = body["incarnation"], None
        if self._numbers is None:
            # What comes before the first hello is in the hello's snapshot.
            self._numbers = dict(told) if topic == HELLO else None
            return gaps
        for name, number in told.items():
            lost = number - self._numbers.get(name, 0) - (name == layer)
            if lost > 0 and f"{name}.".startswith(self._subscribed):
                gaps.append(Gap("slow", name, lost))
        self._numbers |= told
        return gaps

    def _is_other(self, incarnation: int, layer: str, told: dict[str, int]) -> bool:
        """Whether it is not the process that spoke before: replaced, or of a new container with the same id."""
        known = self._numbers or {}
        return incarnation != self.incarnation or any(
            number < known.get(name, 0) + (name == layer) for name, number in told.items()
        )
