"""A tree that is imported is the same tree, whatever is in it, and however many processes copy it."""

import os
import random
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.staging.images.importing import NoRoomError, import_tree
from proto.errors import StagingError

from .own_mounts import in_own_mounts, mount

CHECKOUT = Path(__file__).resolve().parents[3]
# root without the rights that a server of network files does not grant it
MERE_OWNER = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
WORKERS = pytest.mark.parametrize("workers", [1, 3])


def state(root: Path) -> dict[bytes, tuple[object, ...]]:
    """Everything that can be told of a tree, at any depth."""
    found: dict[bytes, tuple[object, ...]] = {}
    groups: dict[tuple[int, int], bytes] = {}
    for here, directories, files, descriptor in os.fwalk(os.fsencode(root), follow_symlinks=False):
        for name in (b".", *directories, *files):
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            path = os.path.join(here, name).removeprefix(os.fsencode(root))
            special = b"/proc/self/fd/%d/%b" % (descriptor, name)
            attributes = {
                each: os.getxattr(special, each, follow_symlinks=False)
                for each in os.listxattr(special, follow_symlinks=False)
            }
            content: object = None
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(name, dir_fd=descriptor)
            elif stat.S_ISREG(status.st_mode):
                with open(os.open(name, os.O_RDONLY, dir_fd=descriptor), "rb") as file:
                    content = (file.read(), groups.setdefault((status.st_dev, status.st_ino), path))
            numbers = (status.st_mode, status.st_uid, status.st_gid, status.st_rdev, status.st_mtime_ns)
            links = 0 if stat.S_ISDIR(status.st_mode) else status.st_nlink
            found[path] = (*numbers, links, attributes, content)
    return found


def random_tree(root: Path, seed: int) -> None:
    """Directories, files, links of both kinds, pipes, odd modes and names, times, holes, attributes."""
    dice = random.Random(seed)
    directories = [root]
    root.mkdir()
    files: list[Path] = []
    for number in range(400):
        where = dice.choice(directories)
        name = os.fsdecode(dice.choice([b"n%d", b"\xff\xfe %d", b"new\nline%d", b"-rf%d"]) % number)
        path = where / name
        match dice.randrange(9):
            case 0 | 1:
                path.mkdir()
                directories.append(path)
            case 2 | 3 | 4:
                path.write_bytes(dice.randbytes(dice.choice([0, 1, 4096, 70_000, 300_000])))
                files.append(path)
            case 5:
                path.symlink_to(dice.choice(["/etc/passwd", "..", "nowhere", "x" * 200]))
            case 6 if files:
                os.link(dice.choice(files), path)
            case 7:
                os.mkfifo(path)
            case _:
                with path.open("wb") as file:
                    file.truncate(dice.randrange(1 << 21, 1 << 22))
                    file.seek(dice.randrange(1 << 21))
                    file.write(dice.randbytes(5000))
    for path in (*files, *directories):
        path.chmod(dice.choice([0o644, 0o755, 0o600, 0o4755, 0o2711, 0o1777, 0o000, 0o444]))
        if dice.random() < 0.3:
            os.setxattr(path, "user.note", dice.randbytes(20))
        if os.geteuid() == 0 and dice.random() < 0.3:
            os.chown(path, dice.randrange(5), dice.randrange(5))
    for path in (*files, *reversed(directories)):
        os.utime(path, ns=(dice.randrange(10**18), dice.randrange(10**18)))


@WORKERS
@pytest.mark.parametrize("seed", range(3))
def test_a_random_tree_is_copied_exactly(tmp_path: Path, seed: int, workers: int) -> None:
    if os.geteuid():
        pytest.skip("as an ordinary user not all of it can be copied")
    random_tree(tmp_path / "source", seed)
    before = state(tmp_path / "source")
    count = import_tree(str(tmp_path / "source"), str(tmp_path / "copy"), owners=True, workers=workers)
    assert state(tmp_path / "copy") == before
    assert state(tmp_path / "source") == before
    assert count.missing == 0
    kinds = [mode for mode, *_ in before.values() if isinstance(mode, int)]
    assert count.files == sum(not stat.S_ISDIR(mode) for mode in kinds)
    assert len({stat.S_IFMT(mode) for mode in kinds}) == 4, "the tree lacks a kind"
    assert any(links > 2 for *_, links, _, _ in before.values() if isinstance(links, int)), "the tree lacks hard links"


@WORKERS
def test_many_directories_are_shared_among_the_workers(tmp_path: Path, workers: int) -> None:
    for number in range(600):
        (tmp_path / f"source/{number % 20}/{number}").mkdir(parents=True)
        (tmp_path / f"source/{number % 20}/{number}/f").write_text(str(number))
    count = import_tree(str(tmp_path / "source"), str(tmp_path / "copy"), owners=False, workers=workers)
    assert (count.files, count.size) == (600, sum(len(str(number)) for number in range(600)))
    assert {path.read_text() for path in (tmp_path / "copy").rglob("f")} == {str(number) for number in range(600)}


def test_holes_stay_holes_and_links_stay_one_file(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with (tmp_path / "source/lastlog").open("wb") as file:
        file.truncate(4 << 30)
        file.seek(1 << 30)
        file.write(b"x")
    count = import_tree(str(tmp_path / "source"), str(tmp_path / "copy"), owners=True)
    status = (tmp_path / "copy/lastlog").stat()
    assert status.st_size == 4 << 30
    assert status.st_blocks <= 16
    assert count.size <= 1 << 20


@WORKERS
def test_any_depth_and_any_length_of_path(tmp_path: Path, workers: int) -> None:
    name = b"n" * 200 + b"\xff"
    (tmp_path / "source").mkdir()
    descriptor = os.open(tmp_path / "source", os.O_RDONLY)
    for _ in range(1500):
        os.mkdir(name, dir_fd=descriptor)
        below = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
        os.close(os.open("beside", os.O_WRONLY | os.O_CREAT, dir_fd=descriptor))
    os.close(descriptor)
    try:
        count = import_tree(str(tmp_path / "source"), str(tmp_path / "copy"), owners=True, workers=workers)
        depth = 0
        descriptor = os.open(tmp_path / "copy", os.O_RDONLY)
        while name in map(os.fsencode, os.listdir(descriptor)):
            below = os.open(name, os.O_RDONLY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
            depth += 1
        os.close(descriptor)
        assert (count.files, depth) == (1500, 1500)
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "source", tmp_path / "copy"], check=True)


def test_links_are_copied_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("x")
    (tmp_path / "source").mkdir()
    (tmp_path / "source/link").symlink_to(tmp_path / "outside")
    count = import_tree(str(tmp_path / "source"), str(tmp_path / "copy"), owners=True)
    assert (tmp_path / "copy/link").readlink() == tmp_path / "outside"
    assert count.files == 1


def test_device_nodes_sockets_and_capabilities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid():
        pytest.skip("only root may make them")
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.mkdir()
    os.mknod(source / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(source / "whiteout", stat.S_IFCHR, 0)
    capability = bytes.fromhex("0100000200200000" + 24 * "0")
    (source / "ping").write_text("x")
    os.chown(source / "ping", 5, 5)
    (source / "ping").chmod(0o4711)
    os.setxattr(source / "ping", "security.capability", capability)
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(source)  # a name of a socket has 107 bytes at most
        listener.bind("socket")
    before = state(source)
    assert import_tree(str(source), str(copy), owners=True).missing == 0
    assert state(copy) == before
    assert os.getxattr(copy / "ping", "security.capability") == capability


@in_own_mounts
def test_what_is_mounted_in_it_is_not_copied(tmp_path: Path) -> None:
    (tmp_path / "source/proc").mkdir(parents=True)
    mount(tmp_path / "source/proc", "", kind="tmpfs")
    (tmp_path / "source/proc/1").mkdir()
    import_tree(str(tmp_path / "source"), str(tmp_path / "copy"), owners=True)
    assert os.listdir(tmp_path / "copy/proc") == []


@in_own_mounts
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"source/{number}").mkdir(parents=True)
        (tmp_path / f"source/{number}/f").write_bytes(bytes(20_000))
    (tmp_path / "small").mkdir()
    mount(tmp_path / "small", "size=1m", kind="tmpfs")
    for workers in (1, 3):
        with pytest.raises(NoRoomError, match=f"cannot be copied to {tmp_path}/small: the file system is full$"):
            import_tree(str(tmp_path / "source"), str(tmp_path / "small/tree.new"), owners=True, workers=workers)
        subprocess.run(["rm", "-rf", tmp_path / "small/tree.new"], check=True)


IMPORT = """
import sys
sys.path[:0] = sys.argv[1].split(":")
from actors.staging.images.importing import NoRoomError, import_tree
done = import_tree(sys.argv[2], sys.argv[3], owners=sys.argv[4] == "owners", workers=int(sys.argv[5]))
print(done.files, done.missing, done.first)
"""


def command(source: Path, copy: Path, kind: str, workers: int, prefix: tuple[str, ...] = ()) -> list[str]:
    paths = ":".join((str(CHECKOUT), *(path for path in sys.path if path.endswith("site-packages"))))
    return [*prefix, sys.executable, "-c", IMPORT, paths, str(source), str(copy), kind, str(workers)]


@WORKERS
def test_an_ordinary_user_gets_what_may_be_read_and_is_told_of_the_rest(tmp_path: Path, workers: int) -> None:
    if os.geteuid():
        pytest.skip("only root can give a file away")
    source = tmp_path / "source"
    (source / "closed").mkdir(parents=True)
    (source / "closed/in it").write_text("x")
    for name, mode in (("mode 0", 0), ("setuid", 0o4755), ("read only", 0o444), ("not mine", 0o600)):
        (source / name).write_text(name)
        (source / name).chmod(mode)
    os.setxattr(source / "read only", "user.note", b"x")
    (source / "closed").chmod(0)
    os.chown(source / "not mine", 4711, 4711)
    before = state(source)
    done = subprocess.run(
        command(source, tmp_path / "copy", "single", workers, MERE_OWNER), capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("3 2 the contents of "), done.stderr
    after = state(tmp_path / "copy")
    missing = (b"/not mine", b"/closed/in it")
    assert after == {path: each for path, each in before.items() if path not in missing}
    assert state(source) == before, "the original was changed"


def test_no_worker_outlives_its_importer(tmp_path: Path) -> None:
    """The lock that it was given tells: it is free only when nobody writes any more."""
    for number in range(3000):
        (tmp_path / f"source/{number}").mkdir(parents=True)
    for number in range(3):
        with (tmp_path / f"source/{number}/big").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 200 << 20)
    reader, writer = os.pipe()
    program = IMPORT.replace("workers=", f"keep=({writer},), workers=")
    argv = command(tmp_path / "source", tmp_path / "copy", "owners", 3)
    argv[argv.index("-c") + 1] = program
    with subprocess.Popen(argv, pass_fds=(writer,)) as process:
        os.close(writer)
        wait_for(lambda: len(children(process.pid)) == 3 and (tmp_path / "copy").is_dir())
        workers = children(process.pid)
        process.kill()
    ended = threading.Thread(target=os.read, args=(reader, 1))
    ended.start()
    ended.join(30)
    assert not ended.is_alive(), "a worker still holds the lock"
    wait_for(lambda: not any(map(is_alive, workers)))
    os.close(reader)


def is_alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


def test_a_worker_that_is_killed_is_an_error(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"source/{number}").mkdir(parents=True)
    with subprocess.Popen(
        command(tmp_path / "source", tmp_path / "copy", "owners", 2), stderr=subprocess.PIPE
    ) as process:
        wait_for(lambda: len(children(process.pid)) == 2)
        os.kill(children(process.pid)[0], signal.SIGKILL)
        assert process.stderr is not None
        assert b"ended by another one" in process.stderr.read()
    assert process.returncode


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        os.sched_yield()


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except FileNotFoundError:
        return []


def test_progress_is_told_and_ends_with_all(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"source/{number}").mkdir(parents=True)
        (tmp_path / f"source/{number}/f").write_bytes(bytes(1000))
    told: list[tuple[int, int]] = []
    count = import_tree(
        str(tmp_path / "source"), str(tmp_path / "copy"), owners=True, progress=lambda *now: told.append(now), workers=2
    )
    assert told == sorted(told)
    assert told[-1] == (count.files, count.size) == (50, 50_000)


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StagingError, match=r"the root file system .*nowhere is not there"):
        import_tree(str(tmp_path / "nowhere"), str(tmp_path / "copy"), owners=True)
