"""The tables of ``docs/console.md``, made of commands and keys: ``python -m tests.unit.docs.console_page``."""

from __future__ import annotations

from scrun.cli import grammar
from scrun.console.screen.keys import KEYS, OTHERS
from scrun.console.table import COMMANDS
from tests.conformance.table import replace
from tests.unit.docs import markdown

DOCUMENT = "docs/console.md"


def page() -> str:
    """The document with its tables made anew."""
    return replace(replace(markdown.text(DOCUMENT), "commands", _commands()), "keys", _keys())


def _commands() -> str:
    lines = ["| command | columns | what it shows | read it like this |", "|---|---|---|---|"]
    for command in COMMANDS.values():
        call = f"`{command.name} {command.argument}".rstrip() + "`"
        cells = (call, ", ".join(command.columns), _options(command.summary), command.reading)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _keys() -> str:
    lines = ["| key | what it does |", "|---|---|"]
    lines += [f"| {' '.join(f'`{word}`' for word in key.split())} | {text} |" for key, text in OTHERS.items()]
    for key in KEYS:
        asked = "".join(f", after a question for its {word.upper()}" for word in key.wants if word != "actor")
        lines.append(f"| `{key.key}` | `{key.command}`{' of an actor' if key.of_actor else ''}{asked} |")
    return "\n".join(lines)


def _options(text: str) -> str:
    for names, *_ in grammar.VERBS["console"][3]:
        text = text.replace(f"--{names[0]}", f"`--{names[0]}`")
    return text


if __name__ == "__main__":
    (markdown.CHECKOUT / DOCUMENT).write_text(page(), encoding="utf-8")
