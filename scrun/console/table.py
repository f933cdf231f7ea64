"""The commands of the console, in the order in which people are told of them."""

from . import containers, descriptors, dump, interventions, job, journal, messages, stack, state, story, tree, wants
from .command import Command

_MODULES = (containers, tree, state, job, wants, journal, story, messages, descriptors, stack, dump)
COMMANDS: dict[str, Command] = {
    command.name: command for command in (*(module.COMMAND for module in _MODULES), *interventions.COMMANDS)
}


def help_text() -> str:
    """The commands, and what each shows."""
    names = [f"{command.name} {command.argument}".rstrip() for command in COMMANDS.values()]
    width = max(map(len, names))
    rows = zip(names, COMMANDS.values(), strict=True)
    return "".join(f"  {name:{width}}  {command.summary}\n" for name, command in rows)
