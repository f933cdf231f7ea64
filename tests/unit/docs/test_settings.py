"""docs/install.md against the keys of scrun.toml, their defaults and their words."""

from __future__ import annotations

import re
import tomllib
import typing

import pytest

from proto.life.settings import HOOK_RULES, BindRule, HookRule, Settings
from scrun.create import settings
from scrun.doctor import sessions
from tests.unit.docs import markdown

SECTION = "4. scrun.toml, if a default does not fit"
TEXT = markdown.text("docs/install.md")
TABLE = markdown.table("docs/install.md", SECTION, "section")


def rows() -> dict[tuple[str, str], tuple[str, str]]:
    """Section and key to default and meaning; a section is named in its first row."""
    found, section = {}, ""
    for first, key, default, meaning in TABLE.rows:
        section = first.strip("`[]") or section
        assert (section, key) not in found
        found[section, key.strip("`")] = (default, meaning)
    return found


ROWS = rows()
EVERY = {(section, key): kind for section, of in settings.SECTIONS.items() for key, kind in of.__annotations__.items()}
TABLES = {("staging", "binds")}
KEYS = {key: kind for key, kind in EVERY.items() if key not in TABLES}
OPEN_ROWS = {
    ("staging.binds", "a path prefix"): typing.get_args(BindRule),
    ("hooks", "a pattern"): typing.get_args(HookRule),
    ("job", "a [job option](options.md)"): (),
    ("forced", "a job option"): (),
    ("limits", "a job option"): (),
}


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return str(list(value))
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


def test_every_key_has_its_row_in_the_order_of_the_code_and_nothing_else_has() -> None:
    assert [row for row in ROWS if row not in OPEN_ROWS] == list(KEYS)
    assert [row for row in ROWS if row in OPEN_ROWS] == list(OPEN_ROWS)
    assert {section.partition(".")[0] for section, _ in OPEN_ROWS} == {*settings.OPEN, "staging"}
    assert {key for key, kind in EVERY.items() if typing.get_origin(kind) is tuple} == {*TABLES, ("staging", "images")}


@pytest.mark.parametrize("key", KEYS, ids=".".join)
def test_a_row_has_the_default_the_unit_and_the_words(key: tuple[str, str]) -> None:
    section, name = key
    default, meaning = ROWS[key]
    assert default == f"`{toml(getattr(getattr(Settings(), section), name))}`"
    assert ("seconds" in meaning) == (KEYS[key] is float)
    if words := {word for word in typing.get_args(KEYS[key]) if isinstance(word, str)}:
        assert words <= set(markdown.spans(meaning))
        assert set(re.findall(r"`(\w+)`: ", meaning)) <= words


@pytest.mark.parametrize("key", OPEN_ROWS, ids=".".join)
def test_a_section_with_names_of_its_own_has_its_words(key: tuple[str, str]) -> None:
    assert tuple(markdown.spans(ROWS[key][1])) == OPEN_ROWS[key]


def test_the_hooks_that_are_skipped() -> None:
    sentence = re.search(
        r"Hooks run on the login host\. (.*?) are skipped by default", markdown.flat("docs/install.md")
    )
    assert sentence is not None
    assert markdown.spans(sentence[1]) == [pattern for pattern, rule in HOOK_RULES if rule == "skip"]


def test_settings_named_elsewhere_exist() -> None:
    """``key = value`` in backticks, wherever it stands without a section of another program's file."""
    known = {key for _, key in KEYS}
    for document in (*markdown.DOCUMENTS, "CHANGELOG.md"):
        for block in re.findall(r"```toml\n\[(?:scrun|staging)\]\n(.*?)```", markdown.text(document), re.DOTALL):
            names = set(re.findall(r"^(\w+) =", block.partition("\n[")[0], re.MULTILINE))
            assert names
            assert names <= known


# --- containers.conf -----------------------------------------------------------------------------------------

CONTAINERS_CONF = "3. containers.conf, on the login hosts"


def test_the_lines_of_containers_conf_have_a_reason() -> None:
    block = re.search(r"```toml\n(\[containers\]\n.*?)```", TEXT, re.DOTALL)
    assert block is not None
    conf = tomllib.loads(block[1])
    lines = [*conf["containers"], *conf["engine"]]
    lines.remove("runtimes")
    rows = markdown.table("docs/install.md", CONTAINERS_CONF, "line").column("line")
    assert [cell.strip("`") for cell in rows] == lines


def test_what_containers_conf_must_not_say() -> None:
    """What the doctor warns of, of all values that these two keys can have."""
    values = {"events_logger": ("file", "journald", "none"), "cgroup_manager": ("cgroupfs", "systemd")}
    warned = {
        ("with systemd" if systemd else "without systemd", f'`{key} = "{value}"`')
        for systemd in (True, False)
        for key, choices in values.items()
        for value in choices
        if sessions.judge_podman({key: value}, {}, "", systemd=systemd, session=systemd).level != "ok"
    }
    rows = markdown.table("docs/install.md", CONTAINERS_CONF, "the host").rows
    assert sorted(row[:2] for row in rows) == sorted(warned)
