"""``descriptors``: what each process has open."""

from collections.abc import Iterator

from . import processes
from .command import Command, Question, Row


def rows(question: Question) -> Iterator[Row]:
    """One for each descriptor of each process that lives."""
    for name, pid, *_ in question.ask("tree").rows:
        for number, target in (processes.descriptors(int(pid)) or {}).items():
            yield name, int(pid), number, target


COMMAND = Command(
    "descriptors",
    "what each of its processes has open",
    ("process", "pid", "descriptor", "target"),
    rows,
    "as the kernel names it: `socket:[NUMBER]`, `pipe:[NUMBER]`, a path",
)
