"""docs/conformance.md says of the rows what they say."""

from __future__ import annotations

from tests.conformance import table as conformance
from tests.oci.beside import document, table


def test_the_section_is_made_of_the_rows() -> None:
    """``python -m tests.oci.beside`` writes it."""
    text = conformance.DOCUMENT.read_text()
    assert document.document(table.read(), text) == text
