"""Where this host has what an engine has mounted on a volume: real mounts in a mount namespace, and mountinfo."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from actors.staging import place

CHECKOUT = Path(__file__).resolve().parents[3]
SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from actors.staging import place
print(*place.place_of(sys.argv[2], place.current()), sep="|")
"""


def in_a_namespace(preparation: str, path: str) -> list[str]:
    words = f'mount --make-rprivate / && {preparation} && exec "$@"'
    python = [sys.executable, "-c", SCRIPT, str(CHECKOUT), path]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", words, "sh", *python], capture_output=True, text=True, check=True
    )
    return done.stdout.rstrip("\n").split("|")


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    made = tmp_path / "volumes/v/_data"
    made.mkdir(parents=True)
    (tmp_path / "d/sub").mkdir(parents=True)
    return made


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")


@needs_root
def test_a_directory_that_is_mounted_on_a_volume_is_found(tmp_path: Path, volume: Path) -> None:
    bind = f"mount --bind {tmp_path}/d {volume}"
    assert in_a_namespace(bind, str(volume)) == [f"{tmp_path}/d", ""]
    assert in_a_namespace(bind, f"{volume}/sub") == [f"{tmp_path}/d/sub", ""]


@needs_root
def test_the_name_that_people_use_is_that_of_the_nearest_mount(tmp_path: Path, volume: Path) -> None:
    (tmp_path / "home").mkdir()
    binds = f"mount --bind {tmp_path}/d {tmp_path}/home && mount --bind {tmp_path}/home/sub {volume}"
    assert in_a_namespace(binds, str(volume)) == [f"{tmp_path}/home/sub", ""]


@needs_root
def test_another_volume_is_no_name_for_it(tmp_path: Path, volume: Path) -> None:
    other = tmp_path / "volumes/w/_data"
    other.mkdir(parents=True)
    binds = f"mount --bind {tmp_path}/d {other} && mount --bind {tmp_path}/d/sub {volume}"
    assert in_a_namespace(binds, str(volume)) == [f"{tmp_path}/d/sub", ""]


@needs_root
def test_what_is_hidden_by_another_mount_is_not_there(tmp_path: Path, volume: Path) -> None:
    binds = f"mount --bind {tmp_path}/d {volume} && mount -t ramfs none {tmp_path}/d"
    where, hidden = in_a_namespace(binds, str(volume))
    assert where == ""
    assert hidden


@needs_root
def test_memory_that_a_volume_has_for_itself_is_copied_from_there(volume: Path) -> None:
    assert in_a_namespace(f"mount -t tmpfs none {volume}", str(volume)) == ["", ""]


def test_an_ordinary_volume_is_where_it_is(volume: Path) -> None:
    assert place.place_of(str(volume), place.current()) == ("", "")


NFS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / {home} rw - nfs4 server:/export rw
31 22 0:41 / {volume} rw - nfs4 server:/export/d rw
"""


def test_an_export_that_is_mounted_twice_is_found_by_the_servers_path(tmp_path: Path, volume: Path) -> None:
    # The inode numbers are the server's: the two paths must be one directory for the test, too.
    volume.rmdir()
    volume.symlink_to(tmp_path / "d")
    mounts = place.read(NFS.format(home=tmp_path, volume=volume))
    assert place.place_of(str(volume), mounts) == (f"{tmp_path}/d", "")


def test_an_export_of_which_this_host_has_no_other_mount_is_named(volume: Path) -> None:
    lines = NFS.format(home="/home", volume=volume).splitlines()
    assert place.place_of(str(volume), place.read("\n".join((lines[0], lines[2])))) == (
        "",
        "server:/export/d, nfs4",
    )
