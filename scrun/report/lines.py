"""Lines of text, and how they are written. On the path of the hot verbs."""

import os

from proto.errors import StorageError, reason

# conmon's buffer is 8 KiB; the log's record must fit into one atomic append as well.
LIMIT = 3000


def one_line(text: str) -> str:
    """The text on one line, without control characters, of bounded length."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= LIMIT else f"{line[:LIMIT]}…"


def printable(text: str) -> str:
    """The text without what a terminal would obey."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


def show(text: str | bytes) -> None:
    """Write to standard output what the command is there to say; whoever has stopped reading is no reason to fail.

    Raises:
        StorageError: it takes nothing, as a file on a full disk.

    """
    try:
        feed(text)
    except BrokenPipeError:
        pass


def feed(text: str | bytes) -> None:
    """The same for a command that says more as long as somebody reads.

    Raises:
        BrokenPipeError: nobody does any more.
        StorageError: it takes nothing.

    """
    data = _encoded(text)
    while data:
        try:
            data = data[os.write(1, data) :]
        except BlockingIOError:
            import select  # a caller's pipe that does not block, and is full

            select.select((), (1,), ())
        except BrokenPipeError:
            raise
        except OSError as error:
            raise StorageError(f"standard output cannot be written: {reason(error)}") from None


def write(descriptor: int, text: str | bytes) -> None:
    """Write to standard error or a log, where nobody is told that it failed."""
    data = _encoded(text)
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        pass


def _encoded(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
