"""docs/options.md against the table of job options; the examples of README.md, too."""

from __future__ import annotations

import re

from actors.slurm.amounts import SIZES, TIMES
from actors.slurm.not_options import REASONS
from actors.slurm.option_lists import LISTS
from actors.slurm.option_table import (
    ALIASES,
    ALLOCATION,
    BOTH,
    BY_NAME,
    EXTRA_VARIABLES,
    JOB,
    PLACE,
    STEP,
    TABLE,
    VALUE,
    Option,
)
from scrun.create.creating import ANNOTATIONS_OF_STAGING
from tests.unit.docs import markdown

DOCUMENT = "docs/options.md"
OPTIONS = markdown.table(DOCUMENT, "The options", "option")
WHERE = {
    JOB: "job",
    STEP: "step",
    BOTH: "job and step",
    PLACE: "job; step in a foreign allocation",
    ALLOCATION: "in which allocation",
}


def quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def versions(option: Option) -> str:
    since, until = (f"{year}.{month:02}" for year, month in (option.since, option.until))
    if option.until < (9999, 0):
        assert option.since == (0, 0)
        return f"up to {until}, then ignored"
    return f"from {since}" if option.since > (0, 0) else "any"


def variables(option: Option) -> tuple[str, ...]:
    """In the order in which they win."""
    return (*option.variables, *(name for name, of in EXTRA_VARIABLES.items() if of == option.name))


def test_every_option_has_its_row_and_nothing_else_has() -> None:
    expected = [
        (
            f"`{option.name}`",
            quoted(option.aliases),
            quoted(variables(option)),
            option.kind,
            WHERE[option.where],
            versions(option),
        )
        for option in TABLE
    ]
    assert OPTIONS.header == ("option", "other names", "variables", "kind", "applies to", "Slurm")
    assert list(OPTIONS.rows) == expected


def test_the_kinds_are_explained() -> None:
    explained = set(re.findall(r"\*(\w+)\*: ", markdown.flat(DOCUMENT)))
    assert explained == {option.kind for option in TABLE} - {VALUE}


def test_the_signs_for_commas() -> None:
    rows = markdown.table(DOCUMENT, "Lists", "sign").rows
    assert {("".join(markdown.spans(signs)), *markdown.spans(names)) for signs, names in rows} == {
        (signs, *sorted(name for name, of in LISTS.items() if of == signs)) for signs in LISTS.values()
    }


def test_what_is_no_option() -> None:
    rows = markdown.table(DOCUMENT, "What is no option", "option").rows
    assert {name: why for names, why in rows for name in markdown.spans(names)} == REASONS


def test_what_has_a_most() -> None:
    sentence = re.search(r"The most can be said of times \((.*?)\), sizes \((.*?)\)", markdown.flat(DOCUMENT))
    assert sentence is not None
    assert markdown.spans(sentence[1]) == sorted(TIMES)
    assert markdown.spans(sentence[2]) == sorted(SIZES)


def test_the_examples_are_options() -> None:
    for document in markdown.DOCUMENTS:
        annotations = re.findall(r"--annotation scrun\.([\w-]+)=", markdown.text(document))
        for name in annotations:
            known = name in BY_NAME or name in ALIASES or name in ANNOTATIONS_OF_STAGING
            assert known != (name == "partion"), f"{document}: {name}"  # the one that is misspelt on purpose
