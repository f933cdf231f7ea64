"""Classes to msgpack's plain values and back, with the check derived from the class.

A ``Value`` travels as a map of its fields. Going out needs no check: the type checker did it. Coming in,
every field is checked against its annotation, so that a frame can name a wrong type but never carry it further
than this module. Known shapes: ``bool int float str bytes``, ``Literal`` of strings, ``X | None``,
``tuple[X, ...]``, ``tuple[X, Y]``, ``dict[str, X]`` and nested values.
"""

import types
from collections.abc import Callable
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from proto.errors import ProtocolError
from proto.value import Value, as_dict, has_default

T = TypeVar("T")
Reader = Callable[[object, str], Any]


def to_plain(value: object) -> object:
    """Return ``value`` as msgpack's types: values become maps, tuples lists."""
    if isinstance(value, Value):
        return {name: to_plain(item) for name, item in as_dict(value).items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return value


def from_plain(cls: type[T], plain: object) -> T:
    """Return an instance of ``cls`` made of a map of its fields.

    Unknown keys are ignored, so that an older reader understands a newer writer; a missing key takes the
    field's default.

    Raises:
        ProtocolError: a field is missing or has the wrong type; the sentence names it.

    """
    made: T = _reader(cls)(plain, cls.__name__)  # type: ignore[arg-type]
    return made


def _wrong(place: str, wanted: str, value: object) -> ProtocolError:
    return ProtocolError(f"{place}: {wanted} expected, got {type(value).__name__}")


def _scalar(kind: type) -> Reader:
    def read(value: object, place: str) -> object:
        # bool is an int to isinstance, and an int may stand where a float is meant
        if type(value) is kind or (kind is float and type(value) is int):
            return value
        raise _wrong(place, kind.__name__, value)

    return read


def _literal(choices: tuple[object, ...]) -> Reader:
    def read(value: object, place: str) -> object:
        if value in choices:
            return value
        raise _wrong(place, f"one of {choices}", value)

    return read


def _optional(inner: Reader) -> Reader:
    return lambda value, place: None if value is None else inner(value, place)


def _sequence(inner: Reader) -> Reader:
    def read(value: object, place: str) -> object:
        if isinstance(value, list | tuple):
            return tuple(inner(item, place) for item in value)
        raise _wrong(place, "list", value)

    return read


def _record(inners: tuple[Reader, ...]) -> Reader:
    def read(value: object, place: str) -> object:
        if isinstance(value, list | tuple) and len(value) == len(inners):
            return tuple(inner(item, place) for inner, item in zip(inners, value, strict=True))
        raise _wrong(place, f"list of {len(inners)}", value)

    return read


def _mapping(inner: Reader) -> Reader:
    def read(value: object, place: str) -> object:
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {key: inner(item, f"{place}.{key}") for key, item in value.items()}
        raise _wrong(place, "map", value)

    return read


def _instance(cls: type[Value]) -> Reader:
    hints = get_type_hints(cls)
    readers = {name: _reader(hints[name]) for name in cls.__fields__}

    def read(value: object, place: str) -> object:
        if not isinstance(value, dict):
            raise _wrong(place, "map", value)
        made = {}
        for name, reader in readers.items():
            if name in value:
                made[name] = reader(value[name], f"{place}.{name}")
            elif not has_default(cls, name):
                msg = f"{place}.{name} is missing"
                raise ProtocolError(msg)
        return cls(**made)

    return read


@cache
def _reader(hint: Any) -> Reader:
    origin, args = get_origin(hint), get_args(hint)
    if hint in {bool, int, float, str, bytes}:
        return _scalar(hint)
    if origin is Literal:
        return _literal(args)
    if origin in {Union, types.UnionType}:
        (inner,) = (arg for arg in args if arg is not type(None))
        return _optional(_reader(inner))
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return _sequence(_reader(args[0]))
        return _record(tuple(_reader(arg) for arg in args))
    if origin is dict:
        return _mapping(_reader(args[1]))
    if isinstance(hint, type) and issubclass(hint, Value):
        return _instance(hint)
    msg = f"no wire form for {hint!r}"
    raise TypeError(msg)
