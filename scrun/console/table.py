"""The commands of the console, in the order in which people are told of them."""

from . import containers, descriptors, dump, job, journal, messages, state, story, tree, wants
from .command import Command

COMMANDS: dict[str, Command] = {
    module.COMMAND.name: module.COMMAND
    for module in (containers, tree, state, job, wants, journal, story, messages, descriptors, dump)
}
