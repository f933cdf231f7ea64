"""Lines of text, and how they are written. On the path of the hot verbs."""

import os

# conmon's buffer is 8 KiB; the log's record must fit into one atomic append as well.
LIMIT = 3000


def one_line(text: str) -> str:
    """The text on one line, without control characters, of bounded length."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= LIMIT else f"{line[:LIMIT]}…"


def printable(text: str) -> str:
    """The text without what a terminal would obey."""
    return "".join(char if char.isprintable() else "?" for char in text)


def write(descriptor: int, text: str | bytes) -> None:
    """Write to standard output or standard error; whoever does not listen any more is no reason to fail."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        pass
