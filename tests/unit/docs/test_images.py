"""docs/images.md against the code."""

from typing import get_args

from actors.staging.root_plan import Way
from tests.unit.docs import markdown

DOCUMENT = "docs/images.md"


def test_every_way_has_its_row() -> None:
    rows = markdown.table(DOCUMENT, "Five ways", "way").rows
    assert [row[0] for row in rows] == list(get_args(Way))
