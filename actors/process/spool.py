"""Commands of Slurm by name, and what they have said: in files, so that a replaced actor can read it again."""

from actors.process.command import Command
from proto.host.paths import ContainerPaths
from proto.life.creation import Creation
from proto.life.talk import Spawn

from .effects import ToAnchor


class Spool:
    """Where the outputs of a container's commands are."""

    def __init__(self, creation: Creation) -> None:
        self.paths = ContainerPaths(creation.root, creation.id)

    def ask(self, name: str, command: Command) -> ToAnchor:
        """Have the anchor start a command for its answer, which goes to the file of its name."""
        return ToAnchor(Spawn(name, command.argv, command.env, "/", {"1": self.path(name), "2": self.path(name)}))

    def act(self, name: str, command: Command) -> ToAnchor:
        """Have the anchor start a command for what it does; its complaints go to the file of its name."""
        return ToAnchor(Spawn(name, command.argv, command.env, "/", {"2": self.path(name)}))

    def said(self, name: str) -> str:
        """What the command of that name has said."""
        return text(self.path(name))

    def path(self, name: str) -> str:
        """The file of a command's words."""
        return f"{self.paths.directory}/{name}.log"


def text(path: str) -> str:
    """What a file says; nothing if it is not there yet."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""
