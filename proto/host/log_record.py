"""One record of a log, in runc's two formats. On the path of the hot verbs: no ``json``."""

import time

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quote(text: str) -> str:
    """A text as a JSON string (or as a quoted value of a text record)."""
    parts = [
        _ESCAPES.get(char) or (char if char.isprintable() else f"\\u{min(ord(char), 0xFFFD):04x}") for char in text
    ]
    return f'"{"".join(parts)}"'


def record(sentence: str, log_format: str, now: float, level: str = "error") -> str:
    """The record, with its line feed."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    if log_format == "json":
        return f'{{"level":"{level}","msg":{quote(sentence)},"time":"{stamp}"}}\n'
    return f'time="{stamp}" level={level} msg={quote(sentence)}\n'
