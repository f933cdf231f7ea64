"""The processes of a container as a tree: what the kernel says of them, and the supervisor of its actors."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from .card import Actor

DEEPEST = 12
MOST = 256


class Process(NamedTuple):
    """A row of the tree.

    Attributes:
        branch: what is drawn before its name.
        name: of an actor, or what ps shows.
        pid: 0 if it does not run.
        actor: what the supervisor tells of it, if it is one.

    """

    branch: str
    name: str
    pid: int
    actor: Actor | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Which process it is; an actor is the same when it is replaced."""
        return self.name, 0 if self.actor else self.pid


def tree(
    anchor: int, actors: Mapping[str, Actor], children: Callable[[int], list[int]], name: Callable[[int], str]
) -> list[Process]:
    """The anchor, and below it all that it has started, with what that has, and the actors that do not run.

    Args:
        anchor: its pid.
        actors: by name.
        children: of a process.
        name: of a process.

    """
    names = {actor.pid: word for word, actor in actors.items() if actor.pid}
    absent = [(word, 0) for word, actor in actors.items() if not actor.pid]

    def below(pid: int, branch: str, depth: int) -> Iterator[Process]:
        rows = [(names.get(child) or name(child), child) for child in children(pid)] + ([] if depth else absent)
        for number, (word, child) in enumerate(rows, 1):
            last = number == len(rows)
            known = actors[word] if child in names or not child else None
            yield Process(branch + ("└─" if last else "├─"), word, child, known)
            if child and depth < DEEPEST:
                yield from below(child, branch + ("  " if last else "│ "), depth + 1)

    return [Process("", "anchor", anchor), *islice(below(anchor, "", 0), MOST)]
