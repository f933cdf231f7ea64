"""config.json as a file: read without a judgement about it; ``config_form`` has that."""

import json
from typing import Any


def parse(data: bytes) -> Any:
    """The value in a file whose texts need not be UTF-8: other bytes become surrogates.

    Raises:
        ValueError: it is not JSON, or nested too deeply to be read.

    """
    try:
        return json.loads(data.decode("utf-8", "surrogateescape"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read(path: str) -> Any:
    """The value in a file.

    Raises:
        OSError: it cannot be read.
        ValueError: see ``parse``.

    """
    with open(path, "rb") as file:
        return parse(file.read())
