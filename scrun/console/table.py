"""The commands of the console, in the order in which people are told of them."""

from . import containers, descriptors, dump, interventions, job, journal, messages, stack, state, story, tree, wants
from .command import Command

_MODULES = (containers, tree, state, job, wants, journal, story, messages, descriptors, stack, dump)
COMMANDS: dict[str, Command] = {
    command.name: command for command in (*(module.COMMAND for module in _MODULES), *interventions.COMMANDS)
}
