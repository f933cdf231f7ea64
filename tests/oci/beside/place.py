"""Where the scripts of one engine run: a directory of its user with the programs that they call, and its images."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import secrets
import shutil
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Runner

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = ("engine", "await", "clean")


class Place:
    """One engine with both runtimes; everything that a script makes has a name that begins with ``prefix``."""

    def __init__(self, engine: str, runner: Runner, runtimes: Mapping[str, str], images: Mapping[str, str]) -> None:
        self.engine = engine
        self.runner = runner
        self.runtimes = runtimes
        self.prefix = f"b{secrets.token_hex(3)}"
        self._images = images
        self._made: dict[str, concurrent.futures.Future[str]] = {}
        self._lock = threading.Lock()
        # podman says a word about the machine's mounts when a user calls it for the first time.
        assert runner([engine, "info"]).returncode == 0
        made = runner(["sh", "-c", "mktemp -d ~/beside-XXXXXX"])
        assert made.returncode == 0, made.stderr
        self.directory = pathlib.Path(made.stdout.strip())
        (self.directory / "bin").mkdir()
        for name in PROGRAMS:
            shutil.copy(HERE / name, self.directory / "bin" / name)
        self._let_in(self.directory / "bin")
        search = self.runner(["sh", "-c", "echo $PATH"]).stdout.strip()
        self.search = f"{self.directory}/bin:{search}"

    def mark(self, side: str, number: int) -> str:
        """What containers and all else of one script are named by; of one length for all."""
        return f"{self.prefix}-{list(self.runtimes).index(side)}-{number:03}"

    def workplace(self, side: str, name: str) -> pathlib.Path:
        """A fresh directory of the user; for both sides, their names have one length."""
        made = self.directory / f"{list(self.runtimes).index(side)}" / name
        made.mkdir(parents=True)
        self._let_in(made.parent)
        self._let_in(made)
        return made

    def _let_in(self, directory: pathlib.Path) -> None:
        owner = self.directory.stat()
        os.chown(directory, owner.st_uid, owner.st_gid)
        directory.chmod(0o755)

    def command(self, side: str, script: str, mark: str, workplace: pathlib.Path, image: str = "") -> list[str]:
        """The words that run a script as on one of the sides, to be given to the runner."""
        variables = {
            "PATH": self.search,
            "ENGINE": self.engine,
            "RUNTIME": self.runtimes[side],
            "C": mark,
            "IMAGE": image,
        }
        words = [f"{name}={value}" for name, value in variables.items()]
        return ["env", f"--chdir={workplace}", *words, "bash", "-c", script]

    def image(self, name: str) -> str:
        """The image of a name, which whoever asks first makes, with the reference's runtime."""
        with self._lock:
            ours = name not in self._made
            future = self._made.setdefault(name, concurrent.futures.Future())
        if ours:
            try:
                future.set_result(self._make(name))
            except BaseException as error:
                future.set_exception(error)
        return future.result()

    def _make(self, name: str) -> str:
        side, image = next(iter(self.runtimes)), f"{self.prefix}-{name}"
        workplace = self.workplace(side, f"image-{name}")
        done = self.runner(self.command(side, f"set -e\n{self._images[name]}", image, workplace, image))
        assert done.returncode == 0, f"image {name} with {self.engine}: {done.stderr}"
        return image

    def close(self) -> None:
        try:
            self.clean("--all", self.prefix)
        finally:
            # What a container made may be the user's, or one of its subordinate ids'.
            shutil.rmtree(self.directory, ignore_errors=True)

    def clean(self, *words: str) -> None:
        """Remove the containers of the scripts with these marks, or everything: see the program of that name."""
        side = next(iter(self.runtimes))
        command = self.command(side, 'exec clean "$@"', "", self.directory)
        done = self.runner([*command, "clean", *words], timeout=120)
        assert done.returncode == 0, done.stderr
