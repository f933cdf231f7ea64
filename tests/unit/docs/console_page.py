"""The table in ``docs/console.md``, made of the console's commands: ``python -m tests.unit.docs.console_page``."""

from __future__ import annotations

from scrun.cli import grammar
from scrun.console.table import COMMANDS
from tests.conformance.table import replace
from tests.unit.docs import markdown

DOCUMENT = "docs/console.md"


def page() -> str:
    """The document with its table made anew."""
    lines = ["| command | columns | what it shows | read it like this |", "|---|---|---|---|"]
    for command in COMMANDS.values():
        call = f"`{command.name} {command.argument}".rstrip() + "`"
        cells = (call, ", ".join(command.columns), _options(command.summary), command.reading)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return replace(markdown.text(DOCUMENT), "commands", "\n".join(lines))


def _options(text: str) -> str:
    for names, *_ in grammar.VERBS["console"][3]:
        text = text.replace(f"--{names[0]}", f"`--{names[0]}`")
    return text


if __name__ == "__main__":
    (markdown.CHECKOUT / DOCUMENT).write_text(page(), encoding="utf-8")
