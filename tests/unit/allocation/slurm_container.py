"""A container of Slurm's for tests of an actor's logic: its directory, and commands that are there and never run."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from actors.process.command import Command
from actors.process.effects import Effect, Report, ToAnchor
from actors.slurm.scheduler import Query
from actors.slurm.slurm import Slurm
from proto.life import talk
from proto.wire.registry import Message
from tests.unit.creations import creation

COMMANDS = ("salloc", "srun", "scancel", "squeue")


class SlurmContainer:
    """What the logic is given, and what Slurm's commands have said.

    Attributes:
        creation: with a state directory and a PATH below ``path``.
        scheduler: Slurm 22.05.
        job_log: where the first salloc's words are.
        step_log: where the first srun's words are.

    """

    def __init__(self, path: Path, **changes: Any) -> None:
        (path / "bin").mkdir()
        for name in COMMANDS:
            (path / "bin" / name).write_text("#!/bin/false\n")
            (path / "bin" / name).chmod(0o755)
        environ = (b"PATH=" + bytes(path / "bin"),)
        # No oci.conf is beside this slurm.conf, and root's namespace is the first one.
        conf = str(path / "slurm.conf")
        self.creation = creation(
            root=str(path), environ=environ, caller__namespaced=False, settings__scrun__slurm_conf=conf, **changes
        )
        self.scheduler = Slurm(self.creation)
        self.directory = path / self.creation.id
        self.directory.mkdir()
        self.job_log, self.step_log = str(self.directory / "job.log"), str(self.directory / "step.log")

    def say(self, name: str, text: str) -> None:
        """Let the command of that name have said this, and nothing else."""
        (self.directory / f"{name}.log").write_text(text)

    def file(self, name: str) -> str:
        """Path of the words of a command."""
        return str(self.directory / f"{name}.log")


def there(command: Command | None) -> Command:
    """The command, which Slurm always has."""
    assert command is not None
    return command


def asked(query: Query[Any] | None) -> Command:
    """The command of a question, which Slurm always answers."""
    assert query is not None
    return query.command


def reports(effects: Iterable[Effect]) -> list[Message]:
    """The facts that are reported."""
    return [effect.event for effect in effects if isinstance(effect, Report)]


def spawned(effects: Iterable[Effect]) -> dict[str, talk.Spawn]:
    """The commands that are asked for, by name."""
    messages = [effect.message for effect in effects if isinstance(effect, ToAnchor)]
    return {message.name: message for message in messages if isinstance(message, talk.Spawn)}
