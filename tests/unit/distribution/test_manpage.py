"""The manual page tells all that the grammar has, and nothing that troff would take for a request."""

from __future__ import annotations

import re

import pytest

from actors.slurm.option_table import TABLE
from distribution import manpage
from proto import __version__
from scrun.cli.grammar import EXIT_CODES, GLOBAL, VERBS

PAGE = manpage.page()
REQUESTS = {".TH", ".SH", ".SS", ".TP", ".PP", ".RS", ".RE", ".EX", ".EE", ".B", ".nh", ".ad"}
SECTIONS = dict(re.findall(r"^\.SH (.*?)\n(.*?)(?=^\.SH |\Z)", PAGE, re.DOTALL | re.MULTILINE))


def option_rows(text: str) -> set[str]:
    """The long names in the rows of options."""
    rows = re.findall(r"^\.TP\n(.*)", text, re.MULTILINE)
    return {name.replace("\\-", "-") for row in rows for name in re.findall(r"\\fB\\-\\-([a-z\\-]+)\\fR", row)}


def test_sections_are_those_of_man_pages_in_their_order() -> None:
    assert list(SECTIONS) == [
        "NAME", "SYNOPSIS", "DESCRIPTION", "VERBS", "GLOBAL OPTIONS", "JOB OPTIONS", "ENVIRONMENT", "FILES",
        "EXIT STATUS", "EXAMPLES", "SEE ALSO",
    ]  # fmt: skip


def test_every_line_is_text_or_a_known_request() -> None:
    assert PAGE.isascii()
    assert {line.split()[0] for line in PAGE.splitlines() if line[0] in ".'"} <= REQUESTS
    assert "" not in PAGE.split("\n")[:-1]


def test_text_is_never_a_request() -> None:
    assert manpage._text(".lua\n'x'\\") == "\\&.lua\n\\(aqx\\(aq\\e\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_effective_options(verb: str) -> None:
    module, _, _, options = VERBS[verb]
    found = re.findall(rf"^\.SS {verb}\b(.*?)(?=^\.SS |\Z)", SECTIONS["VERBS"], re.DOTALL | re.MULTILINE)
    if module == "unsupported":
        assert not found
        assert verb in SECTIONS["JOB OPTIONS"]
    else:
        assert len(found) == 1
        assert option_rows(found[0]) == {name for names, _, _, text in options if text != "-" for name in names}


def test_global_options_job_options_and_statuses_are_there() -> None:
    shown = {name for names, _, _, text in GLOBAL if text != "-" for name in names}
    assert option_rows(SECTIONS["GLOBAL OPTIONS"]) == shown
    words = set(SECTIONS["JOB OPTIONS"].replace("\\-", "-").replace(",", " ").replace(".\n", " ").split())
    assert words >= {option.name for option in TABLE}
    for status in EXIT_CODES.values():
        assert f"\\fB{status}\\fR" in SECTIONS["EXIT STATUS"]


def test_values_are_shown_whole() -> None:
    assert "\\fIUID[:GID]\\fR" in PAGE
    assert "[=\\fINODES\\fR]" in PAGE


def test_the_date_is_that_of_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert manpage.page().startswith(f'.TH SCRUN 1 1970-01-02 "scrun {__version__}"')
