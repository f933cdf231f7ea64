"""A tree is made once, is complete or not there, and stays as long as somebody uses it."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.staging.images import locks
from actors.staging.images.cache import KEY_FILE, TreeCache
from actors.staging.images.entry import Record
from actors.staging.images.importing import NoRoomError
from actors.staging.tree.copy import remove_tree
from proto.errors import StagingError

CHECKOUT = Path(__file__).resolve().parents[4]


class Maker:
    """Makes empty trees of some size."""

    def __init__(self, size: int = 5) -> None:
        self.size = size
        self.made: list[str] = []

    def __call__(self, path: str, _lock: int) -> Record:
        self.made.append(path)
        os.mkdir(path)
        return Record(self.size, 0, "nothing", 0.0)


def user(staging: Path, name: str) -> str:
    path = staging / name
    path.mkdir()
    return str(path)


def names(staging: Path) -> set[str]:
    return {name for name in os.listdir(staging / "cache") if name != "lock"}


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        os.sched_yield()


def test_an_entry_is_made_once_and_leaves_no_lock(tmp_path: Path) -> None:
    maker = Maker()
    cache = TreeCache(str(tmp_path))
    one = cache.use(user(tmp_path, "one"), "aa", maker)
    assert cache.use(user(tmp_path, "two"), "aa", maker) == one
    assert os.path.isdir(one)
    assert len(maker.made) == 1
    assert (cache.trees.found, cache.trees.imported) == (1, 1)
    assert names(tmp_path) == {"aa"}


def test_two_at_once_make_it_once(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    maker = Maker()
    trees: list[str] = []

    def slow(path: str, lock: int) -> Record:
        begun.set()
        assert go_on.wait(60)
        return maker(path, lock)

    def use(name: str) -> None:
        trees.append(TreeCache(str(tmp_path)).use(user(tmp_path, name), "aa", slow))

    one, two = (threading.Thread(target=use, args=(name,)) for name in ("one", "two"))
    one.start()
    assert begun.wait(60)
    two.start()
    wait_for((tmp_path / "two" / KEY_FILE).exists)
    go_on.set()
    one.join(60)
    two.join(60)
    assert len(set(trees)) == len(maker.made) == 1
    assert len(trees) == 2


def test_half_an_entry_is_made_again_and_leaves_nothing(tmp_path: Path) -> None:
    def fails(path: str, lock: int) -> Record:
        Path(path).mkdir()
        (Path(path) / "half").touch()
        raise KeyboardInterrupt

    cache = TreeCache(str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        cache.use(user(tmp_path, "one"), "aa", fails)
    assert names(tmp_path) == set()
    tree = cache.use(user(tmp_path, "two"), "aa", Maker())
    assert os.listdir(tree) == []


KILLED = """
import os, sys, time
sys.path[:0] = sys.argv[1].split(":")
from actors.staging.images.cache import TreeCache
def make(path, lock):
    os.mkdir(path)
    open(path + "/half", "w").close()
    print("half", flush=True)
    time.sleep(600)
TreeCache(sys.argv[2]).use(sys.argv[3], "aa", make)
"""


@pytest.mark.parametrize("key", ["aa", "bb"])
def test_what_a_killed_maker_leaves_is_not_taken_and_goes_with_the_next(tmp_path: Path, key: str) -> None:
    paths = ":".join((str(CHECKOUT), *(path for path in sys.path if path.endswith("site-packages"))))
    argv = [sys.executable, "-c", KILLED, paths, str(tmp_path), user(tmp_path, "one")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        assert any(name.endswith(".new") for name in names(tmp_path))
        # Another one does not touch what is being made.
        TreeCache(str(tmp_path)).use(user(tmp_path, "other"), "cc", Maker())
        assert any(name.endswith(".new") for name in names(tmp_path))
        process.send_signal(signal.SIGKILL)
    tree = TreeCache(str(tmp_path)).use(user(tmp_path, "two"), key, Maker())
    assert os.listdir(tree) == []
    assert names(tmp_path) == {"cc", key}


def test_bounds_of_size_and_age_but_never_what_is_in_use(tmp_path: Path) -> None:
    now = [1000.0]
    cache = TreeCache(str(tmp_path), clock=lambda: now[0], maximum_age=100, maximum_size=30)
    trees = {"aa": cache.use(user(tmp_path, "in use"), "aa", Maker(10))}
    for at, key in enumerate(("bb", "cc", "dd")):
        now[0] += 1
        guest = user(tmp_path, f"guest{at}")
        trees[key] = cache.use(guest, key, Maker(10))
        remove_tree(guest)
    cache.prune()
    assert {key for key, tree in trees.items() if os.path.isdir(tree)} == {"aa", "cc", "dd"}
    assert [(entry.key, entry.in_use, entry.record.size) for entry in cache.entries()] == [
        ("dd", False, 10),
        ("cc", False, 10),
        ("aa", True, 10),
    ]
    now[0] += 1000
    cache.use(user(tmp_path, "last"), "ee", Maker(0))
    assert {key for key, tree in trees.items() if os.path.isdir(tree)} == {"aa"}


def test_a_new_tree_counts_as_soon_as_its_size_is_known(tmp_path: Path) -> None:
    cache = TreeCache(str(tmp_path), maximum_size=30)
    guest = user(tmp_path, "guest")
    old = cache.use(guest, "aa", Maker(20))
    remove_tree(guest)
    cache.use(user(tmp_path, "big"), "bb", Maker(25))
    assert not os.path.exists(old)


def test_a_full_disk_takes_what_nobody_uses(tmp_path: Path) -> None:
    cache = TreeCache(str(tmp_path))
    guest = user(tmp_path, "guest")
    old = cache.use(guest, "aa", Maker())
    used = cache.use(user(tmp_path, "in use"), "bb", Maker())
    remove_tree(guest)
    maker = Maker()

    def full(path: str, lock: int) -> Record:
        if os.path.exists(old):
            os.mkdir(path)
            raise NoRoomError("full")
        return maker(path, lock)

    assert os.path.isdir(cache.use(user(tmp_path, "new"), "cc", full))
    assert not os.path.exists(old)
    assert os.path.isdir(used)


def test_a_disk_that_stays_full_is_the_makers_sentence(tmp_path: Path) -> None:
    def full(path: str, lock: int) -> Record:
        os.mkdir(path)
        raise NoRoomError("the file system is full")

    with pytest.raises(NoRoomError, match="the file system is full"):
        TreeCache(str(tmp_path)).use(user(tmp_path, "new"), "cc", full)
    assert names(tmp_path) == set()


def test_another_failure_takes_nothing_away(tmp_path: Path) -> None:
    cache = TreeCache(str(tmp_path))
    guest = user(tmp_path, "guest")
    old = cache.use(guest, "aa", Maker())
    remove_tree(guest)

    def fails(path: str, lock: int) -> Record:
        raise StagingError("no")

    with pytest.raises(StagingError, match="no"):
        cache.use(user(tmp_path, "new"), "cc", fails)
    assert os.path.isdir(old)


def test_a_user_whose_directory_is_renamed_meanwhile_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container is staged under one name and gets another: between the list and the look at its key."""
    cache = TreeCache(str(tmp_path), maximum_size=0)
    tree = cache.use(user(tmp_path, "before"), "aa", Maker())
    listed = os.listdir
    renamed: list[str] = []

    def rename_then(path: str) -> list[str]:
        found = listed(path)
        if path == str(tmp_path) and not renamed:
            renamed.append("once")
            os.rename(tmp_path / "before", tmp_path / "after")
        return found

    monkeypatch.setattr(os, "listdir", rename_then)
    cache.prune()
    assert renamed
    assert os.path.isdir(tree)


def test_removing_one_entry(tmp_path: Path) -> None:
    cache = TreeCache(str(tmp_path))
    place = user(tmp_path, "one")
    tree = cache.use(place, "aa", Maker())
    assert not cache.remove("aa")
    assert os.path.isdir(tree)
    remove_tree(place)
    assert cache.remove("aa")
    assert names(tmp_path) == set()


# --- locks


def test_a_lock_is_held_by_one_and_its_file_goes(tmp_path: Path) -> None:
    path = str(tmp_path / "x.lock")
    with locks.locked(path):
        with locks.locked_if_free(path) as held:
            assert not held
        assert os.path.exists(path)
    assert not os.path.exists(path)
    with locks.locked_if_free(path) as held:
        assert held


def test_who_waited_for_a_lock_that_was_removed_takes_the_new_one(tmp_path: Path) -> None:
    path = str(tmp_path / "x.lock")
    inside = [0, 0]
    errors: list[str] = []

    def work() -> None:
        for _ in range(200):
            with locks.locked(path):
                inside[0] += 1
                if inside[0] != 1:
                    errors.append("two at once")
                inside[1] += 1
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert inside == [0, 800]
    assert not os.path.exists(path)


def test_a_lock_lasts_as_long_as_anybody_has_it(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with locks.locked(str(path)) as descriptor:
        kept = os.dup(descriptor)
        path.rename(tmp_path / "kept.lock")
    with open(tmp_path / "kept.lock", "rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(kept)
    with open(tmp_path / "kept.lock", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
