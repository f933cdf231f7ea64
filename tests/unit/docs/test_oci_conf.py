"""docs/oci-conf.md against the tests that set each key and each pattern."""

from __future__ import annotations

from actors.slurm.oci_conf import OTHERS, STARTS, parse
from actors.slurm.oci_faults import fault
from proto.value import replace
from tests.slurm import test_oci_conf_keys as keys
from tests.unit.docs import markdown

DOCUMENT = "docs/oci-conf.md"


def test_every_key_has_its_row() -> None:
    rows = [markdown.spans(cell)[0] for cell in markdown.table(DOCUMENT, "Keys", "key").column("key")]
    tried = {name.partition("=")[0].partition(" ")[0] for name in keys.CASES}
    assert rows == sorted({*tried, *OTHERS, *STARTS, "SrunPath", "SrunArgs"})


def test_what_is_said_to_be_nothing_is_tried() -> None:
    table = markdown.table(DOCUMENT, "Keys", "key")
    nothing = {markdown.spans(key)[0] for key, becomes in table.rows if becomes.startswith("nothing")}
    assert nothing <= {name.partition("=")[0] for name in keys.CASES}


def test_every_pattern_has_its_row() -> None:
    rows = [markdown.spans(cell)[0] for cell in markdown.table(DOCUMENT, "Patterns", "pattern").column("pattern")]
    assert set(rows) == set(keys.PATTERNS)
    assert len(rows) == len(keys.PATTERNS)


def test_what_is_refused_is_refused() -> None:
    refused = [row for row in markdown.table(DOCUMENT, "Runtimes", "form").rows if row[1].startswith("refused")]
    assert len(refused) == 2
    whole = parse("".join(f"{key}=crun %n\n" for key in ("RunTimeQuery", "RunTimeKill", "RunTimeDelete")))

    def with_line(key: str, value: str) -> str:
        return fault(replace(whole, runtime_lines={**whole.runtime_lines, key: value}), (26, 5))

    assert not with_line("RunTimeRun", "crun run %b")
    assert with_line("RunTimeCreate", "crun create %b")
    assert with_line("RunTimeRun", "singularity exec --userns %r %@")
