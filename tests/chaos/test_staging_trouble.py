"""The place where bundles are staged is full, or cannot be written: it is said, and the exit status stays."""

from __future__ import annotations

import contextlib
import pathlib
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from .ordeal import echo, forget, nothing_left, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.slurm.runtime import Box, Runtime

    from .conftest import Chaos


def directory(runtime: Runtime, name: str) -> pathlib.Path:
    path = runtime.directory / name
    assert runtime.runner(["mkdir", "-m", "700", str(path)]).returncode == 0
    return path


@contextlib.contextmanager
def small(path: pathlib.Path, size: str) -> Iterator[None]:
    """A file system that is soon full, at a directory of the user's."""
    status = path.stat()
    options = f"size={size},mode=0700,uid={status.st_uid},gid={status.st_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


def site(runtime: Runtime, path: pathlib.Path) -> dict[str, str]:
    return runtime.site(f'[staging]\nmode = "copy"\ndirectory = "{path}"\n')


def refused(runtime: Runtime, box: Box) -> str:
    sentence = runtime.failed(runtime.creating[box.id].wait(60), "", read(box))
    forget(runtime, box)
    nothing_left(runtime, box.id, 0)
    return sentence


def test_it_is_full_at_the_beginning(runtime: Runtime, chaos: Chaos) -> None:
    place = directory(runtime, "staging")
    with small(place, "256k"):
        box = runtime.begin("/bin/true", id="full", environ=site(runtime, place))
        sentence = refused(runtime, box)
        assert sentence.endswith(f"cannot be copied to {place}/cache: the file system is full")
        assert not list(place.glob("*full~*"))
        subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)
        runtime.box("/bin/true", id="again", environ=site(runtime, place))
        runtime.ok("delete", "again")
        assert not list(place.glob("*again~*"))
    chaos.figures["cases"] += 2


@pytest.mark.parametrize("mode", ["copy", "overlay", "overlays"])
def test_the_changes_do_not_fit_at_the_end(
    runtime: Runtime, chaos: Chaos, user_settings: Callable[[str], None], mode: str
) -> None:
    place = directory(runtime, "small")
    user_settings(f'[staging]\nmode = "{mode}"\n')
    with small(place, "4m"):
        root = place / "rootfs"
        assert runtime.runner(["cp", "-a", str(runtime.directory / "rootfs"), str(root)]).returncode == 0
        script = "dd if=/dev/zero of=/big bs=1M count=16 2>/dev/null; exit 7"
        box = runtime.running(
            "/bin/sh", "-c", script, config={"root": {"path": str(root), "readonly": False}},
        )  # fmt: skip
        job = box.job()
        assert box.wait() == 7
        reason = box.annotations()["scrun.end-reason"]
        assert "exited with 7; changes could not be brought back" in reason
        assert "file system is full" in reason
        assert runtime("delete", box.id).returncode == 0
        forget(runtime, box)
        nothing_left(runtime, box.id, job)
    chaos.figures["cases"] += 1


@pytest.mark.parametrize("mode", ["overlay", "overlays"])
def test_what_the_node_gives_back_cannot_be_written(
    runtime: Runtime, chaos: Chaos, user_settings: Callable[[str], None], mode: str
) -> None:
    """It stays on the node, and the sentence says where."""
    place = directory(runtime, "staging")
    user_settings(f'[staging]\nmode = "{mode}"\ndirectory = "{place}"\n')
    root = {"path": str(runtime.directory / "rootfs"), "readonly": False}
    box = runtime.running(
        "/bin/sh", "-c", "echo precious >/bin/f; echo ready; read -r word; exit 7", config={"root": root}, stdin=True,
    )  # fmt: skip
    job = box.job()
    assert read(box, "out", b"\n") == "ready\n"
    (programs,) = place.glob(f"{box.id}~*/node")
    assert runtime.runner(["chmod", "500", str(programs)]).returncode == 0
    box.close_stdin()
    assert box.wait() == 7
    reason = box.annotations()["scrun.end-reason"]
    assert "exited with 7; changes could not be brought back: the node did not give them" in reason
    (kept,) = re.findall(r"they lie in (\S+) there", reason)
    assert (pathlib.Path(kept) / "u/bin/f").read_text() == "precious\n"
    assert runtime("delete", box.id).returncode == 0
    forget(runtime, box)
    nothing_left(runtime, box.id, job)
    assert not list(place.glob(f"*{box.id}~*"))
    shutil.rmtree(kept)
    chaos.figures["cases"] += 1


def test_it_cannot_be_written(runtime: Runtime, chaos: Chaos) -> None:
    place = directory(runtime, "staging")
    environ = site(runtime, place)
    box = echo(runtime, "before", environ=environ)
    job = box.job()
    assert runtime.runner(["chmod", "500", str(place)]).returncode == 0
    assert str(place) in refused(runtime, runtime.begin("/bin/true", id="refused", environ=environ))
    box.close_stdin()
    assert (read(box), box.wait()) == ("bye\n", 42)
    reason = box.annotations()["scrun.end-reason"]
    assert f"exited with 42; cannot clear up the staging directory {place}" in reason
    assert runtime.runner(["chmod", "700", str(place)]).returncode == 0
    runtime.ok("delete", box.id)
    forget(runtime, box)
    nothing_left(runtime, box.id, job)
    assert not list(place.glob("*before~*"))
    chaos.figures["cases"] += 2
