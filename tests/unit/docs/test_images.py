"""docs/images.md against the code."""

import re
from typing import get_args

from actors.oci.overlay import MARKED
from actors.staging.root_file_system import Way
from tests.unit.docs import markdown

DOCUMENT = "docs/images.md"


def test_every_way_has_its_row() -> None:
    rows = markdown.table(DOCUMENT, "Four ways", "way").rows
    assert [row[0] for row in rows] == list(get_args(Way))


def test_the_names_that_no_overlay_has() -> None:
    named = re.search(r"a top directory with one of `(.*?)` in its name", markdown.flat(DOCUMENT))
    assert named is not None
    assert set(named[1].split()) == MARKED
