"""``docs/protocol.md`` is the authority: its golden frame against the code (tests/unit/docs has its tables)."""

import re
from pathlib import Path

import pytest

from proto.errors import ProtocolError
from proto.life.requests import Kill
from proto.wire.envelope import Envelope, unpack

DOCUMENT = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_the_golden_frame() -> None:
    block = re.search(r"Golden frame.*?```\n(.*?)```", DOCUMENT, re.DOTALL)
    assert block is not None
    frame = bytes.fromhex("".join(block[1].split()))
    envelope = Envelope("state", "client", Kill(9), "00112233445566ff")
    assert envelope.pack() == frame
    assert unpack(frame) == envelope


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (b"", "not msgpack"),
        (b"\xc1", "not msgpack"),
        (b"\x01", "envelope of nine"),
        (b"\x99\x02\xa1s\xa1c\xa4kill\xa1i\xc0\x00\x00\x80", "version 2"),
        (b"\x99\x01\xa1s\xa1c\xa4nope\xa1i\xc0\x00\x00\x80", "no message"),
        (b"\x99\x01\xa1s\xa1c\xa4kill\xa1i\xc0\x00\x00\x80", "signal is missing"),
        (b"\x99\x01\xa1s\xa1c\xa4kill\xa1i\xc0\x00\x00\x81\xa6signal\xa19", "int expected"),
        (b"\xdd\xff\xff\xff\xff", "not msgpack"),
    ],
)
def test_garbage_is_a_protocol_error_that_names_the_fault(frame: bytes, fault: str) -> None:
    with pytest.raises(ProtocolError, match=fault):
        unpack(frame)
