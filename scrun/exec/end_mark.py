"""How a program that ``exec`` has added is known to have ended, while its step lives on for what it left behind.

The node's script (``exec_left.sh``) says it in the streams themselves, where it comes after all the program's output:
a zero byte, 32 digits that nothing else can say, since they are made for each exec, ``s`` and three digits of the exit
status or ``e000`` for the end of the stream, and a zero byte.
"""

_SURE = 8
"""Bytes from which the beginning of a mark can be nothing else, and is held back until the rest is there."""


class EndMark:
    """Takes the marks out of one stream.

    Attributes:
        status: the program's exit status, as soon as that is known.
        ended: whether nothing more comes.

    """

    def __init__(self, mark: bytes) -> None:
        """Expect marks of this text."""
        self.status: int | None = None
        self.ended = False
        self._begin = b"\0" + mark
        self._tail = b""
        self._passed = 0

    def sift(self, data: bytes, *, more: bool) -> tuple[bytes, bytes]:
        """Take the marks out; see ``actors.stdio.mover.Sift``. What is kept is kept in here, for longer."""
        del more
        text, passed, since = self._tail + data, self._passed, 0
        result = b""
        at = -1
        while (at := text.find(self._begin, at + 1)) >= 0:
            end = at + len(self._begin) + len(b"s000\0")
            if self._heed(text[at + len(self._begin) : end]):
                result += text[passed:at]
                passed = since = end
        begun = self._begun(text, since)
        until = max(passed, begun if len(text) - begun >= _SURE else len(text))
        self._tail, self._passed = text[begun:], until - begun
        return result + text[passed:until], b""

    def _heed(self, word: bytes) -> bool:
        """Take what follows the beginning of a mark for its end, if it is one."""
        kind, digits, end = word[:1], word[1:4], word[4:]
        if end != b"\0" or len(digits) < 3 or not digits.isdigit():
            return False
        if kind == b"s":
            self.status = int(digits)
        elif kind == b"e":
            self.ended = True
        return kind in {b"s", b"e"}

    def _begun(self, text: bytes, since: int) -> int:
        """Where the end of the text may be a mark's beginning; its length, if it is none."""
        at = text.rfind(b"\0", since)
        tail = text[at:] if at >= 0 else b""
        ours = tail.startswith(self._begin) or self._begin.startswith(tail)
        return at if tail and ours and len(tail) <= len(self._begin) + len("s000") else len(text)
