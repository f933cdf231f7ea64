"""docs/engine-options.md against what the machine's podman and docker call their options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.unit.docs import markdown

if TYPE_CHECKING:
    from tests.oci.podman import Podman

PAGE = markdown.table("docs/engine-options.md", "podman run and docker run", "option")
ENGINES = re.compile(r"both$|(podman|docker)(, (podman|docker) \d+)?$|(podman|docker) \d+$")
KINDS = {"works", "node's", "refused", "engine's", "limit"}


def test_every_option_of_the_engine_has_a_row(engine: Podman) -> None:
    said = engine.ok("run", "--help")
    there = set(re.findall(r"^ +(?:-\w, )?--([\w-]+)", said, re.MULTILINE))
    assert len(there) > 80
    name = engine.command.rpartition("/")[2]
    rows = {option: of for options, of, _, _ in PAGE.rows for option in markdown.spans(options)}
    assert there - set(rows) == set()
    # "podman, docker 28": docker's only since then; an older one has none, and a newer one may be here.
    assert {option for option in there if not re.match(rf"both|(.*, )?{name}\b", rows[option])} == set()
    old = {option for option, of in rows.items() if of == "both" or of.split(", ")[0] == name}
    assert old - there == set(), f"{name} has no such options (any more)"


def test_an_option_has_one_row_and_a_kind() -> None:
    options = [option for row in PAGE.rows for option in markdown.spans(row[0])]
    assert sorted(options) == sorted(set(options))
    assert {row[2] for row in PAGE.rows} == KINDS
    assert all(ENGINES.match(row[1]) and row[3] for row in PAGE.rows)
