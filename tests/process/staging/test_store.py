"""A store of the site: found by the same key, changed by nobody, dangerous for nobody."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from actors.staging.images.entry import Record
from actors.staging.images.publish import can_be_read_only, opened
from actors.staging.images.push import push
from actors.staging.images.shared import SharedTree, shared_tree
from actors.staging.images.store import Store, distrust, find
from proto.errors import StagingError
from tests.unit.creations import creation

from .own_mounts import LAYER_IDS, in_own_mounts, mount
from .own_mounts import Store as Storage
from .test_identity import write


def make(path: str, _lock: int) -> Record:
    os.mkdir(path)
    return Record(1, 2, "busybox", 3.0)


def silent(_files: int, _bytes: int) -> None:
    pass


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(str(tmp_path / "store"))
    found.open()
    return found


def test_what_was_put_is_found_by_its_key_and_leaves_no_lock(store: Store, tmp_path: Path) -> None:
    stored = store.put("aa", make, private=False)
    assert (stored.key, stored.record, stored.retired) == ("aa", Record(1, 2, "busybox", 3.0), 0.0)
    assert find([str(tmp_path / "nowhere"), str(tmp_path / "store")], ["", "bb", "aa"]) == str(
        tmp_path / "store/aa/tree"
    )
    assert find([str(tmp_path / "store")], ["bb"]) == ""
    assert os.listdir(tmp_path / "store") == ["aa"]


def test_what_was_taken_back_stays_until_it_is_pruned(tmp_path: Path) -> None:
    now = [0.0]
    store = Store(str(tmp_path / "store"), lambda: now[0])
    store.open()
    path = store.put("aa", make, private=False).path
    store.put("bb", make, private=False)
    store.retire("aa")
    assert find([str(tmp_path / "store")], ["aa"]) == ""
    now[0] = os.stat(f"{path}/retired").st_mtime + 99
    assert store.prune(100) == []
    assert os.path.isdir(f"{path}/tree")
    now[0] += 2
    assert [each.key for each in store.prune(100)] == ["aa"]
    assert os.listdir(tmp_path / "store") == ["bb"]


def test_a_push_brings_back_what_was_taken_back(store: Store, tmp_path: Path) -> None:
    store.put("aa", make, private=False)
    store.retire("aa")
    store.put("aa", lambda *_: pytest.fail("it is there"), private=False)
    assert find([str(tmp_path / "store")], ["aa"])


def test_half_a_push_is_not_found_and_goes_with_the_next(store: Store, tmp_path: Path) -> None:
    def fails(path: str, _lock: int) -> Record:
        os.mkdir(path)
        raise StagingError("no")

    with pytest.raises(StagingError):
        store.put("aa", fails, private=False)
    assert os.listdir(tmp_path / "store") == []
    (tmp_path / "store/aa.1234.new/tree").mkdir(parents=True)
    (tmp_path / "store/bb.1234.new/tree").mkdir(parents=True)
    store.put("aa", make, private=False)
    assert set(os.listdir(tmp_path / "store")) == {"aa", "bb.1234.new"}
    store.prune(0)
    assert os.listdir(tmp_path / "store") == ["aa"]


@pytest.mark.parametrize(
    ("mode", "owner", "words"),
    [
        (0o755, 0, ""),
        (0o775, 0, "others may write"),
        (0o757, 0, "others may write"),
        (0o755, 4711, "belongs to another user"),
    ],
)
def test_a_store_that_others_may_change_is_not_used(
    store: Store, tmp_path: Path, mode: int, owner: int, words: str
) -> None:
    if os.geteuid() and owner:
        pytest.skip("only root may give files away")
    store.put("aa", make, private=False)
    for path in (tmp_path / "store", tmp_path / "store/aa"):
        path.chmod(mode)
        if owner:
            os.chown(path, owner, owner)
        assert words in distrust(str(path))
        assert bool(distrust(str(path))) == bool(words)
        assert bool(find([str(tmp_path / "store")], ["aa"])) == (not words)
        path.chmod(0o755)
        if owner:
            os.chown(path, 0, 0)


def test_a_link_is_no_store(store: Store, tmp_path: Path) -> None:
    store.put("aa", make, private=False)
    (tmp_path / "link").symlink_to("store")
    assert "is no directory" in distrust(str(tmp_path / "link"))
    assert find([str(tmp_path / "link")], ["aa"]) == ""


# --- what is in it


@pytest.mark.parametrize(
    ("image", "published"),
    [
        (0o755, 0o755), (0o644, 0o644), (0o700, 0o755), (0o600, 0o644), (0o4755, 0o755), (0o2711, 0o755),
        (0o1777, 0o755), (0o666, 0o644), (0o400, 0o444), (0o000, 0o000), (0o200, 0o200),
    ],
)  # fmt: skip
def test_the_mode_of_a_published_file(image: int, published: int) -> None:
    assert opened(stat.S_IFREG | image) == published


def test_nothing_in_a_pushed_tree_is_dangerous_outside_of_a_container(store: Store, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root may make them")
    source = tmp_path / "source"
    for name, mode in (("su", 0o4755), ("wall", 0o2755), ("shadow", 0o600), ("log", 0o666), ("ping", 0o755)):
        write(source / name, name)
        os.chown(source / name, 5, 5)
        (source / name).chmod(mode)
    os.setxattr(source / "ping", "security.capability", bytes.fromhex("0100000200200000" + 24 * "0"))
    (source / "tmp").mkdir()
    (source / "tmp").chmod(0o1777)
    (source / "root").mkdir(mode=0o700)
    write(source / "root/.profile", "x")
    os.mknod(source / "sda", stat.S_IFBLK | 0o666, os.makedev(8, 0))
    (source / "link").symlink_to("su")
    stored = push(store, str(source), "image", owners=False, progress=silent)
    tree = Path(stored.path) / "tree"
    assert stored.record.missing == 1
    assert not (tree / "sda").exists()
    assert (tree / "link").readlink() == Path("su")
    assert (tree / "etc/hosts").read_text() == ""
    for path in [tree, *tree.rglob("*")]:
        status = path.lstat()
        if not path.is_symlink():
            assert status.st_mode & 0o7022 == 0, path
            assert status.st_mode & 0o004, path
            assert (status.st_uid, os.listxattr(path)) == (0, []), path
    assert (tree / "su").stat().st_mtime_ns == (source / "su").stat().st_mtime_ns
    assert (tree / "root/.profile").read_text() == "x"


def test_roots_own_tree_keeps_all_and_is_roots_alone(store: Store, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root may give files away")
    write(tmp_path / "source/su", "su")
    os.chown(tmp_path / "source/su", 5, 5)
    (tmp_path / "source/su").chmod(0o4755)
    stored = push(store, str(tmp_path / "source"), "image", owners=True, progress=silent)
    status = os.stat(f"{stored.path}/tree/su")
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o4755, 5)
    assert stat.S_IMODE(os.stat(stored.path).st_mode) == 0o700


@pytest.mark.parametrize(
    ("destinations", "has"),
    [
        ([], True),
        (["/proc", "/etc/hosts"], True),
        (["/dev", "/dev/.scrun-c00kie", "/dev/shm/deeper"], True),
        (["/dev/.scrun-c00kie", "/dev"], False),
        (["/data"], False),
        (["/link/file"], False),
        (["/dangling"], False),
        (["/", "/data"], False),
    ],
)
def test_a_runtime_has_no_mount_point_to_make_in_the_tree(tmp_path: Path, destinations: list[str], has: bool) -> None:
    for name in ("proc", "dev", "etc", "var"):
        (tmp_path / name).mkdir()
    (tmp_path / "etc/hosts").touch()
    (tmp_path / "var/file").touch()
    (tmp_path / "link").symlink_to("var")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert can_be_read_only(str(tmp_path), [{"destination": each} for each in destinations]) is has


@pytest.mark.parametrize(
    ("options", "empty", "can"), [(["tmpcopyup"], True, True), (["tmpcopyup"], False, False), ([], False, True)]
)
def test_a_runtime_has_nothing_to_copy_out_of_the_tree(
    tmp_path: Path, options: list[str], empty: bool, can: bool
) -> None:
    """crun gives what it copies the owner of the original, who has no id in the container."""
    (tmp_path / "run").mkdir()
    if not empty:
        (tmp_path / "run/lock").mkdir()
    mounts: list[dict[str, Any]] = [{"destination": "/run", "options": options}, {"destination": "/run/secrets"}]
    assert can_be_read_only(str(tmp_path), mounts) is can


# --- who gets it


def take(tmp_path: Path, source: Path, name: str, *, serves: bool = True, owners: bool = False) -> SharedTree:
    home = tmp_path / "home"
    (home / ".scrun" / name).mkdir(parents=True)
    box = creation(
        id=name, caller__home=str(home), rootfs=str(source), settings__staging__images=(str(tmp_path / "store"),)
    )
    user = str(home / ".scrun" / name)
    return shared_tree(box, str(source), user, lambda *_: None, owners=owners, serves=lambda _: serves)


@in_own_mounts
def test_a_new_container_gets_the_tree_of_its_image_and_a_changed_one_does_not(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "podman")
    write(storage.layer(0) / "etc/a", "a")
    image = storage.driver / LAYER_IDS[0]
    (image / "empty").mkdir()
    (image / "merged").mkdir()
    mount(image / "merged", f"lowerdir={image}/diff:{image}/empty")
    store = Store(str(tmp_path / "store"))
    pushed = push(store, str(image / "merged"), "image", owners=False, progress=silent)
    assert (Path(pushed.path) / "tree/etc/mtab").is_symlink()
    assert not (Path(pushed.path) / "tree/.dockerenv").exists(), "programs would take podman for docker"

    root, _ = storage.container("new", 0)
    (root / "etc/mtab").symlink_to("/proc/mounts")
    assert take(tmp_path, root, "new").path == f"{pushed.path}/tree"

    write(root / "etc/a", "b")
    changed = take(tmp_path, root, "changed")
    assert changed.path.startswith(str(tmp_path / "home"))
    assert Path(changed.path, "etc/a").read_text() == "b"


@in_own_mounts
def test_the_tree_of_another_owner_is_for_those_only_who_read_it() -> None:
    tmp_path = Path("/mnt")
    mount(tmp_path, "mode=0755", kind="tmpfs")
    write(tmp_path / "source/f", "x")
    pushed = push(Store(str(tmp_path / "store")), str(tmp_path / "source"), "dir", owners=False, progress=silent)
    (tmp_path / "home").mkdir()
    os.chown(tmp_path / "home", 4711, 4711)
    os.setegid(4711)
    os.seteuid(4711)
    read = take(tmp_path, tmp_path / "source", "reads")
    written = take(tmp_path, tmp_path / "source", "writes", serves=False)
    assert (read.path, read.foreign) == (f"{pushed.path}/tree", True)
    assert written.path.startswith(str(tmp_path / "home"))
    assert not written.foreign
