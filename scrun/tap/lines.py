"""A message of the tap, or a gap, as one line: JSON for programs, or text for people. Pure."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from proto.value import as_dict

from .hearing import Gap

Body = dict[str, Any]

SHORT = 12
"""Characters of a container's id, as engines shorten it."""
DULL = frozenset({
    "bundle", "code", "created", "numbers", "owner", "processes", "request", "retry", "rootfs",
    "scrun.end", "scrun.end-reason", "scrun.exit-code",
})  # fmt: skip
"""Data that says little on a line for people, or what the line says already."""
SENTENCES = {
    "slow": "lost {lost} of {layer}: this listener was too slow",
    "replaced": "another process speaks: what was said since the last line may be lost",
    "unheard": "the container came and went, and nothing was heard of it",
}


def gap_body(gap: Gap, container: str, incarnation: int, now: float) -> Body:
    """A gap in the form of a message."""
    return {"container": container, "incarnation": incarnation, "time": now, "data": as_dict(gap)}


def as_json(topic: str, body: Body) -> str:
    """An object with all that the message has."""
    return json.dumps({"topic": topic, **body}, default=_plain)


def as_text(topic: str, body: Body) -> str:
    """Time, container, topic, and the data that is not empty."""
    return f"{clock(body['time'])}  {body['container'][:SHORT]:{SHORT}}  {said(topic, body['data'])}"


def clock(moment: float) -> str:
    """A moment of today, to the millisecond."""
    seconds, fraction = divmod(moment, 1)
    return f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{int(fraction * 1000):03}"


def said(topic: str, data: Body) -> str:
    """Topic, and the data that is not empty."""
    words = SENTENCES[data["why"]].format(**data) if topic == "gap" else " ".join(_words(data))
    return f"{topic}  {words}".rstrip()


FORMATS: dict[str, Callable[[str, Body], str]] = {"json": as_json, "text": as_text}


def _words(data: Body) -> Iterator[str]:
    """``key=value``; of maps within the data their entries."""
    for key, value in data.items():
        if key in DULL or (value in (None, "", 0, [], {}) and key != "exit_code"):  # False is 0, too
            continue
        if isinstance(value, dict):
            yield from _words(value)
        else:
            yield f"{key.removeprefix('scrun.')}={_quoted(_plain(value) if isinstance(value, bytes) else str(value))}"


def _quoted(text: str) -> str:
    """In quotes if it has blanks, or what a terminal would obey."""
    return text if text.isprintable() and " " not in text else json.dumps(text)


def _plain(value: object) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
