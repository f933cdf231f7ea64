"""An installation in which one actor cannot start: the container ends soon, and says why."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import WaitUntil

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SOON = 30.0
"""Seconds that may pass at the very most; a dozen of restarts take twice as long."""


class Broken:
    """A checkout and a bundle of its own."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.root = path / "root"
        for folder in ("proto", "actors", "scrun"):
            shutil.copytree(CHECKOUT / folder, path / folder)
        (path / ".venv").symlink_to(CHECKOUT / ".venv")
        (path / "rootfs/bin").mkdir(parents=True)
        shutil.copy("/bin/busybox", path / "rootfs/bin/busybox")
        process = {"cwd": "/", "args": ["/bin/busybox", "true"], "env": ["PATH=/bin"]}
        config = {"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "process": process}
        (path / "config.json").write_text(json.dumps(config))

    def break_(self, actor: str) -> None:
        with (self.path / f"actors/{actor}/actor.py").open("a") as source:
            source.write("\n\ndef main(begin, channel):\n    raise LookupError('cannot work here')\n")

    def scrun(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-IS", str(self.path / "scrun/__main__.py"), "--root", str(self.root), *words]
        return subprocess.run(
            command, env={"SCRUN_SCHEDULER": "local"}, cwd=self.path, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=SOON, check=False,
        )  # fmt: skip


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
    broken.break_(actor)
    done = broken.scrun("create", "x")
    assert done.returncode == 1
    assert explained(done.stderr, actor), done.stderr
    assert done.stderr.count("\n") == 1
    assert not (broken.root / "x").exists()


@pytest.mark.parametrize("actor", ["stdio", "signals"])
def test_a_container_that_is_created_without_it_ends_soon(broken: Broken, wait_until: WaitUntil, actor: str) -> None:
    broken.break_(actor)
    done = broken.scrun("create", "x")
    if done.returncode:
        assert explained(done.stderr, actor), done.stderr
        return

    def ended() -> dict[str, str]:
        state = json.loads(broken.scrun("state", "x").stdout)
        return dict(state["annotations"]) if state["status"] == "stopped" else {}

    annotations = wait_until(ended, SOON)
    assert annotations["scrun.exit-code"] == "70"
    assert explained(annotations["scrun.end-reason"], actor), annotations
