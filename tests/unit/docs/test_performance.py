"""docs/performance.md is what the bench has measured, and says what can be seen in its numbers."""

import json
import pathlib

import pytest

from tests.bench import page


def test_page_and_picture_are_those_of_the_kept_numbers() -> None:
    text, svg = page.draw(page.DATA.read_text(encoding="utf-8"), page.PEER.read_text(encoding="utf-8"))
    assert page.PAGE.read_text(encoding="utf-8") == text
    assert page.PICTURE.read_text(encoding="utf-8") == svg


@pytest.mark.parametrize("data", [page.DATA, page.PEER], ids=lambda path: path.name)
def test_every_row_with_values_has_its_line(data: pathlib.Path) -> None:
    rows = json.loads(data.read_text(encoding="utf-8"))["rows"]
    text = page.PAGE.read_text(encoding="utf-8")
    assert rows
    for row in rows:
        assert not row["values"] or f"{row['what'].strip()}" in text
