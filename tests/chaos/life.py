"""One container of an engine's, from its name to the proof that nothing is left of it."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from tests.conftest import wait_until

from .ordeal import staging

if TYPE_CHECKING:
    from tests.oci.podman import Podman

LIMIT = 30.0


class Life:
    """One container of an engine's, from its name to the proof that nothing is left of it."""

    def __init__(self, engine: Podman) -> None:
        self.engine = engine
        self.name = engine.name()
        self.id = ""
        self.job = 0
        self.anchor = 0

    def options(self, *more: str) -> list[str]:
        return ["--name", self.name, *self.engine.options, *more]

    def detached(self, script: str) -> Life:
        self.engine.ok("run", "--detach", *self.options("busybox", "sh", "-c", script))
        return self.known()

    def known(self) -> Life:
        """It has been created: remember what to look for later."""
        self.id = self.engine.id(self.name)
        self.job = self.engine.job(self.id)
        assert self.job
        return self

    def says(self, word: str = "ready") -> Life:
        wait_until(lambda: word in self.engine.ok("logs", self.name), LIMIT, what=f"{word} of {self.name}")
        return self

    def wait(self) -> int:
        return int(self.engine.ok("wait", self.name))

    def running(self) -> bool:
        return self.engine.status(self.name)[0] == "running"

    def ends(self, code: int) -> None:
        """The engine knows the exit status, and removes the container."""
        assert self.wait() == code
        assert f"Exited ({code})" in self.engine.ok("ps", "--all", "--filter", f"name={self.name}")
        self.engine.ok("rm", self.name)
        self.gone()

    def gone(self) -> None:
        assert not self.engine.exists(self.name)
        wait_until(lambda: not self.left(), 15, what=f"nothing left of {self.name}; {self.left()}")

    def left(self) -> list[str]:
        places = (staging(), pathlib.Path("/root/.scrun"))
        return [*self.engine.left(self.id, self.job), *(str(p) for place in places for p in place.glob(f"{self.id}~*"))]
