"""Deep trees, long paths, huge holes, few descriptors, file systems that refuse, and death at any step."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from actors.staging.tree.changes import apply_changes
from actors.staging.tree.mirror import mirror, missing_paths
from actors.staging.tree.removal import remove
from actors.staging.tree.spared import Spared
from tests.process.staging.overlay_worker import TAR
from tests.process.staging.tree_programs import BEGINNING, at_random, describe, run

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).resolve().parents[3]
DEEP = 1500
LONG = "a name of which twenty make more than the 4,096 bytes of a path " + "x" * 190
GIB = 1 << 30
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="owners, devices and capabilities are root's")


def dig(top: Path, depth: int, name: str) -> None:
    """Nested directories, each with a file, deeper than a path can name."""
    at = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    for number in range(depth):
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
        os.close(os.open(f"file {number}", os.O_WRONLY | os.O_CREAT, dir_fd=below))
        os.close(at)
        at = below
    os.close(at)


def walked(top: Path) -> list[tuple[str, ...]]:
    """What is in each directory of a way down."""
    found = []
    at = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    while True:
        names = sorted(os.listdir(at))
        found.append(tuple(names))
        inner = [name for name in names if not name.startswith("file")]
        if not inner:
            os.close(at)
            return found
        below = os.open(inner[0], os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
        os.close(at)
        at = below


@pytest.fixture
def few_descriptors() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 16, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def cleared(*tops: Path) -> None:
    """Pytest could not remove such trees."""
    for top in tops:
        at = os.open(top.parent, os.O_RDONLY)
        remove(at, top.name, top.name, Spared(()))
        os.close(at)
        assert not top.exists()


def archive_of(upper: Path, path: Path) -> str:
    subprocess.run([*TAR, "-cf", path, "-C", upper, "."], check=True, env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
    return str(path)


@pytest.mark.parametrize(("name", "depth"), [("d", DEEP), (LONG, 40)], ids=["deep", "long"])
@pytest.mark.usefixtures("few_descriptors")
def test_no_tree_is_too_deep(tmp_path: Path, name: str, depth: int) -> None:
    copy, original, other = (tmp_path / what for what in ("copy", "original", "other"))
    for top in (copy, original, other):
        top.mkdir()
    dig(copy, depth, name)
    path = archive_of(copy, tmp_path / "tar")
    count = mirror(str(copy), str(original), frozenset())
    assert (count.failure, count.copied) == ("", 2 * depth)
    assert walked(original) == walked(copy)
    again = mirror(str(copy), str(original), frozenset())
    assert (again.failure, again.copied, again.changed) == ("", 0, 0)
    count = apply_changes(path, str(other), frozenset())
    assert (count.failure, count.copied) == ("", 2 * depth)
    assert walked(other) == walked(copy)
    assert missing_paths(str(original), str(copy)) == []
    cleared(copy)
    copy.mkdir()
    assert missing_paths(str(original), str(copy)) == [name]
    count = mirror(str(copy), str(original), frozenset())
    assert (count.failure, os.listdir(original)) == ("", [])
    cleared(copy, original, other)


def test_holes_of_gibibytes_take_no_room_and_no_time_to_compare(tmp_path: Path) -> None:
    copy, original, other = (tmp_path / what for what in ("copy", "original", "other"))
    for top in (copy, original, other):
        top.mkdir()
    with open(copy / "lastlog", "wb") as file:
        file.truncate(4 * GIB)
        for at in (GIB - 5, 3 * GIB):
            os.pwrite(file.fileno(), b"not a hole", at)
    apply_changes(archive_of(copy, tmp_path / "tar"), str(other), frozenset())
    mirror(str(copy), str(original), frozenset())
    assert mirror(str(copy), str(original), frozenset()).copied == 0
    for top in (original, other):
        status = (top / "lastlog").stat()
        assert (status.st_size, status.st_blocks) == (4 * GIB, (copy / "lastlog").stat().st_blocks)
        with open(top / "lastlog", "rb") as file:
            assert [os.pread(file.fileno(), 11, at) for at in (GIB - 5, 3 * GIB)] == [b"not a hole\0"] * 2
    with open(copy / "lastlog", "r+b") as file:
        os.pwrite(file.fileno(), b"NOT", 3 * GIB)
    os.utime(copy / "lastlog", ns=(1, (original / "lastlog").stat().st_mtime_ns))
    assert mirror(str(copy), str(original), frozenset()).copied == 1


# --- what the stager knows of the copy ---


@root_only
def test_what_the_copy_never_had_stays(tmp_path: Path) -> None:
    copy, original = tmp_path / "copy", tmp_path / "original"
    for top in (copy, original):
        (top / "d").mkdir(parents=True)
        (top / "d/file").write_text("old")
    os.chown(original / "d/file", 4711, 4711)
    os.setxattr(original / "d/file", "user.kept", b"1")
    (copy / "d/file").write_text("new")
    os.setxattr(copy / "d/file", "user.set", b"2")
    count = mirror(str(copy), str(original), frozenset(), owners=False, xattrs=False)
    status = (original / "d/file").stat()
    assert (count.failure, (original / "d/file").read_text(), status.st_uid) == ("", "new", 4711)
    assert sorted(os.listxattr(original / "d/file")) == ["user.kept", "user.set"]


@root_only
def test_what_the_container_has_not_touched_is_left_alone(tmp_path: Path) -> None:
    """Owners that a lossy copy does not have, for example, and its contents are not read."""
    copy, original = tmp_path / "copy", tmp_path / "original"
    for top in (copy, original):
        top.mkdir()
        for name in ("quiet", "touched"):
            (top / name).write_text("same")
            os.utime(top / name, (7, 7))
    os.chown(original / "quiet", 4711, 4711)
    os.chown(original / "touched", 4711, 4711)
    since = max((copy / "quiet").stat().st_ctime_ns, (copy / "touched").stat().st_ctime_ns) + 1
    while (copy / "touched").stat().st_ctime_ns < since:
        os.utime(copy / "touched", (7, 7))
    mirror(str(copy), str(original), frozenset(), since)
    assert [(original / name).stat().st_uid for name in ("quiet", "touched")] == [4711, 0]


# --- file systems that refuse ---

REFUSING = """
import json, os, sys
from actors.staging.tree.mirror import mirror
from actors.staging.tree.changes import apply_changes
copy, original, archive = sys.argv[1:]
count = apply_changes(archive, original, frozenset()) if archive else mirror(copy, original, frozenset())
names = sorted(os.listdir(original))
modes = [oct(os.lstat(os.path.join(original, name)).st_mode & 0o7777) for name in names]
print(json.dumps([count.failure, count.refused, names, modes]))
"""


@root_only
@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize(
    ("prefix", "refused"),
    [
        (("setpriv", "--bounding-set=-chown,-setfcap"), 2),
        (("unshare", "--mount", "--propagation", "private", "sh", "-c", 'mount -t ramfs ramfs "$0" && exec "$@"'), 1),
    ],
    ids=["owners and capabilities", "extended attributes"],
)
def test_where_owners_or_attributes_are_refused_all_else_comes(
    tmp_path: Path, prefix: tuple[str, ...], refused: int, archived: bool
) -> None:
    copy, original = tmp_path / "copy", tmp_path / "original"
    copy.mkdir()
    original.mkdir()
    for name in ("given", "noted", "plain"):
        (copy / name).write_text("new")
    os.chown(copy / "given", 4711, 4711)
    (copy / "given").chmod(0o4755)
    os.setxattr(copy / "noted", "security.capability", b"\1\0\0\2\0\x20\0\0" + bytes(12))
    words = [sys.executable, "-c", REFUSING, str(copy), str(original)]
    words.append(archive_of(copy, tmp_path / "tar") if archived else "")
    place = (str(original),) if prefix[0] == "unshare" else ()
    done = subprocess.run([*prefix, *place, *words], cwd=CHECKOUT, check=True, stdout=subprocess.PIPE)
    given = "0o4755" if refused == 1 else "0o755"  # a set-id file of the wrong owner would be a gift to everybody
    assert json.loads(done.stdout) == ["", refused, ["given", "noted", "plain"], [given, "0o644", "0o644"]]


# --- death ---

MORTAL = """
import os, signal, sys
from actors.staging.tree.mirror import mirror
from actors.staging.tree.changes import apply_changes
copy, original, archive, left = sys.argv[1:]
left = int(left)
def mortal(call):
    def called(*args, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **named)
    return called
for name in ("rename", "mkdir", "rmdir", "unlink", "chmod", "chown", "utime", "setxattr", "removexattr", "symlink",
             "link", "mknod", "pwrite", "copy_file_range", "ftruncate"):
    setattr(os, name, mortal(getattr(os, name)))
apply_changes(archive, original, frozenset()) if archive else mirror(copy, original, frozenset())
"""


@root_only
@pytest.mark.parametrize("archived", [False, True])
def test_after_a_death_at_any_step_the_second_run_makes_it_right(tmp_path: Path, archived: bool) -> None:
    """The program is one of many operations; it dies at every seventh call that changes something."""
    copy, first, original = tmp_path / "copy", tmp_path / "first", tmp_path / "original"
    first.mkdir()
    run(str(first), BEGINNING, Counter())
    subprocess.run(["cp", "-a", first, copy], check=True)
    run(str(copy), [one for one in at_random(4) if one[0] != "socket"], Counter())
    archive = archive_of(copy, tmp_path / "tar") if archived else ""
    wanted: Any = describe(str(copy))
    deaths = 0
    for step in range(0, 7000, 7):
        subprocess.run(["cp", "-a", first, original], check=True)
        words = [sys.executable, "-c", MORTAL, str(copy), str(original), archive, str(step)]
        status = subprocess.run(words, cwd=CHECKOUT, check=False).returncode
        again = apply_changes(archive, str(original), frozenset()) if archived else None
        again = again or mirror(str(copy), str(original), frozenset())
        found = describe(str(original))
        assert (again.failure, [name for name in found if ".scrun" in name]) == ("", [])
        if archived:
            found = {path: facts for path, facts in found.items() if path in wanted}  # nothing says that they are gone
            assert [path for path in wanted if without_links(found[path]) != without_links(wanted[path])] == []
        else:
            assert found == wanted
        cleared(original)
        if not status:
            break
        deaths += 1
    assert deaths > 5


def without_links(facts: tuple[Any, ...]) -> Any:
    return facts[:7] if facts[0] in {stat.S_IFCHR, stat.S_IFIFO} else facts
