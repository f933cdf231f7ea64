"""The papers beside README name files that are there."""

from __future__ import annotations

import pathlib
import re

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
PLACE = re.compile(r"[`(]((?:actors|distribution|docs|proto|scrun|tests)/[\w./]+)[`)#]")


@pytest.mark.parametrize("paper", ["CONTRIBUTING.md", "SECURITY.md"])
def test_what_is_named_is_there(paper: str) -> None:
    places = PLACE.findall((CHECKOUT / paper).read_text())
    assert len(places) > 10
    assert [place for place in places if not (CHECKOUT / place).exists()] == []
