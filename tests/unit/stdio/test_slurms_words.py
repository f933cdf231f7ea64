import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.stdio.slurms_words import LONGEST, sift

STEP = b"slurmstepd-node1: error: *** STEP 24.0 ON node1 CANCELLED AT 2026-11-29T13:34:25 ***\n"
LIMIT = b"slurmstepd: error: *** JOB 24 ON node[1-3] CANCELLED AT 2026-11-29T13:34:25 DUE TO TIME LIMIT ***\n"
DATED = b"[2026-11-30T06:31:47.349] error: *** STEP 1.0 ON n CANCELLED AT 2026-11-30T06:31:47 DUE to SIGNAL 15 ***\n"


@pytest.mark.parametrize("line", [STEP, LIMIT, DATED])
@pytest.mark.parametrize("before", [b"", b"a line\n", b"part of a line"])
@pytest.mark.parametrize("after", [b"", b"more\n", b"slurm"])
def test_lines_of_slurmstepd_go_wherever_they_are(line: bytes, before: bytes, after: bytes) -> None:
    assert sift(before + line + after, more=False) == (before + after, b"")


@pytest.mark.parametrize(
    "text",
    [
        b"slurmstepd: error: something of the program's own\n",
        b"*** STEP 24.0 ON node1 CANCELLED AT noon ***\n",
        b"slurmstepd-node1: error: *** STEP 24.0 ON node1 CANCELLED AT 2026\nand no stars\n",
        b"[2026-11-30T06:31:47.349] error: of the program's own\n",
        b"s",
        b"",
    ],
)
def test_all_else_passes_at_once(text: bytes) -> None:
    assert sift(text, more=False) == (text, b"")


@given(st.binary(max_size=40), st.sampled_from([STEP, LIMIT, DATED]), st.binary(max_size=40), st.integers(0, 200))
def test_one_that_comes_in_two_pieces(before: bytes, line: bytes, after: bytes, at: int) -> None:
    text = before + line + after
    passed, kept = sift(text[:at], more=True)
    rest, nothing = sift(kept + text[at:], more=False)
    assert (passed + rest, nothing) == (before + after, b"")


@given(
    st.lists(
        st.sampled_from(
            [b"s", b"slurm", b"slurmstepd", b"slurmstepd: error: *** STEP 1.0 ON ", b"[20", b"\n", b"x" * 300]
        )
    )
)
def test_no_more_is_kept_than_such_a_line_has(pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    passed, kept = sift(text, more=True)
    assert passed + kept == text
    assert len(kept) <= LONGEST
