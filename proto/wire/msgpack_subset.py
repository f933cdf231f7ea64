"""msgpack by hand, for the verbs that cannot afford to import a package.

The subset that envelopes use: nil, booleans, 64-bit integers, float64, text, bytes, lists and maps. What comes in
is bounded in size and depth; whatever else it is, ``ProtocolError`` is all that it can cause.
"""

from struct import error as StructError  # noqa: N812 - it is a class, of the name "error"
from struct import pack_into, unpack_from

from proto.errors import ProtocolError

Wire = bool | int | float | str | bytes | list["Wire"] | dict[str, "Wire"] | None

SIZE_LIMIT = 1 << 20
DEPTH_LIMIT = 16


def pack(value: object) -> bytes:
    """The bytes of a value, in the shortest form, as msgpack's own packer makes them.

    Raises:
        ProtocolError: a type or a number that does not belong to the subset, or nested too deeply.

    """
    out = bytearray()
    _pack(value, out, 0)
    return bytes(out)


def unpack(data: bytes, limit: int = SIZE_LIMIT) -> Wire:
    """The value that the bytes stand for, all of them and no more than ``limit``.

    Raises:
        ProtocolError: anything else.

    """
    if len(data) > limit:
        raise ProtocolError(f"a frame of {len(data)} bytes is too large")
    try:
        value, end = _unpack(data, 0, 0)
    except (IndexError, StructError, UnicodeDecodeError):
        raise ProtocolError("the frame is cut or is not msgpack") from None
    if end != len(data):
        raise ProtocolError("bytes follow the end of the frame")
    return value


# --- out -------------------------------------------------------------------------------------------------------


def _pack(value: object, out: bytearray, depth: int) -> None:
    if depth > DEPTH_LIMIT:
        raise ProtocolError("the message is nested too deeply")
    if value is None:
        out.append(0xC0)
    elif value is True or value is False:
        out.append(0xC3 if value else 0xC2)
    elif isinstance(value, int):
        _pack_int(value, out)
    elif isinstance(value, float):
        out += b"\xcb\0\0\0\0\0\0\0\0"
        pack_into(">d", out, len(out) - 8, value)
    elif isinstance(value, str):
        try:
            text = value.encode()
        except UnicodeEncodeError:
            raise ProtocolError("text that is not Unicode must travel as bytes") from None
        _head(len(text), (0xA0, 32), (0xD9, 0xDA, 0xDB), out)
        out += text
    elif isinstance(value, bytes):
        _head(len(value), (0, 0), (0xC4, 0xC5, 0xC6), out)
        out += value
    elif isinstance(value, list | tuple):
        _head(len(value), (0x90, 16), (0, 0xDC, 0xDD), out)
        for item in value:
            _pack(item, out, depth + 1)
    elif isinstance(value, dict):
        _head(len(value), (0x80, 16), (0, 0xDE, 0xDF), out)
        for key, item in value.items():
            if not isinstance(key, str):
                raise ProtocolError("keys of a message are text")
            _pack(key, out, depth + 1)
            _pack(item, out, depth + 1)
    else:
        raise ProtocolError(f"{type(value).__name__} cannot be sent")


def _head(length: int, short: tuple[int, int], codes: tuple[int, int, int], out: bytearray) -> None:
    """The first bytes of something with a length; a code of 0 means that there is no such form."""
    if length < short[1]:
        out.append(short[0] | length)
    elif length < 1 << 8 and codes[0]:
        out += bytes((codes[0], length))
    elif length < 1 << 16:
        out.append(codes[1])
        out += length.to_bytes(2, "big")
    else:
        if length > SIZE_LIMIT:
            raise ProtocolError("the message is too large")
        out.append(codes[2])
        out += length.to_bytes(4, "big")


def _pack_int(value: int, out: bytearray) -> None:
    if -32 <= value < 128:
        out.append(value & 0xFF)
        return
    codes, bits = (0xCC, 0) if value >= 0 else (0xD0, 1)
    for power in range(4):
        if -(1 << (8 << power) - 1) <= value < 1 << (8 << power) - bits:
            out.append(codes + power)
            out += value.to_bytes(1 << power, "big", signed=bool(bits))
            return
    raise ProtocolError("a number that needs more than 64 bits cannot be sent")


# --- in --------------------------------------------------------------------------------------------------------

_CONSTANTS: dict[int, bool | None] = {0xC0: None, 0xC2: False, 0xC3: True}
_BYTES = {0xC4: 1, 0xC5: 2, 0xC6: 4}
_TEXTS = {0xD9: 1, 0xDA: 2, 0xDB: 4}
_UNSIGNED = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}
_SIGNED = {0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_LISTS = {0xDC: 2, 0xDD: 4}
_MAPS = {0xDE: 2, 0xDF: 4}


def _unpack(data: bytes, at: int, depth: int) -> tuple[Wire, int]:
    """The value that begins at ``at``, and where it ends."""
    if depth > DEPTH_LIMIT:
        raise ProtocolError("the frame is nested too deeply")
    code = data[at]
    at += 1
    if code < 0x80:
        return code, at
    if code >= 0xE0:
        return code - 256, at
    if code < 0x90:
        return _unpack_map(data, at, code & 15, depth)
    if code < 0xA0:
        return _unpack_list(data, at, code & 15, depth)
    if code < 0xC0:
        return _text(data, at, code & 31)
    if code in _CONSTANTS:
        return _CONSTANTS[code], at
    if code == 0xCB:
        return unpack_from(">d", data, at)[0], at + 8
    if width := _UNSIGNED.get(code) or _SIGNED.get(code):
        return int.from_bytes(_slice(data, at, width), "big", signed=code in _SIGNED), at + width
    width = (_TEXTS.get(code) or _BYTES.get(code) or _LISTS.get(code) or _MAPS.get(code)) or 0
    if not width:
        raise ProtocolError(f"the frame has a value of the unknown kind 0x{code:02x}")
    length = int.from_bytes(_slice(data, at, width), "big")
    at += width
    if code in _TEXTS:
        return _text(data, at, length)
    if code in _BYTES:
        return _slice(data, at, length), at + length
    return _unpack_list(data, at, length, depth) if code in _LISTS else _unpack_map(data, at, length, depth)


def _slice(data: bytes, at: int, length: int) -> bytes:
    part = data[at : at + length]
    if len(part) != length:
        raise IndexError
    return part


def _text(data: bytes, at: int, length: int) -> tuple[str, int]:
    return _slice(data, at, length).decode(), at + length


def _unpack_list(data: bytes, at: int, length: int, depth: int) -> tuple[Wire, int]:
    items: list[Wire] = []
    for _ in range(length):  # a length that is a lie ends at the end of the data
        item, at = _unpack(data, at, depth + 1)
        items.append(item)
    return items, at


def _unpack_map(data: bytes, at: int, length: int, depth: int) -> tuple[Wire, int]:
    items: dict[str, Wire] = {}
    for _ in range(length):
        key, at = _unpack(data, at, depth + 1)
        if not isinstance(key, str) or key in items:
            raise ProtocolError("keys of a map must be text, each of them once")
        items[key], at = _unpack(data, at, depth + 1)
    return items, at
