"""docs/performance.md is what the bench has measured, and says what can be seen in its numbers."""

import json

from tests.bench import page


def test_page_and_picture_are_those_of_the_kept_numbers() -> None:
    text, svg = page.draw(page.DATA.read_text(encoding="utf-8"))
    assert page.PAGE.read_text(encoding="utf-8") == text
    assert page.PICTURE.read_text(encoding="utf-8") == svg


def test_every_row_with_values_has_its_line() -> None:
    rows = json.loads(page.DATA.read_text(encoding="utf-8"))["rows"]
    text = page.PAGE.read_text(encoding="utf-8")
    assert rows
    for row in rows:
        assert not row["values"] or f"{row['what'].strip()}" in text
