"""docs/console.md against the console's commands, and these against the tables of the state actor."""

from __future__ import annotations

import re

from actors.state import inspection
from actors.state.inspection.view import View
from proto.life import events as e
from proto.life.container import Container
from proto.life.journal import Record
from scrun.cli import help_text
from scrun.console import table
from scrun.console.screen import rows
from tests.unit.docs import console_page, markdown, reachable
from tests.unit.proto.strategies import CREATION

DOCS = markdown.CHECKOUT / "docs"


def test_the_page_is_made_of_the_table() -> None:
    assert console_page.page() == markdown.text(console_page.DOCUMENT)


def test_the_columns_of_the_screen_are_explained() -> None:
    cells = markdown.table(console_page.DOCUMENT, "The screen", "column").column("column")
    text = " ".join(markdown.text(console_page.DOCUMENT).partition("## Commands")[0].split())
    explained = set(re.findall(r"[A-Z/s]+", " ".join(cells))) | {"STATUS"}
    assert explained == {column.title for column in rows.COLUMNS[1:]}
    assert "`RST`" in text
    assert "`FDS`" in text
    assert set(re.findall(r"screen-(\w+)\.svg", text)) == {path.stem[7:] for path in DOCS.glob("screen-*.svg")}


def test_help_has_every_command_with_what_it_shows() -> None:
    told = table.help_text()
    for command in table.COMMANDS.values():
        assert re.search(rf"^  {command.name}\b.* {re.escape(command.summary)}$", told, re.MULTILINE)
    assert len(told.splitlines()) == len(table.COMMANDS)
    assert "scrun help console" in help_text.of_verb("console")


def test_a_table_of_the_state_actor_has_a_command_of_that_name() -> None:
    view = View(1, reachable.lives()[0], (), (Record(1.0, e.CreateBegun(CREATION)),))
    for name, make in inspection.TABLES.items():
        header = make(view, "1").header
        assert [column for column in table.COMMANDS[name].columns if column in header] == list(header)


def test_no_secret_of_a_creation_is_in_a_table() -> None:
    container = Container(creation=CREATION, argv=(b"hunter2",))
    view = View(1, container, (), (Record(1.0, e.CreateBegun(CREATION)),))
    for make in inspection.TABLES.values():
        text = str(make(view, "1"))
        assert not [word for word in ("hunter2", "/bin/true", "PATH=", "'a'") if word in text]


def test_the_readme_shows_the_columns_of_the_processes() -> None:
    readme = re.search(r"\$ scrun console .*\n(.*)", markdown.text("README.md"))
    assert readme is not None
    assert tuple(readme[1].split()) == table.COMMANDS["tree"].columns
