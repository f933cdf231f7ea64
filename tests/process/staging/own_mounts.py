"""A mount namespace for one test: what it mounts is gone with it, and nobody else sees it."""

import ctypes
import functools
import os
import subprocess
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

_CLONE_NEWNS = 0x00020000
LAYER_IDS = tuple(f"{number:064x}" for number in range(0xA0, 0xB0))


def in_own_mounts(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test in a child with mounts of its own; root only."""

    @functools.wraps(test)
    def wrapped(*args: object, **named: object) -> None:
        if os.geteuid():
            pytest.skip("only root may mount")
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            status = 1
            try:
                _leave()
                test(*args, **named)
                status = 0
            except BaseException:
                os.write(writer, traceback.format_exc().encode(errors="backslashreplace")[-60000:])
            finally:
                os._exit(status)
        os.close(writer)
        with open(reader, encoding="utf-8", errors="replace") as said:
            words = said.read()
        _, status = os.waitpid(child, 0)
        assert status == 0, words

    return wrapped


def _leave() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


class Store:
    """An engine's storage with layers in it, as far as scrun looks at it."""

    def __init__(self, home: Path, driver: str = "overlay", *, podman: bool = True) -> None:
        self.home = home
        self.driver = home / driver
        (self.driver / "l").mkdir(parents=True)
        if podman:
            (home / "overlay-layers").mkdir()

    def layer(self, number: int) -> Path:
        """An empty layer, with its short name."""
        path = self.driver / LAYER_IDS[number] / "diff"
        path.mkdir(parents=True)
        (self.driver / "l" / f"SHORT{number}").symlink_to(f"../{LAYER_IDS[number]}/diff")
        return path

    def container(self, name: str, *numbers: int, extra: str = "") -> tuple[Path, Path]:
        """Mount a container over layers, the topmost first; return its root file system and its upper directory."""
        place = self.driver / name
        for part in ("diff", "work", "merged"):
            (place / part).mkdir(parents=True)
        lowers = ":".join(f"l/SHORT{number}" for number in numbers)
        mount(place / "merged", f"lowerdir={extra}{lowers},upperdir={place}/diff,workdir={place}/work", cwd=self.driver)
        return place / "merged", place / "diff"


def mount(point: Path, options: str, *, kind: str = "overlay", cwd: Path | None = None) -> None:
    """Mount something; the kernel reads relative names from the working directory."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.getcwd()
    os.chdir(cwd or before)
    try:
        if libc.mount(kind.encode(), os.fsencode(point), kind.encode(), 0, os.fsencode(options)):
            raise OSError(ctypes.get_errno(), f"mount: {options}")
    finally:
        os.chdir(before)
