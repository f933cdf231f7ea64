"""What must not leave this host in a bug report: words that are looked for in its text, whoever has put them there.

Everything that goes into a report leaves out arguments, environment and annotations by itself. This is for what quotes
them: a sentence of the log, the reason of an end.
"""

import json
import re
from collections.abc import Iterable, Iterator

from proto.life.creation import Creation

LEAST = 8
"""Characters that a word must have: shorter ones are in every text by chance."""
MARK = "<redacted>"


def secrets(config: object, creation: Creation | None, container_id: str) -> frozenset[str]:
    """The words that may be secret, of config.json and of what ``create`` found out.

    Args:
        config: config.json as it was read; anything, if it could not be.
        creation: the container's.
        container_id: is no secret, although a host name may be made of it.

    """
    values = [*_of_config(config)]
    if creation is not None:
        values += [arg.decode(errors="replace") for arg in creation.args]
        values += [entry.partition(b"=")[2].decode(errors="replace") for entry in creation.environ]
        values += creation.annotations.values()
    found = {word for value in values for word in (value, *re.split(r"[\s=]+", value))}
    found |= {json.dumps(word)[1:-1] for word in found}
    return frozenset(word for word in found if len(word) >= LEAST and word not in container_id)


def redacted(text: str, words: Iterable[str]) -> str:
    """The text with a mark in place of each of the words, the longest first: one may be part of another."""
    ordered = sorted(words, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, ordered)), MARK, text) if ordered else text


def _of_config(config: object) -> Iterator[str]:
    if not isinstance(config, dict):
        return
    process = config.get("process")
    if isinstance(process, dict):
        yield from _texts(process.get("args"))
        yield from (entry.partition("=")[2] for entry in _texts(process.get("env")))
    annotations = config.get("annotations")
    if isinstance(annotations, dict):
        yield from _texts(list(annotations.values()))


def _texts(values: object) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
