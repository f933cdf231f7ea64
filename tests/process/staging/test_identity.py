"""Two root file systems have one key only if nothing tells them apart."""

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from actors.staging.images.contents import hash_tree
from actors.staging.images.identity import Identity, Kind, identify, scope_of
from actors.staging.images.memory import ContentMemory
from actors.staging.images.overlay import overlay_at

from .own_mounts import LAYER_IDS, Store, in_own_mounts, mount

if TYPE_CHECKING:
    from collections.abc import Callable

LONG_AGO = 1_600_000_000_000_000_000


def write(path: Path, text: str, mtime: int = LONG_AGO) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, ns=(mtime, mtime))


def identity(source: Path, kind: Kind = "owners") -> Identity:
    return identify(str(source), kind, ContentMemory(""))


def key(source: Path, kind: Kind = "owners") -> str:
    return identity(source, kind).key


# --- by layers


@in_own_mounts
def test_layers_of_equal_sizes_and_times_are_different_images(tmp_path: Path) -> None:
    """Case 1: two images of a builder that sets all times to one."""
    store = Store(tmp_path)
    write(store.layer(0) / "bin/sh", "shell")
    write(store.layer(1) / "f", "version=1")
    write(store.layer(2) / "f", "version=2")
    one, _ = store.container("one", 1, 0)
    two, _ = store.container("two", 2, 0)
    again, _ = store.container("again", 1, 0)
    assert (one / "f").stat().st_mtime_ns == (two / "f").stat().st_mtime_ns
    assert key(one) != key(two)
    assert key(one) == key(again)
    assert key(one, "single") != key(one, "owners")


@in_own_mounts
def test_the_layers_are_not_walked(tmp_path: Path) -> None:
    """A directory that is not there to be read any more cannot have been walked over."""
    store = Store(tmp_path)
    layer = store.layer(0)
    write(layer / "usr/share/file", "x")
    one, _ = store.container("one", 0)
    found = identity(one)
    assert [each.token for each in found.layers] == [f"podman {LAYER_IDS[0]}"]
    write(layer / "usr/share/behind the engine's back", "x")
    assert key(one) == found.key
    assert not found.changes


@in_own_mounts
def test_a_changed_file_of_equal_size_and_time_is_another_tree(tmp_path: Path) -> None:
    """Case 3: COPY f, then RUN echo bbbb >f within one tick of the file system's clock, and the same time set."""
    store = Store(tmp_path)
    write(store.layer(0) / "f", "aaaa\n")
    root, _ = store.container("one", 0)
    keys = {key(root)}
    for text in ("bbbb\n", "cccc\n"):
        write(root / "f", text)
        keys.add(key(root))
    assert len(keys) == 3
    assert len({identity(root).base_key}) == 1


@in_own_mounts
def test_whatever_a_container_changed_is_in_its_key(tmp_path: Path) -> None:
    store = Store(tmp_path)
    layer = store.layer(0)
    for name in ("etc/a", "etc/b", "etc/c", "opt/d"):
        write(layer / name, name)
    root, _ = store.container("one", 0)
    changes: list[Callable[[], object]] = [
        (root / "etc/a").unlink,
        lambda: (root / "etc/b").chmod(0o600),
        lambda: os.chown(root / "etc/b", 7, 7),
        lambda: os.setxattr(root / "etc/b", "security.capability", bytes.fromhex("0100000200200000" + 24 * "0")),
        lambda: os.link(root / "etc/c", root / "etc/link"),
        lambda: (root / "etc/symlink").symlink_to("a"),
        lambda: subprocess.run(["sh", "-c", "rm -r opt; mkdir opt"], cwd=root, check=True),
        lambda: write(root / "etc/b", "etc/b", LONG_AGO + 1),
        lambda: os.setxattr(root, "user.of-the-root", b"x"),
        lambda: root.chmod(0o700),
    ]
    keys = [key(root)]
    for change in changes:
        change()
        keys.append(key(root))
    assert len(set(keys)) == len(keys)


@in_own_mounts
def test_what_engines_make_anew_does_not_count(tmp_path: Path) -> None:
    store = Store(tmp_path)
    write(store.layer(0) / "etc/a", "a")
    keys = set()
    for number in range(2):
        root, _ = store.container(f"box{number}", 0)
        (root / "etc/hosts").touch()
        os.utime(root / "etc/hosts", ns=(number, number))
        (root / "etc/mtab").symlink_to("/proc/mounts")
        (root / "proc").mkdir()
        os.utime(root / "proc", ns=(number, number))
        keys.add(key(root))
    assert len(keys) == 1


def marked_directory(root: Path) -> None:
    (root / "run").mkdir()
    os.setxattr(root / "run", "user.x", b"")


@in_own_mounts
def test_what_every_engine_makes_is_told_from_changes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    write(store.layer(0) / "etc/a", "a")
    root, _ = store.container("podman", 0)
    assert identity(root).new
    (root / "etc/mtab").symlink_to("/proc/mounts")
    (root / "proc").mkdir()
    (root / "etc/hosts").touch()
    assert identity(root).new
    changes: list[Callable[[Path], object]] = [
        lambda root: (root / "etc/app.conf").touch(),
        lambda root: (root / "etc/hosts").write_text("x"),
        lambda root: (root / "etc/mtab").symlink_to("elsewhere"),
        lambda root: (root / "etc/a").unlink(),
        lambda root: (root / "etc").chmod(0o700),
        marked_directory,
        lambda root: subprocess.run(["sh", "-c", "rm -r etc; mkdir etc"], cwd=root, check=True),
    ]
    for number, change in enumerate(changes):
        root, _ = store.container(f"changed{number}", 0)
        change(root)
        assert not identity(root).new, number


@in_own_mounts
def test_a_mount_point_of_one_container_makes_a_tree_of_its_own(tmp_path: Path) -> None:
    """Case 2: what an engine made for one container's mount is in no other container's tree."""
    store = Store(tmp_path)
    write(store.layer(0) / "etc/a", "a")
    plain, _ = store.container("plain", 0)
    with_mount, _ = store.container("with", 0)
    (with_mount / "etc/app.conf").touch()
    assert key(plain) != key(with_mount)
    assert identity(plain).base_key == identity(with_mount).base_key == key(plain)


@in_own_mounts
def test_dockers_layers_are_known_and_the_one_of_its_mount_points_is_the_containers(tmp_path: Path) -> None:
    store = Store(tmp_path, "overlay2", podman=False)
    write(store.layer(0) / "etc/a", "a")
    chain = tmp_path / "image/overlay2/layerdb/sha256" / ("c" * 64)
    write(chain / "cache-id", LAYER_IDS[0])
    first = store.driver / f"{LAYER_IDS[1]}-init/diff"
    (first / "dev").mkdir(parents=True)
    (first / ".dockerenv").touch()
    root, _ = store.container(LAYER_IDS[1], 0, extra=f"{first}:")
    found = identity(root)
    assert [each.token for each in found.layers] == ["docker " + "c" * 64]
    assert found.above == (str(store.driver / LAYER_IDS[1] / "diff"), str(first))
    assert found.changes == 2


@in_own_mounts
def test_a_layer_of_docker_that_its_data_base_does_not_know_is_told_by_its_inode(tmp_path: Path) -> None:
    store = Store(tmp_path, "overlay2", podman=False)
    layer = store.layer(0)
    root, _ = store.container("one", 0)
    (found,) = identity(root).layers
    assert found.token.startswith("docker ")
    assert f" {layer} {layer.stat().st_dev} {layer.stat().st_ino} {layer.stat().st_ctime_ns}" in found.token


@in_own_mounts
def test_a_number_that_containerd_gives_again_is_another_layer(tmp_path: Path) -> None:
    snapshots = tmp_path / "snapshots"

    def run(number: int) -> str:
        for part in ("fs", "work", "rootfs"):
            (snapshots / f"{number}/{part}").mkdir(parents=True)
        point = tmp_path / f"rootfs{number}"
        point.mkdir()
        # Relative names, as containerd shortens them.
        options = f"lowerdir=1/fs,upperdir={snapshots}/{number}/fs,workdir={snapshots}/{number}/work"
        mount(point, options, cwd=snapshots)
        return key(point)

    write(snapshots / "1/fs/f", "1")
    before = run(2)
    assert run(3) == before
    for number in (2, 3):
        subprocess.run(["umount", tmp_path / f"rootfs{number}"], check=True)
    os.rename(snapshots, tmp_path / "lost")
    write(snapshots / "1/fs/f", "2")
    assert run(4) != before


@in_own_mounts
def test_a_directory_that_is_no_layer_is_told_by_its_contents(tmp_path: Path) -> None:
    """``podman run --rootfs DIR:O``: an overlay over a directory that anybody may change."""
    for part in ("lower", "upper", "work", "merged"):
        (tmp_path / part).mkdir()
    write(tmp_path / "lower/f", "1")
    mount(tmp_path / "merged", f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work")
    before = identity(tmp_path / "merged")
    assert not before.layers
    assert before.base_key == ""
    write(tmp_path / "lower/f", "2")
    assert key(tmp_path / "merged") != before.key


@in_own_mounts
def test_an_image_that_is_mounted_read_only_has_the_key_of_a_new_container(tmp_path: Path) -> None:
    store = Store(tmp_path)
    write(store.layer(0) / "f", "1")
    root, _ = store.container("one", 0)
    image = store.driver / LAYER_IDS[0]
    (image / "empty").mkdir()
    (image / "merged").mkdir()
    mount(image / "merged", f"lowerdir={image}/diff:{image}/empty")
    assert key(image / "merged") == key(root)


# --- the mount table


LINE = "323 320 0:45 / {point} rw,relatime - overlay overlay rw,{options}"


@pytest.mark.parametrize(
    ("options", "lowers", "upper"),
    [
        ("lowerdir=/a:/b,upperdir=/u,workdir=/w,userxattr", ("/a", "/b"), "/u"),
        ("lowerdir+=/a,lowerdir+=/b,upperdir=/u,workdir=/w", ("/a", "/b"), "/u"),
        (r"lowerdir=/a\134:b:/with\040blank\054,upperdir=/u", ("/a:b", "/with blank,"), "/u"),
        ("lowerdir=l/X:l/Y,upperdir=ID/diff", ("/store/l/X", "/store/l/Y"), "/store/ID/diff"),
        ("ro,lowerdir=/a", ("/a",), ""),
    ],
)
def test_the_mount_table_is_read(options: str, lowers: tuple[str, ...], upper: str) -> None:
    found = overlay_at("/store/ID/merged", LINE.format(point="/store/ID/merged", options=options))
    assert found is not None
    assert (found.lowers, found.upper) == (lowers, upper)


@pytest.mark.parametrize("options", ["lowerdir=/a::/data", "lowerdir+=/a,datadir+=/b", "upperdir=/u", ""])
def test_what_the_mount_table_does_not_tell_is_no_overlay(options: str) -> None:
    assert overlay_at("/m", LINE.format(point="/m", options=options)) is None


def test_only_the_topmost_mount_on_the_very_path_counts() -> None:
    table = "\n".join(
        (
            LINE.format(point="/m", options="lowerdir=/old"),
            LINE.format(point="/m", options="lowerdir=/new"),
            LINE.format(point="/m/below", options="lowerdir=/below"),
            "9 1 0:46 / /n rw - overlay overlay rw,lowerdir=/n",
            "9 1 0:46 / /n rw - fuse.fuse-overlayfs fuse-overlayfs rw,user_id=0",
        )
    )
    found = overlay_at("/m", table)
    assert found is not None
    assert found.lowers == ("/new",)
    assert overlay_at("/n", table) is None
    assert overlay_at("/m/below/deeper", table) is None


# --- by contents


def test_trees_of_equal_sizes_and_times_have_different_keys(tmp_path: Path) -> None:
    """Case 1 with storage driver vfs."""
    for name in ("1", "2", "1 again"):
        write(tmp_path / name / "f", f"version={name[0]}")
        write(tmp_path / name / "g", "same")
    assert key(tmp_path / "1") != key(tmp_path / "2")
    assert key(tmp_path / "1") == key(tmp_path / "1 again")


def test_names_and_contents_cannot_be_taken_for_each_other(tmp_path: Path) -> None:
    write(tmp_path / "1/a", "x")
    write(tmp_path / "1/b", "")
    write(tmp_path / "2/a", "")
    write(tmp_path / "2/b", "x")
    write(tmp_path / "3/a/b", "x")
    assert len({key(tmp_path / name) for name in "123"}) == 3


def test_hard_links_count(tmp_path: Path) -> None:
    for name in "123":
        write(tmp_path / name / "a", "x")
        write(tmp_path / name / "b", "x")
        write(tmp_path / name / "c", "x")
    for name, other in (("2", "a"), ("3", "b")):
        (tmp_path / name / "c").unlink()
        os.link(tmp_path / name / other, tmp_path / name / "c")
    assert len({key(tmp_path / name) for name in "123"}) == 3


def test_owners_count_only_where_they_are_kept(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root may give files away")
    for name in "12":
        write(tmp_path / name / "a", "x")
    os.chown(tmp_path / "2/a", 7, 7)
    assert key(tmp_path / "1", "owners") != key(tmp_path / "2", "owners")
    assert key(tmp_path / "1", "single") == key(tmp_path / "2", "single")


def test_a_tree_of_any_depth_and_any_name_has_a_key(tmp_path: Path) -> None:
    for name in "12":
        (tmp_path / name).mkdir()
        descriptor = os.open(tmp_path / name, os.O_RDONLY)
        for _ in range(1500):
            os.mkdir(b"deep\xff", dir_fd=descriptor)
            below = os.open(b"deep\xff", os.O_RDONLY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        with open(os.open("f", os.O_WRONLY | os.O_CREAT, dir_fd=descriptor), "w", encoding="ascii") as file:
            file.write(name)
        os.utime("f", ns=(1, 1), dir_fd=descriptor)
        os.close(descriptor)
    try:
        assert key(tmp_path / "1") != key(tmp_path / "2")
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "1", tmp_path / "2"], check=True)


# --- memory


class Counted(ContentMemory):
    """A memory that counts what had to be read."""

    def __init__(self, path: Path, now: float, limit: int = 100) -> None:
        super().__init__(str(path), lambda: now, limit)
        self.read = 0

    def recall(self, scope: str, status: os.stat_result) -> bytes | None:
        found = super().recall(scope, status)
        self.read += found is None
        return found


def test_a_file_is_read_once(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path / "tree" / name, name)
    later = (tmp_path / "tree/a").stat().st_ctime + 60
    hashes, reads = [], []
    for _ in range(2):
        memory = Counted(tmp_path / "memory", later)
        hashes.append(hash_tree(str(tmp_path / "tree"), memory, "ext4 disk", owners=True))
        reads.append(memory.read)
    write(tmp_path / "tree/b", "B")  # the same size, and the same time
    memory = Counted(tmp_path / "memory", later)
    hashes.append(hash_tree(str(tmp_path / "tree"), memory, "ext4 disk", owners=True))
    assert [*reads, memory.read] == [3, 0, 1]
    assert hashes[0] == hashes[1] != hashes[2]
    assert (tmp_path / "memory").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("scope", "age"), [("", 60), ("ext4 disk", 1)])
def test_what_may_change_unseen_is_not_remembered(tmp_path: Path, scope: str, age: int) -> None:
    write(tmp_path / "tree/a", "a")
    later = (tmp_path / "tree/a").stat().st_ctime + age
    for _ in range(2):
        memory = Counted(tmp_path / "memory", later)
        hash_tree(str(tmp_path / "tree"), memory, scope, owners=True)
        assert memory.read == 1


def test_the_memory_is_bounded_and_forgets_what_was_not_asked_for(tmp_path: Path) -> None:
    for tree in "12":
        for name in "abc":
            write(tmp_path / tree / name, tree + name)
    later = (tmp_path / "2/c").stat().st_ctime + 60
    for tree in ("1", "2"):
        hash_tree(str(tmp_path / tree), Counted(tmp_path / "memory", later, 4), "ext4 disk", owners=True)
    memory = Counted(tmp_path / "memory", later, 4)
    hash_tree(str(tmp_path / "2"), memory, "ext4 disk", owners=True)
    assert memory.read == 0
    hash_tree(str(tmp_path / "1"), memory, "ext4 disk", owners=True)
    assert memory.read == 2


def test_a_damaged_memory_is_none(tmp_path: Path) -> None:
    write(tmp_path / "tree/a", "a")
    (tmp_path / "memory").write_bytes(os.urandom(100))
    memory = Counted(tmp_path / "memory", (tmp_path / "tree/a").stat().st_ctime + 60)
    found = hash_tree(str(tmp_path / "tree"), memory, "ext4 disk", owners=True)
    assert found == hash_tree(str(tmp_path / "tree"), ContentMemory(""), "", owners=True)


TABLE = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /home rw - nfs4 server:/home rw
31 30 0:41 / /home/tmp rw - tmpfs tmpfs rw
32 30 0:42 / /home/fuse rw - fuse.fuse-overlayfs fuse-overlayfs rw
"""


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/srv", "ext4 /dev/vda"),
        ("/home/alice", "nfs4 server:/home"),
        ("/home/tmp/x", ""),
        ("/home/fuse", ""),
        ("/homes", "ext4 /dev/vda"),
    ],
)
def test_only_inodes_of_lasting_file_systems_are_trusted(path: str, scope: str) -> None:
    assert scope_of(path, TABLE) == scope
