"""config.json as a file: read and written without a judgement about it; ``config_form`` has that.

By the halves of ``json`` that are in C, since ``exec`` comes this way: the package imports ``re`` for the other ones,
and takes as long as an interpreter that does nothing.
"""

from _json import encode_basestring, make_encoder, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SIZE_LIMIT = 16 << 20
_BLANKS = " \t\n\r"


class _AsJson:
    """What ``json.JSONDecoder`` tells its scanner."""

    strict = True
    object_hook = object_pairs_hook = array_hook = None
    parse_float = parse_constant = float
    parse_int = int


_scan = make_scanner(_AsJson)  # type: ignore[arg-type] # it looks at these attributes only


def parse(data: bytes) -> "Any":
    """The value in a file whose texts need not be UTF-8: other bytes become surrogates.

    Raises:
        ValueError: it is not JSON, or nested too deeply to be read.

    """
    text = data.decode("utf-8", "surrogateescape")
    bare = text.strip(_BLANKS)
    try:
        value, end = _scan(bare, 0)
        if end == len(bare):
            return value
    except StopIteration:
        pass
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    import json

    return json.loads(text)  # says what is wrong with it, and where


def encode(value: "Any") -> bytes:
    """JSON of one line; texts need not be UTF-8."""
    encoder = make_encoder(None, _unknown, encode_basestring, None, ":", ",", False, False, False)
    return "".join(encoder(value, 0)).encode("utf-8", "surrogateescape")


def _unknown(value: object) -> "Any":
    raise TypeError(f"{type(value).__name__} is nothing of JSON's")


def read(path: str) -> "Any":
    """The value in a file.

    Raises:
        OSError: it cannot be read.
        ValueError: see ``parse``.

    """
    with open(path, "rb") as file:
        return parse(file.read())
