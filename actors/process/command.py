"""A command that is to be started, and the name under which that is done once."""

from proto.value import Value

KINDS = ("job", "find", "reason", "watch", "release", "step", "probe", "why", "loss", "lost", "signal", "end")
"""Of ``CommandName``: ``job`` is salloc and ``step`` srun, the others ask something or send a signal."""


class Command(Value):
    """A command, ready for ``execve``: ``argv[0]`` is an absolute path."""

    argv: tuple[bytes, ...]
    env: tuple[bytes, ...]


class CommandName(Value):
    """A name under which the anchor starts a command once in the life of a container; in messages it is a text.

    Attributes:
        kind: what the command is for, one of ``KINDS``.
        numbers: of what it is about, and of the attempt: ``signal-7-1`` is the first attempt of signal 7, ``step-2``
            the second one of the step. The first attempt of what there is once has none: ``step``.

    """

    kind: str
    numbers: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "CommandName":
        """The name in a message.

        Raises:
            ValueError: it is none.

        """
        kind, *numbers = text.split("-")
        return cls(kind, tuple(map(int, numbers)))

    def __str__(self) -> str:
        return "-".join((self.kind, *map(str, self.numbers)))

    def numbered(self, number: int) -> "CommandName":
        """The same with one more number."""
        return CommandName(self.kind, (*self.numbers, number))

    def is_of(self, other: "CommandName") -> bool:
        """Whether this is that command or, what has more numbers, one of its attempts."""
        return self.kind == other.kind and self.numbers[: len(other.numbers)] == other.numbers
