"""msgpack by hand, held against msgpack."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.errors import ProtocolError
from proto.wire.msgpack_subset import DEPTH_LIMIT, SIZE_LIMIT, pack, unpack

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(1 << 63), (1 << 64) - 1), st.floats(allow_nan=False), TEXT, st.binary()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=20) | st.dictionaries(TEXT, inner, max_size=20), max_leaves=30
)


@given(VALUES)
def test_the_bytes_are_those_of_msgpack(value: Any) -> None:
    assert pack(value) == msgpack.packb(value)


@given(VALUES)
def test_what_msgpack_packs_is_read(value: Any) -> None:
    assert unpack(msgpack.packb(value)) == value


@pytest.mark.parametrize("length", [31, 32, 255, 256, 65535, 65536, 1 << 19])
def test_lengths_at_the_borders(length: int) -> None:
    # (After 65536 no other form of a dictionary follows.)
    for value in ("x" * length, b"x" * length, [None] * length, {str(n): n for n in range(min(length, 65537))}):
        frame = pack(value)
        assert frame == msgpack.packb(value)
        if len(frame) <= SIZE_LIMIT:
            assert unpack(frame) == value


@pytest.mark.parametrize("bits", [5, 7, 8, 15, 16, 31, 32, 63, 64])
def test_numbers_at_the_borders(bits: int) -> None:
    for number in {sign * (1 << bits) + off for sign in (1, -1) for off in (-1, 0, 1)}:
        if -(1 << 63) <= number < 1 << 64:
            assert pack(number) == msgpack.packb(number)
            assert unpack(pack(number)) == number
        else:
            with pytest.raises(ProtocolError):
                pack(number)


@given(st.binary())
def test_garbage_is_a_value_or_a_protocol_error(data: bytes) -> None:
    try:
        unpack(data)
    except ProtocolError:
        pass


@given(VALUES, st.data())
def test_a_cut_frame_is_refused(value: Any, data: st.DataObject) -> None:
    frame = pack(value)
    with pytest.raises(ProtocolError):
        unpack(frame[: data.draw(st.integers(0, len(frame) - 1))])


@pytest.mark.parametrize(
    "frame",
    [
        b"\xc1",
        b"\xca\0\0\0\0",  # float32
        b"\xd4\0\0",  # an extension
        b"\xdd\xff\xff\xff\xff",  # four thousand million of nothing
        b"\xdb\xff\xff\xff\xffx",
        b"\x91" * (DEPTH_LIMIT + 2) + b"\xc0",
        b"\x81\x01\x01",  # a key that is no text
        b"\x82\xa1a\x01\xa1a\x02",  # a key twice
        b"\xa1\xff",  # no UTF-8
        b"\xc0\xc0",
        bytes(SIZE_LIMIT + 1),
    ],
)
def test_what_is_refused(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        unpack(frame)


def test_what_cannot_be_packed() -> None:
    deep: list[Any] = []
    for _ in range(DEPTH_LIMIT + 2):
        deep = [deep]
    for value in (object(), {1: 2}, "\udc80", deep, [{"x": {1}}]):
        with pytest.raises(ProtocolError):
            pack(value)
