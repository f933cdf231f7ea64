"""A container gets the tree of its own image, and never another one's."""

import os
from pathlib import Path

import pytest

from actors.staging.images import shared
from actors.staging.images.importing import Imported, Progress, import_tree
from actors.staging.images.shared import MEMORY, SharedTree, shared_tree
from proto.errors import StagingError
from proto.life.events import Trees
from tests.unit.creations import creation

from .own_mounts import Store, in_own_mounts
from .test_identity import write


def take(home: Path, source: Path, name: str, log: list[str] | None = None) -> SharedTree:
    """The tree for a container of this name."""
    box = creation(id=name, caller__home=str(home), rootfs=str(source))
    (home / ".scrun" / name).mkdir(parents=True)
    said = log if log is not None else []
    return shared_tree(
        box, str(source), str(home / ".scrun" / name), lambda _, text: said.append(text), owners=os.geteuid() == 0
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@in_own_mounts
def test_two_images_of_equal_sizes_and_times_have_trees_of_their_own(home: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    write(store.layer(1) / "f", "version=1")
    write(store.layer(2) / "f", "version=2")
    one, _ = store.container("one", 1)
    two, _ = store.container("two", 2)
    trees = [take(home, source, name) for source, name in ((one, "a"), (two, "b"), (one, "c"))]
    assert [Path(tree.path, "f").read_text() for tree in trees] == ["version=1", "version=2", "version=1"]
    assert (trees[0].path, trees[0].key) == (trees[2].path, trees[2].key)
    size = len("version=1")
    assert [tree.origin for tree in trees] == [Trees(0, 1, size), Trees(0, 1, size), Trees(1)]


@in_own_mounts
def test_a_container_with_changes_has_a_tree_with_them(home: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    layer = store.layer(1)
    write(layer / "f", "aaaa")
    write(layer / "gone", "")
    root, _ = store.container("one", 1)
    plain = take(home, root, "a")
    write(root / "f", "bbbb")
    (root / "gone").unlink()
    changed = take(home, root, "b")
    assert Path(plain.path, "f").read_text() == "aaaa"
    assert Path(changed.path, "f").read_text() == "bbbb"
    assert sorted(os.listdir(changed.path)) == ["f"]


def test_a_directory_that_is_changed_while_it_is_copied_is_copied_again(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    write(source / "f", "before")
    times: list[str] = []

    def changing(*args: str, owners: bool, progress: Progress, keep: tuple[int, ...]) -> Imported:
        done = import_tree(*args, owners=owners, progress=progress, keep=keep)
        if not times:
            write(source / "f", "after!")
        times.append("once")
        return done

    monkeypatch.setattr(shared, "import_tree", changing)
    tree = take(home, source, "a")
    assert Path(tree.path, "f").read_text() == "after!"
    assert len(times) == 2
    assert {*os.listdir(home / ".scrun/cache")} <= {"lock", MEMORY, tree.key}, "the first copy is still there"


def test_a_directory_that_never_rests_is_refused(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    write(source / "f", "0")
    number = iter(range(1, 10))

    def changing(*args: str, owners: bool, progress: Progress, keep: tuple[int, ...]) -> Imported:
        write(source / "f", str(next(number)))
        return import_tree(*args, owners=owners, progress=progress, keep=keep)

    monkeypatch.setattr(shared, "import_tree", changing)
    with pytest.raises(StagingError, match="was changed while it was copied"):
        take(home, source, "a")


def test_what_it_is_known_by_and_what_it_cost_is_in_the_log(home: Path, tmp_path: Path) -> None:
    write(tmp_path / "source/f", "123")
    log: list[str] = []
    take(home, tmp_path / "source", "a", log)
    assert log[0].endswith("known by its contents")
    assert log[-1] == "1 files, 3 bytes imported"
    take(home, tmp_path / "source", "b", log)
    assert "imported" not in log[-1]
