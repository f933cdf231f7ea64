"""``scrun image``: what it lists, what it takes away, and what it refuses."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from actors.staging.images.cache import TreeCache
from actors.staging.images.entry import Record

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-IS", str(CHECKOUT / "scrun/__main__.py")]


class Image:
    """Calls ``scrun image`` with a configuration, a cache and a store of its own."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.store = path / "store"
        self.staging = path / "staging"
        self.staging.mkdir(mode=0o700)
        (path / "etc").mkdir()
        (path / "etc/slurm.conf").touch()
        (path / "etc/scrun.toml").write_text(
            f'[scrun]\nscheduler = "local"\n[staging]\ndirectory = "{self.staging}"\nimages = ["{self.store}"]\n'
        )

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "SLURM_CONF": str(self.path / "etc/slurm.conf")}
        return subprocess.run(
            [*COMMAND, "image", *words], env=environ, capture_output=True, text=True, timeout=60, check=False,
            cwd=self.path,
        )  # fmt: skip

    def ok(self, *words: str) -> str:
        done = self(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, *words: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.ok("list", "--format", "json", *words))
        return found

    def cached(self, key: str, user: str = "") -> pathlib.Path:
        """A tree in the cache, perhaps with a container that uses it."""

        def make(path: str, _lock: int) -> Record:
            os.mkdir(path)
            return Record(3 << 20, 7, "busybox", 0.0)

        place = self.staging / (user or "gone")
        place.mkdir()
        tree = TreeCache(str(self.staging)).use(str(place), key, make)
        if not user:
            (place / "cache-key").unlink()
            place.rmdir()
        return pathlib.Path(tree)


@pytest.fixture
def image(tmp_path: pathlib.Path) -> Image:
    return Image(tmp_path)


def test_a_directory_is_pushed_once_and_listed(image: Image) -> None:
    (image.path / "rootfs/bin").mkdir(parents=True)
    (image.path / "rootfs/bin/sh").write_text("shell")
    key = image.ok("push", "./rootfs").strip()
    assert image.ok("push", "./rootfs", str(image.store)).strip() == key
    assert (image.store / key / "tree/bin/sh").read_text() == "shell"
    (row,) = image.rows(str(image.store))
    assert (row["key"], row["size"], row["files"], row["state"], row["source"], row["place"]) == (
        key, 5, 1, "for all", "./rootfs", str(image.store),
    )  # fmt: skip
    text = image.ok("list", str(image.store))
    assert text.split("\n")[0].split() == ["KEY", "SIZE", "FILES", "USED", "STATE", "SOURCE", "PLACE"]
    assert key[:12] in text


def test_a_tree_of_the_store_is_taken_back_and_pruned(image: Image) -> None:
    (image.path / "rootfs").mkdir()
    key = image.ok("push", "./rootfs").strip()
    image.ok("rm", key[:8], str(image.store))
    assert [row["state"] for row in image.rows(str(image.store))] == ["taken back"]
    assert image.ok("prune", str(image.store)) == ""
    assert image.ok("prune", "--all", str(image.store)).strip() == key
    assert os.listdir(image.store) == []


def test_a_tree_of_the_store_is_removed_by_force(image: Image) -> None:
    (image.path / "rootfs").mkdir()
    key = image.ok("push", "./rootfs").strip()
    image.ok("rm", "--force", key, str(image.store))
    assert os.listdir(image.store) == []


def test_the_own_cache_keeps_what_a_container_uses(image: Image) -> None:
    used, unused = image.cached("aaa", "box~1"), image.cached("bbb")
    assert {(row["key"], row["state"], row["place"]) for row in image.rows()} == {
        ("aaa", "in use", "cache"),
        ("bbb", "unused", "cache"),
    }
    done = image("rm", "aaa")
    assert (done.returncode, done.stderr) == (1, "a container uses aaa\n")
    assert image.ok("prune") == ""
    assert unused.is_dir()
    done = image("prune", "--all")
    assert (done.stdout, done.stderr) == ("bbb\n", "1 removed, 3 MiB\n")
    assert used.is_dir()
    assert not unused.exists()


def test_a_tree_that_nobody_uses_is_removed(image: Image) -> None:
    tree = image.cached("aaa")
    image.ok("rm", "a")
    assert not tree.exists()


def test_a_store_that_others_may_write_is_named(image: Image) -> None:
    (image.path / "rootfs").mkdir()
    image.ok("push", "./rootfs")
    image.store.chmod(0o777)
    done = image("list")
    assert f"others may write into the store {image.store}" in done.stderr
    assert "not used" in done.stdout
    assert "others may write" in image("push", "./rootfs").stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["frobnicate"], "scrun image has list, push, rm, prune, not frobnicate"),
        (["push"], "scrun image push takes 1 to 2 arguments"),
        (["list", "a", "b"], "scrun image list takes 0 to 1 arguments"),
        (["rm", "zz"], "no tree begins with zz"),
        (["rm", "a"], "several trees begin with a"),
        (["push", "./nowhere"], "there is no directory ./nowhere"),
        (["push", "localhost/no-such-image:none"], "neither podman nor docker has an image localhost/no-such-image"),
    ],
)
def test_what_is_wrong_is_said(image: Image, words: list[str], sentence: str) -> None:
    for key in ("ab", "ac"):
        image.cached(key)
    done = image(*words)
    assert done.returncode == 1
    assert sentence in done.stderr
