"""A command that is to be started: the words of Slurm's library, for whoever starts it."""

from proto.value import Value


class Command(Value):
    """A command, ready for ``execve``: ``argv[0]`` is an absolute path."""

    argv: tuple[bytes, ...]
    env: tuple[bytes, ...]
