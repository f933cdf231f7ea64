import contextlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from actors.staging.filesystem import device_paths, file_system, mount_table
from actors.staging.root_file_system import decide_mode
from actors.staging.sources import bind_facts
from actors.staging.tree.copy import has_owners, remove_tree
from actors.staging.tree.files import same_time
from actors.staging.tree.mirror import mirror, missing_paths

CHECKOUT = Path(__file__).resolve().parents[3]
MOUNTINFO = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /home rw - nfs4 server:/home rw
31 22 0:41 / /with\\040space rw shared:5 master:1 - tmpfs tmpfs rw
32 30 0:42 / /home/a/merged rw - overlay overlay rw
33 32 0:43 / /home/a/merged rw - fuse.fuse-overlayfs fuse-overlayfs rw
"""


def write(path: Path, text: str, mode: int = 0o644, mtime: int = 1_600_000_000_123_456_789) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    os.utime(path, ns=(mtime, mtime))


def listing(root: Path) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        if path.is_symlink():
            content: object = path.readlink()
        else:
            content = path.read_text() if path.is_file() else None
        found[str(path.relative_to(root))] = (stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode), content)
    return found


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    original, copy = tmp_path / "original", tmp_path / "copy"
    for root in (original, copy):
        write(root / "etc/kept", "same")
        write(root / "etc/removed", "x")
        write(root / "etc/changed", "old")
        write(root / "etc/mode", "x", 0o600)
        write(root / "old/deep/file", "x")
        (root / "dev").mkdir()
        (root / "link").symlink_to("etc/kept")
        write(root / "kind", "a file")
    return original, copy


def change(copy: Path) -> None:
    (copy / "etc/removed").unlink()
    write(copy / "etc/changed", "new", mtime=1_700_000_000_000_000_001)
    (copy / "etc/mode").chmod(0o755)
    remove_tree(str(copy / "old"))
    write(copy / "new/deep/file", "n", 0o640)
    (copy / "link").unlink()
    (copy / "link").symlink_to("/elsewhere")
    (copy / "kind").unlink()
    (copy / "kind").mkdir()


def test_changes_are_brought_back(trees: tuple[Path, Path]) -> None:
    original, copy = trees
    kept = (original / "etc/kept").stat()
    change(copy)
    mirror(str(copy), str(original), frozenset())
    assert listing(original) == listing(copy)
    again = (original / "etc/kept").stat()
    assert (again.st_ino, again.st_ctime_ns) == (kept.st_ino, kept.st_ctime_ns), "an unchanged file was touched"
    count = mirror(str(copy), str(original), frozenset())
    assert (count.copied, count.changed, count.removed) == (0, 0, 0)


def test_mount_points_and_what_was_never_copied_are_left_alone(trees: tuple[Path, Path]) -> None:
    original, copy = trees
    write(original / "secret/key", "only here")
    write(original / "etc/hosts", "original")
    write(copy / "etc/hosts", "")
    write(copy / "dev/null", "a plain file")
    (original / "proc").mkdir()
    mirror(str(copy), str(original), frozenset(("secret/key", "etc/hosts")))
    assert (original / "secret/key").read_text() == "only here"
    assert (original / "etc/hosts").read_text() == "original"
    assert not (original / "dev/null").exists()
    assert (original / "proc").is_dir()


def test_what_is_missing_in_a_copy_is_found(trees: tuple[Path, Path]) -> None:
    original, copy = trees
    assert missing_paths(str(original), str(copy)) == []
    write(original / "a/b", "x")
    write(original / "etc/c", "x")
    assert sorted(missing_paths(str(original), str(copy))) == ["a", "etc/c"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_several_owners_are_those_of_files_and_of_directories_with_something_in_them(tmp_path: Path) -> None:
    write(tmp_path / "etc/file", "x")
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to("etc")
    assert not has_owners(str(tmp_path))
    os.chown(tmp_path / "home", 4711, 4711)
    os.chown(tmp_path / "link", 4711, 4711, follow_symlinks=False)
    assert not has_owners(str(tmp_path))
    write(tmp_path / "home/file", "x")
    assert has_owners(str(tmp_path))
    os.chown(tmp_path / "home", 0, 0)
    assert not has_owners(str(tmp_path))
    os.chown(tmp_path / "home/file", 4711, 4711)
    assert has_owners(str(tmp_path))


MIRROR = """
import sys
sys.path.insert(0, sys.argv[1])
from actors.staging.tree.mirror import mirror
count = mirror(sys.argv[2], sys.argv[3], frozenset())
print(count.failed, count.failure)
"""
# root without the rights that a server of network files does not grant it
MERE_OWNER = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
STRANGER = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")


def mirror_as_owner(copy: Path, original: Path, who: tuple[str, ...] = MERE_OWNER) -> str:
    prefix = who if os.geteuid() == 0 else ()
    argv = (*prefix, sys.executable, "-c", MIRROR, str(CHECKOUT), str(copy), str(original))
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def test_what_its_owner_may_not_read_is_brought_back_and_so_is_the_rest(trees: tuple[Path, Path]) -> None:
    original, copy = trees
    change(copy)
    write(copy / "etc/a", "closed", 0o000)
    with contextlib.suppress(OSError):  # not every file system has these; they want the right to read, too
        os.setxattr(copy / "etc/a", "user.note", b"1")
    write(copy / "hidden/b", "also")
    (copy / "hidden").chmod(0o000)
    write(copy / "zz", "last")
    assert mirror_as_owner(copy, original) == "0"
    assert stat.S_IMODE((original / "hidden").stat().st_mode) == stat.S_IMODE((copy / "hidden").stat().st_mode) == 0
    assert stat.S_IMODE((original / "etc/a").stat().st_mode) == 0
    for root in (original, copy):
        (root / "etc/a").chmod(0o600)
        (root / "hidden").chmod(0o700)
    assert (original / "etc/a").read_text() == "closed"
    assert listing(original) == listing(copy)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a directory away")
def test_what_cannot_be_brought_back_is_counted_and_the_rest_comes(trees: tuple[Path, Path]) -> None:
    original, copy = trees
    write(copy / "kept out/new", "x")
    write(original / "kept out/old", "x")
    (original / "kept out").chmod(0o555)
    os.chown(original / "kept out", 4711, 4711)
    write(copy / "zz", "last")
    said = mirror_as_owner(copy, original, STRANGER)
    assert said == "2 kept out/old: you may not"
    assert (original / "zz").read_text() == "last"
    assert not [path for path in original.rglob("*") if path.name.startswith(".scrun-sync")]


def test_a_directory_of_the_original_that_is_closed_to_its_owner_is_no_obstacle(trees: tuple[Path, Path]) -> None:
    original, copy = trees
    for root in (original, copy):
        (root / "closed").mkdir()
    write(copy / "closed/new", "x")
    for root in (original, copy):
        (root / "closed").chmod(0o055)
        root.chmod(0o555)
    copy.chmod(0o511)
    assert mirror_as_owner(copy, original) == "0"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (original, original / "closed")] == [0o511, 0o055]
    assert (original / "closed/new").read_text() == "x"


def test_a_link_is_never_followed(trees: tuple[Path, Path], tmp_path: Path) -> None:
    original, copy = trees
    outside = tmp_path / "outside"
    write(outside / "file", "mine")
    for root in (original, copy):
        (root / "away").symlink_to(outside)
    (copy / "away").unlink()
    write(copy / "away/file", "theirs")
    mirror(str(copy), str(original), frozenset())
    assert (outside / "file").read_text() == "mine"
    assert (original / "away/file").read_text() == "theirs"
    remove_tree(str(original / "link"))
    assert (copy / "link").is_symlink()


def test_directories_without_write_permission_can_be_removed(tmp_path: Path) -> None:
    write(tmp_path / "t/locked/file", "x")
    (tmp_path / "t/locked").chmod(0o500)
    remove_tree(str(tmp_path / "t"))
    assert not (tmp_path / "t").exists()
    remove_tree(str(tmp_path / "t"))


def test_a_tree_of_any_depth_can_be_removed(tmp_path: Path) -> None:
    """Deeper than descriptors, calls in calls and the length of a path allow; with something beside the way down."""
    name = "n" * 200
    descriptor = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir(name, dir_fd=descriptor)
        os.close(os.open("beside", os.O_WRONLY | os.O_CREAT, dir_fd=descriptor))
        below = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.fchmod(descriptor, 0o555)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    tmp_path.chmod(0o700)
    remove_tree(str(tmp_path / name))
    assert os.listdir(tmp_path) == ["beside"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (5_000_000_123, 5_000_000_123, True),
        (5_000_000_123, 5_000_000_999, True),  # microseconds
        (5_000_000_123, 5_000_009_123, False),
        (5_000_000_000, 5_900_000_000, True),  # whole seconds
        (5_000_000_000, 6_000_000_000, False),
    ],
)
def test_times_are_compared_as_the_coarser_file_system_can(one: int, other: int, same: bool) -> None:
    assert same_time(one, other) is same


# --- file systems -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv", "ext4"),
        ("/home/a", "nfs4"),
        ("/homes", "ext4"),
        ("/with space/x", "tmpfs"),
        ("/home/a/merged/bin", "fuse.fuse-overlayfs"),
    ],
)
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    assert file_system(path, mount_table(MOUNTINFO)) == kind


@pytest.mark.parametrize(
    ("wish", "kind", "mode"),
    [
        ("auto", "nfs4", "shared"),
        ("auto", "lustre", "shared"),
        ("auto", "overlay", "overlay"),
        ("auto", "fuse.fuse-overlayfs", "overlay"),
        ("auto", "tmpfs", "overlay"),
        ("auto", "xfs", "overlay"),
        ("auto", "", "overlay"),
        ("shared", "overlay", "shared"),
        ("copy", "nfs", "copy"),
    ],
)
def test_how_a_root_file_system_is_staged(wish: str, kind: str, mode: str) -> None:
    assert decide_mode(wish, kind, links=True) == mode


def test_no_link_leads_to_a_network_file_system_where_runc_is() -> None:
    assert decide_mode("auto", "nfs4", links=False) == "overlay"


def test_facts_about_sources(tmp_path: Path) -> None:
    write(tmp_path / "file", "x")
    facts = bind_facts(
        [
            {"destination": "/a", "type": "bind", "source": f"{tmp_path}/file"},
            {"destination": "/b", "source": str(tmp_path), "options": ["rbind"]},
            {"destination": "/c", "type": "bind", "source": "/no/such/thing"},
            {"destination": "/d", "type": "bind", "source": "/dev/null"},
            {"destination": "/e", "type": "overlay", "source": "overlay", "options": [f"lowerdir={tmp_path}"]},
            {"destination": "/f", "type": "tmpfs", "source": "tmpfs"},
        ]
    )
    assert {path: fact.kind for path, fact in facts.items()} == {
        f"{tmp_path}/file": "file",
        str(tmp_path): "directory",
        "/no/such/thing": "missing",
        "/dev/null": "device",
    }


def test_a_device_is_found_by_its_numbers() -> None:
    devices = [
        {"path": "/dev/mynull", "type": "c", "major": 1, "minor": 3},
        {"path": "/dev/none", "type": "b", "major": 9999, "minor": 1},
    ]
    assert device_paths(devices) == {"/dev/mynull": "/dev/null"}


def test_directories_that_only_lead_to_a_mount_point_do_not_come_back(tmp_path: Path) -> None:
    """The node's runtime makes them in the copy; with a file of the program's beside them they are the program's."""
    copy, original = tmp_path / "copy", tmp_path / "original"
    for top in (copy, original):
        top.mkdir()
    (copy / "var/run/slurm").mkdir(parents=True)
    (copy / "own/run").mkdir(parents=True)
    (copy / "srv/run/slurm").mkdir(parents=True)
    (copy / "srv/run/mine").write_text("x")
    mirror(str(copy), str(original), frozenset({"var/run/slurm", "srv/run/slurm"}))
    assert sorted(str(path.relative_to(original)) for path in original.rglob("*")) == [
        "own", "own/run", "srv", "srv/run", "srv/run/mine",
    ]  # fmt: skip


def test_a_directory_keeps_its_time_where_only_a_mount_point_is_new(tmp_path: Path) -> None:
    copy, original = tmp_path / "copy", tmp_path / "original"
    for top in (copy, original):
        (top / "var").mkdir(parents=True)
    os.utime(original / "var", (1, 1))
    (copy / "var/run/slurm").mkdir(parents=True)
    assert mirror(str(copy), str(original), frozenset({"var/run/slurm"})).changed <= 1  # the top itself
    assert (original / "var").stat().st_mtime == 1
