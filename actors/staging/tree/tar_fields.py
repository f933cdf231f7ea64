"""The fields of a tar's headers, old and extended: numbers, names, times. Each is bounded, or an error says so."""

from proto.errors import StagingError

_DIGITS = 9
BILLION = 1_000_000_000
"""Nanoseconds of a second."""


def given(extended: dict[bytes, bytes], key: bytes, field: bytes, bound: int) -> int:
    """Read a number of the extended header, or else of the old one's field; below a bound."""
    value = decimal(extended[key]) if key in extended else number(field)
    if not 0 <= value < bound:
        raise strange("a number")
    return value


def records(header: bytes) -> dict[bytes, bytes]:
    """Read an extended header: a length, a space, a key, ``=``, the value and a line's end; the length counts all."""
    found = {}
    at = 0
    while at < len(header):
        word, space, _ = header[at : at + 20].partition(b" ")
        end = at + decimal(word)
        record = header[at + len(word) + 1 : end]
        key, equals, value = record.partition(b"=")
        if not space or end > len(header) or not equals or not value.endswith(b"\n"):
            raise strange("an extended header")
        found[key] = value[:-1]
        at = end
    return found


def text(field: bytes) -> bytes:
    """Read a name, which ends with a NUL or with its field."""
    return field.partition(b"\0")[0]


def number(field: bytes) -> int:
    """Read a number: octal digits, or, where they do not suffice, GNU's binary form."""
    if field[:1] in {b"\x80", b"\xff"}:
        return int.from_bytes(field[1:], "big", signed=field[:1] == b"\xff")
    digits = text(field).strip(b" ")
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        raise broken() from None


def decimal(word: bytes) -> int:
    """Read a number of an extended header."""
    if not word.isdigit() or len(word) > 20:
        raise strange("a number")
    return int(word)


def nanoseconds(word: bytes) -> int:
    """Read a time, seconds with a fraction of any length."""
    sign = -1 if word.startswith(b"-") else 1
    seconds, _, fraction = word.removeprefix(b"-").partition(b".")
    return sign * (decimal(seconds) * BILLION + decimal(fraction[:_DIGITS].ljust(_DIGITS, b"0")))


def verify(header: bytes) -> None:
    """Compare a header with its checksum, which takes its own field for spaces."""
    if number(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
        raise broken()


def broken() -> StagingError:
    """Say that the archive ends too early, or was never one."""
    return StagingError("the archive of the container's changes is not complete")


def strange(what: str) -> StagingError:
    """Say that something in the archive is not understood."""
    return StagingError(f"the archive of the container's changes has {what} that scrun does not read")
