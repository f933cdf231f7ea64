"""The machine as the doctor sees it: files, commands, the caller. Nothing here judges."""

import os
import socket
import subprocess
import sys
import time
from functools import cached_property
from typing import Literal, NamedTuple

from actors.slurm.commands import environment
from actors.staging import reach
from proto.errors import SettingsError
from proto.host.paths import DEFAULT_PATH, default_root
from proto.life.settings import Settings
from scrun.cli.parsing import Line
from scrun.create import caller, settings

SECONDS = 15.0
"""How long one command may take; Slurm's own give up on a controller after 10."""


class Answer(NamedTuple):
    """What a command came to: 127 if it is not there, 124 if it took too long."""

    status: int
    text: str


class Shown(NamedTuple):
    """What ``scontrol show config`` says, in UTC, and this host's times before and after."""

    answer: Answer
    began: float
    ended: float


Keeps = Literal["yes", "no", "unknown"]

# What staging itself tries.
TRY_OWNERS = """
import os, sys
sys.path[:0] = sys.argv[1].split(os.pathsep)
from actors.staging.reach import keeps_owners
print("yes" if keeps_owners(sys.argv[2]) else "no")
"""


class Host:
    """Looks where it is told to look."""

    def __init__(self, line: Line) -> None:
        self.environ = dict(os.environ)
        self.caller = caller.find()
        self._given_conf = line.options.text("slurm-conf")
        self._given_root = line.options.text("root")

    # --- what scrun itself would find

    @cached_property
    def slurm_conf(self) -> str:
        """slurm.conf in force, or empty; a scrun.toml that cannot be used is a row of its own and names none.

        Raises:
            SettingsError: the one that is named is not there.

        """
        found = settings.slurm_conf_of(self._given_conf, self.environ)
        named = self._given_conf or self.environ.get("SLURM_CONF")
        try:
            wanted = settings.read(found, self.caller).scrun.slurm_conf
        except SettingsError:
            wanted = ""
        return settings.check_slurm_conf(wanted, "setting slurm_conf") if wanted and not named else found

    @cached_property
    def settings(self) -> Settings:
        """scrun.toml of site and user; the defaults if they cannot be read, which is a row of its own."""
        try:
            return settings.read(self.conf, self.caller, self.environ.get("SCRUN_SCHEDULER", ""))
        except SettingsError:
            return Settings()

    @property
    def conf(self) -> str:
        """slurm.conf in force, or empty, also when it is wrong."""
        try:
            return self.slurm_conf
        except SettingsError:
            return ""

    @property
    def bare_conf(self) -> str:
        """slurm.conf that ``create`` would find with an empty environment, or empty."""
        try:
            usual = settings.slurm_conf_of("", {})
            return settings.read(usual, self.caller).scrun.slurm_conf or usual
        except SettingsError:
            return ""

    @cached_property
    def shown(self) -> Shown:
        """The configuration that the controller has in force: asked for once, and only where there is Slurm."""
        began = time.time()
        environ = self.slurms_environ | {"TZ": "UTC"}
        local = self.settings.scrun.scheduler == "local"
        answer = Answer(1, "") if local else self.run("scontrol", "show", "config", environ=environ)
        return Shown(answer, began, time.time())

    @cached_property
    def slurms_version(self) -> str:
        """What Slurm's commands say of their version; empty if there are none."""
        return self.run("salloc", "--version").text

    @property
    def root(self) -> str:
        return self._given_root or default_root(self.environ)

    @property
    def launcher(self) -> str:
        """Path by which engines call scrun: of this very installation if it is in PATH, else what is likely."""
        base = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        # In a checkout the launcher is in its .venv, installed it is in the bin of the same prefix.
        beside = f"{base}/.venv/bin/scrun"
        if os.path.basename(base) == "_scrun":
            beside = os.path.normpath(f"{base}/../../../../bin/scrun")
        return beside if os.path.exists(beside) else self.find("scrun") or "/usr/local/bin/scrun"

    # --- what the machine is

    @property
    def systemd(self) -> bool:
        """Whether systemd runs this machine (sd_booted(3))."""
        return os.path.isdir("/run/systemd/system")

    @property
    def session(self) -> bool:
        """Whether systemd has an instance for the caller."""
        return self.systemd and os.path.isdir(f"/run/user/{self.caller.uid}/systemd")

    @property
    def within(self) -> tuple[str, ...]:
        """The command that runs another one as podman runs scrun: in the user's own user namespace, if there is one."""
        needed = self.caller.uid and not self.caller.namespaced and self.find("podman")
        return ("podman", "unshare") if needed else ()

    @cached_property
    def keeps_owners(self) -> Keeps:
        """Whether the staging directory takes files of other ids; tried in podman's user namespace, which has some."""
        directory = self.nearest(reach.place_of(self.settings, self.caller.home))
        words = self.python(TRY_OWNERS, directory, within=self.within).text.split()[-1:]
        return "yes" if words == ["yes"] else "no" if words == ["no"] else "unknown"

    @property
    def slurms_environ(self) -> dict[str, str]:
        """What ``create`` would give to Slurm's commands: nothing of a job that surrounds us."""
        kept = environment(caller.kept_environ(dict(os.environb), self.caller, self.conf))
        pairs = (os.fsdecode(entry).partition("=") for entry in kept)
        return {name: value for name, _, value in pairs}

    # --- files and commands

    def read(self, path: str) -> str | None:
        """The text of a file; None if it is not there or may not be read."""
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read(1 << 20)
        except OSError:
            return None

    def exists(self, path: str) -> bool:
        return os.path.exists(path)

    def readable(self, path: str) -> bool:
        """Whether the caller may read a file; for those whose contents are nobody's business."""
        return os.access(path, os.R_OK)

    def listens(self, path: str) -> bool:
        """Whether somebody answers at a Unix socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as client:
            client.settimeout(SECONDS)
            try:
                client.connect(path)
            except OSError:
                return False
        return True

    def nearest(self, directory: str) -> str:
        """A directory, or what there is of the way to it."""
        while not os.path.isdir(directory) and directory != "/":
            directory = os.path.dirname(directory)
        return directory

    def names(self, directory: str) -> list[str]:
        """The names in a directory, in order."""
        try:
            return sorted(os.listdir(directory))
        except OSError:
            return []

    def find(self, program: str) -> str:
        """Absolute path of a program in PATH or in the directories of administrators, or empty."""
        path = os.pathsep.join((self.environ.get("PATH", ""), DEFAULT_PATH))
        usable = (each for each in _in(path, program) if os.access(each, os.X_OK) and not os.path.isdir(each))
        return next(usable, "")

    def candidates(self, program: str) -> list[str]:
        """All that PATH has under a name, links to nowhere included."""
        return [path for path in _in(self.environ.get("PATH", ""), program) if os.path.lexists(path)]

    def run(
        self, *argv: str, text: str = "", environ: dict[str, str] | None = None, seconds: float = SECONDS
    ) -> Answer:
        """Run a command with a text on standard input; what it says on standard error comes with the rest.

        Args:
            argv: the command.
            text: for its standard input.
            environ: its environment, if it is not the caller's.
            seconds: after which it is killed.

        """
        if environ is None:
            environ = self.environ | {"LC_ALL": "C"} | ({"SLURM_CONF": self.conf} if self.conf else {})
            environ.pop("SLURM_JWT", None)  # as ``actors.slurm.commands`` has it
        try:
            done = subprocess.run(
                [self.find(argv[0]) or argv[0], *argv[1:]],
                input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ, timeout=seconds,
                check=False, text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
        except OSError:
            return Answer(127, "")
        except subprocess.TimeoutExpired:
            return Answer(124, "")
        return Answer(done.returncode, done.stdout)

    def python(self, program: str, *arguments: str, within: tuple[str, ...] = ()) -> Answer:
        """Run a Python program that sees what scrun sees, perhaps by another command."""
        paths = os.pathsep.join(path for path in sys.path if path)
        return self.run(*within, sys.executable, "-IS", "-c", program, paths, *arguments)


def _in(path: str, program: str) -> list[str]:
    return [f"{directory}/{program}" for directory in path.split(os.pathsep) if directory.startswith("/")]
