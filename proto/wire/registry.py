"""The word by which each message class goes on the wire and in the journal."""

from collections.abc import Callable
from typing import TypeVar

from proto.errors import ProtocolError
from proto.value import Value


class Message(Value):
    """Base of everything that is sent or journaled: one class for each kind."""


M = TypeVar("M", bound=type[Message])
_CLASSES: dict[str, type[Message]] = {}
_WORDS: dict[type[Message], str] = {}


def message(word: str) -> Callable[[M], M]:
    """Give a message class its word; a word is given once."""

    def register(cls: M) -> M:
        if word in _CLASSES and _CLASSES[word].__qualname__ != cls.__qualname__:
            msg = f"two messages are called {word}"
            raise TypeError(msg)
        _CLASSES[word] = cls
        _WORDS[cls] = word
        return cls

    return register


def word_of(cls: type[Message]) -> str:
    """The word of a message class."""
    return _WORDS[cls]


def class_of(word: str) -> type[Message]:
    """The message class of a word.

    Raises:
        ProtocolError: no message has that word.

    """
    try:
        return _CLASSES[word]
    except KeyError:
        msg = f"there is no message {word[:40]!r}"
        raise ProtocolError(msg) from None


def words() -> dict[str, type[Message]]:
    """All words with their classes, for documents and tests."""
    return dict(sorted(_CLASSES.items()))
