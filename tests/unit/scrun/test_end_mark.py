"""The end of a program of ``exec``, told in its output."""

from __future__ import annotations

from hypothesis import event, given
from hypothesis import strategies as st

from scrun.exec.end_mark import EndMark

MARK = b"0123456789abcdef0123456789abcdef"
PIECES = (b"\0", b"a", b"\0" + MARK[:5], MARK, b"\0" + MARK + b"s01", b"e1", b"007\0")
"""Of output that is like a mark, and never one."""


def fed(*pieces: bytes) -> tuple[bytes, EndMark]:
    mark = EndMark(MARK)
    return b"".join(mark.sift(piece, more=False)[0] for piece in pieces), mark


def test_status_and_end() -> None:
    passed, mark = fed(b"out", b"\0" + MARK + b"s007\0late\0" + MARK + b"e000\0")
    assert (passed, mark.status, mark.ended) == (b"outlate", 7, True)


def test_output_that_is_no_mark_comes_at_once() -> None:
    for data in (b"\0", b"a\0", b"\0" + MARK[:6], b"\0" + MARK + b"x007\0", b"\0" + MARK + b"s00x\0", b"\0" * 100):
        assert fed(data)[0] == data
        assert fed(*(bytes([byte]) for byte in data))[0] == data


def test_half_a_mark_waits() -> None:
    passed, mark = fed(b"out\0" + MARK)
    assert (passed, mark.status) == (b"out", None)


@given(
    st.lists(st.sampled_from(PIECES), max_size=8),
    st.lists(st.integers(0, 400), max_size=12),
)
def test_however_it_is_cut(before: list[bytes], cuts: list[int]) -> None:
    """Every byte that is no mark passes, in its order; of a mark no more than what cannot be told from output."""
    output = b"".join(before)
    text = output + b"\0" + MARK + b"s042\0after"
    at = sorted({cut for cut in cuts if cut < len(text)})
    pieces = [text[begin:end] for begin, end in zip([0, *at], [*at, len(text)], strict=True)]
    passed, mark = fed(*pieces)
    assert mark.status == 42
    event("cut in the mark" if any(len(output) < cut < len(text) - 5 for cut in at) else "mark in one piece")
    leak = len(passed) - len(output) - len(b"after")
    assert 0 <= leak < 8
    assert passed.startswith(output)
    assert passed.endswith(b"after")
