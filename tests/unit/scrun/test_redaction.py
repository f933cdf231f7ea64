"""What a bug report must not have in it: planted everywhere, and looked for."""

from __future__ import annotations

import pytest

from scrun.console.redaction import redacted, secrets
from tests.unit.creations import creation

CONFIG = {
    "process": {
        "args": ["sh", "-c", "login --password=argument-one two-argument"],
        "env": ["TOKEN=environment", "HOSTNAME=0123456789ab", "SHORT=abc", 'QUOTED=say "hello" loudly', "NOTHING"],
    },
    "annotations": {"a": "annotation", "b": ""},
}
ID = "0123456789abcdef"
FOUND = secrets(CONFIG, creation(args=(b"created-argument",), environ=(b"SLURM_JWT=created-token",)), ID)


@pytest.mark.parametrize(
    "secret",
    [
        "argument-one", "two-argument", "environment", "annotation", 'say "hello" loudly', r"say \"hello\" loudly",
        "created-argument", "created-token",
    ],
)  # fmt: skip
def test_a_secret_is_found_wherever_it_stands(secret: str) -> None:
    assert redacted(f"before {secret}, '{secret}'.", FOUND) == "before <redacted>, '<redacted>'."


@pytest.mark.parametrize("word", [ID, "0123456789ab", "abc", "sh", "process"])
def test_what_is_no_secret_stays(word: str) -> None:
    assert redacted(f"x {word} y", FOUND) == f"x {word} y"


@pytest.mark.parametrize(
    "config", [None, [], {"process": 7}, {"process": {"args": "x" * 9, "env": [5]}, "annotations": []}]
)
def test_a_config_of_any_form(config: object) -> None:
    assert secrets(config, None, ID) == frozenset()
    assert redacted("text", ()) == "text"
