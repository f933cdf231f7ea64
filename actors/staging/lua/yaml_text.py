"""YAML for scrun.lua, by way of JSON.

Writing is done here, since PyYAML refuses strings with bytes that are no UTF-8. Reading what is not JSON is
PyYAML's, which is imported only then.
"""

import json
import re
from typing import Any

_PLAIN = re.compile(rb"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = frozenset((b"true", b"false", b"null", b"yes", b"no", b"on", b"off", b"y", b"n"))


def json_to_yaml(text: bytes) -> bytes:
    """Write a JSON text as YAML."""
    value = json.loads(text.decode("utf-8", "surrogateescape"))
    return b"\n".join(_lines(value)) + b"\n"


def yaml_to_json(text: bytes) -> bytes:
    """Write a YAML text as JSON.

    Raises:
        ValueError: it is neither JSON nor YAML.

    """
    try:
        json.loads(text)
    except ValueError:
        pass
    else:
        return text
    import yaml

    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    return json.dumps(value, ensure_ascii=False, default=str).encode()


def _lines(value: Any) -> list[bytes]:
    if isinstance(value, dict) and value:
        return [line for name, member in value.items() for line in _member(_name(name), member)]
    if isinstance(value, list) and value:
        found = []
        for member in value:
            first, *others = _lines(member)
            found += [b"- " + first, *(b"  " + line for line in others)]
        return found
    return [_scalar(value)]


def _member(name: bytes, value: Any) -> list[bytes]:
    if isinstance(value, dict | list) and value:
        return [name + b":", *(b"  " + line for line in _lines(value))]
    return [name + b": " + _scalar(value)]


def _name(name: str) -> bytes:
    plain = name.encode("utf-8", "surrogateescape")
    return plain if _PLAIN.fullmatch(plain) and plain.lower() not in _WORDS else _scalar(name)


def _scalar(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogateescape")
