"""What processes say before the anchor has introduced them: kept for a moment, and within bounds.

The anchor tells the state actor of an actor as soon as it has forked it. An actor that is quick is heard at the hub
before that: one first report in five was, and was repeated half a second later. Who never is introduced is never
heard.
"""

import time
from collections.abc import Callable, Iterator

from proto.value import Value

SECONDS = 2.0
"""How long a word is kept. An introduction takes milliseconds; after half a second the actor repeats what it said, and
much later the pid may be another process's."""
WORDS = 8
"""So many are kept of one process, the first ones. The others are repeated by an actor, and lost by a flood."""
PROCESSES = 16
"""Of so many processes, those that began to speak last. A container has five actors."""
LONGEST = 64 * 1024
"""Bytes of the longest word that is kept: 8 MiB are all that strangers can make the state actor hold."""


class Word(Value):
    """A frame at the hub: the kernel says whose it is, and a reply goes where ``route`` says."""

    pid: int
    route: bytes
    payload: bytes
    uid: int = -1


class EarlyWords:
    """The words of processes that the anchor has not introduced yet."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[int, list[tuple[float, Word]]] = {}

    def keep(self, word: Word) -> None:
        """Keep a word, if there may be one more."""
        self._forget_old()
        said = self._said.setdefault(word.pid, [])
        if len(said) < WORDS and len(word.payload) <= LONGEST:
            said.append((self._clock(), word))
        if len(self._said) > PROCESSES:
            del self._said[next(iter(self._said))]

    def take(self, pid: int) -> Iterator[Word]:
        """What the process has said, in its order; it is kept no longer."""
        self._forget_old()
        for _, word in self._said.pop(pid, ()):
            yield word

    def _forget_old(self) -> None:
        oldest = self._clock() - SECONDS
        fresh = {pid: [one for one in said if one[0] >= oldest] for pid, said in self._said.items()}
        self._said = {pid: said for pid, said in fresh.items() if said}
