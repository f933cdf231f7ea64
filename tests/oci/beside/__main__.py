"""``python -m tests.oci.beside``: writes the section of docs/conformance.md anew; it runs nothing."""

from __future__ import annotations

from tests.conformance import table as conformance
from tests.oci.beside import document, table

if __name__ == "__main__":
    conformance.DOCUMENT.write_text(document.document(table.read(), conformance.DOCUMENT.read_text()))
