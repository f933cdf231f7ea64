"""An actor that fails again and again: the container ends and says why, unless somebody else kills it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from actors.process.supervision import GIVE_UP
from tests.chaos.witness import find
from tests.process.site import CHECKOUT, Site

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.conftest import WaitUntil

ODD = str(CHECKOUT / "tests/process/odd_actors.py")
SOON = 30.0
"""Seconds that may pass at the very most; a dozen of restarts take twice as long."""


class Broken(Site):
    """A site whose program returns what it is told, and whose actors are odd (see ``odd_actors``)."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(path)
        self.oddities: list[str] = []
        self.config(program="exec cat")

    def scrun(self, *words: str, **streams: Any) -> subprocess.CompletedProcess[str]:
        program = str(CHECKOUT / "scrun/__main__.py")
        command = [sys.executable, "-IS", ODD, program, *self.oddities, "--", "--root", str(self.root), *words]
        streams = streams or {"stdin": subprocess.DEVNULL, "capture_output": True}
        return subprocess.run(
            command, env=self.environ, cwd=self.bundle, text=True, timeout=SOON, check=False, **streams
        )


@pytest.fixture
def broken(tmp_path: pathlib.Path) -> Iterator[Broken]:
    made = Broken(tmp_path)
    yield made
    made.scrun("delete", "--force", "x")


def explained(text: str, actor: str) -> bool:
    why = f"its {actor} process failed again and again (exit status 70)"
    return why in text and "LookupError: cannot work here" in text


@pytest.mark.parametrize("actor", ["state", "allocation"])
def test_create_fails_soon(broken: Broken, actor: str) -> None:
    broken.oddities = [actor]
    done = broken.scrun("create", "x")
    assert done.returncode == 1
    assert explained(done.stderr, actor), done.stderr
    assert done.stderr.count("\n") == 1
    assert not (broken.root / "x").exists()


@pytest.mark.parametrize(
    ("actor", "deeds"), [("stdio", [("start", "x")]), ("signals", [("start", "x"), ("kill", "x", "USR1")])]
)
def test_a_container_that_needs_it_ends_soon(
    broken: Broken, wait_until: WaitUntil, actor: str, deeds: list[tuple[str, ...]]
) -> None:
    broken.oddities = [actor]
    broken.config(program="exec sleep 1000")
    silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    assert broken.scrun("create", "x", **silent).returncode == 0
    for deed in deeds:
        broken.scrun(*deed)

    def ended() -> dict[str, str]:
        state = json.loads(broken.scrun("state", "x").stdout)
        return dict(state["annotations"]) if state["status"] == "stopped" else {}

    annotations = wait_until(ended, SOON)
    assert annotations["scrun.exit-code"] == "137"  # the program ran, and was killed
    assert explained(annotations["scrun.end-reason"], actor), annotations


@pytest.mark.parametrize("actor", ["state", "allocation", "stdio"])
def test_whatever_others_kill_is_started_again(broken: Broken, wait_until: WaitUntil, actor: str) -> None:
    broken.oddities = ["hasty"]
    (in_r, in_w), (out_r, out_w) = os.pipe(), os.pipe()
    done = broken.scrun("create", "--pid-file", str(broken.path / "pid"), "x", stdin=in_r, stdout=out_w)
    os.close(in_r)
    os.close(out_w)
    assert done.returncode == 0
    assert broken.scrun("start", "x").returncode == 0
    anchor = int((broken.path / "pid").read_text())

    killed = [0]
    for number in range(GIVE_UP + 3):
        killed.append(wait_until(lambda: (pid := find(anchor, actor)) not in killed and pid))
        os.kill(killed[-1], signal.SIGKILL)
        os.write(in_w, b"%d\n" % number)
        assert os.read(out_r, 100) == b"%d\n" % number
    os.close(in_w)
    assert os.read(out_r, 100) == b""
    os.close(out_r)
    state = wait_until(lambda: (now := json.loads(broken.scrun("state", "x").stdout))["pid"] == 0 and now)
    assert state["annotations"]["scrun.exit-code"] == "0"
