"""The test bed itself: on the cluster's squashed file system root is nobody, as on NFS with root_squash.

If it became an ordinary directory, the tests that use it would pass and show nothing.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from actors.staging.filesystem import NETWORK_FILE_SYSTEMS, current_mounts, file_system

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Cluster, Runner

NOBODY = 65534


@pytest.fixture
def place(cluster: Cluster, as_user: Runner) -> Iterator[pathlib.Path]:
    """Files of the user's, below a directory that others may only go through."""
    path = cluster.squashed / "bed"
    script = """set -e; umask 0; mkdir -m 711 "$0"; cd "$0"; mkdir -m 700 closed; mkdir -m 777 wide
        for file in own open closed/open; do echo word >$file; chmod 644 $file; done; chmod 600 own"""
    done = as_user(["/bin/sh", "-c", script, str(path)])
    assert done.returncode == 0, done.stderr
    yield path
    as_user(["rm", "-rf", str(path)])


def test_root_may_do_what_others_may(place: pathlib.Path) -> None:
    assert (place / "open").read_text() == "word\n"
    made = place / "wide/made"
    made.write_text("by root")
    assert (made.stat().st_uid, made.stat().st_gid) == (NOBODY, NOBODY)


@pytest.mark.parametrize("name", ["own", "closed/open"])
def test_root_cannot_read_what_others_may_not(place: pathlib.Path, as_user: Runner, name: str) -> None:
    # What its owner has just looked at is not open for the next one.
    assert as_user(["cat", str(place / name)]).stdout == "word\n"
    with pytest.raises(PermissionError):
        (place / name).read_text()


@pytest.mark.parametrize(
    "change",
    [
        lambda place: (place / "open").write_text("other"),
        lambda place: (place / "open").chmod(0o666),
        lambda place: (place / "own").chmod(0o644),
        lambda place: os.chown(place / "open", 0, 0),
        lambda place: (place / "open").unlink(),
        lambda place: (place / "made").mkdir(),
        os.listdir,
        lambda place: os.chdir(place / "closed"),
    ],
    ids=["write", "chmod", "chmod-own", "chown", "unlink", "mkdir", "list", "chdir"],
)
def test_root_is_refused(place: pathlib.Path, change: Callable[[pathlib.Path], Any]) -> None:
    with pytest.raises(PermissionError):
        change(place)
    assert (place / "open").read_text() == "word\n"


def test_so_it_is_on_a_node(place: pathlib.Path) -> None:
    """slurmstepd opens config.json as root, in the mount table of its slurmd."""
    pid = pathlib.Path("/run/scrun-cluster/slurmd-node1.pid").read_text().strip()

    def cat(name: str) -> str:
        words = ["nsenter", "--target", pid, "--mount", "cat", str(place / name)]
        return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout

    assert cat("open") == "word\n"
    assert "Permission denied" in cat("own")
    assert "Permission denied" in cat("closed/open")


def test_who_is_refused_takes_nothing_from_others(place: pathlib.Path, as_user: Runner) -> None:
    """The kernel unmounts what is mounted on a file that it takes for gone."""
    script = """mount --bind "$0/open" "$0/closed/open" && echo ready && read word &&
        grep -c "$0/closed/open" /proc/mounts"""
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(place)]
    with as_user.start(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        with pytest.raises(PermissionError):
            (place / "closed/open").read_text()
        process.stdin.write(b"go on\n")
        process.stdin.close()
        assert process.stdout.read() == b"1\n"


@pytest.mark.parametrize("change", ["chown 1000 open", "chgrp 1000 open", "mknod null c 1 3"])
def test_the_user_s_ids_are_no_owners(place: pathlib.Path, as_user: Runner, change: str) -> None:
    """As root of his user namespace he has the capability, and the server does not care."""
    done = as_user(["podman", "unshare", "sh", "-c", f"cd {place} && {change}"])
    assert done.returncode != 0
    assert "Operation not permitted" in done.stderr


def test_all_else_is_an_ordinary_file_system(place: pathlib.Path, as_user: Runner) -> None:
    script = """set -e; cd "$0"
        chmod 4751 own; mkdir -m 3775 group; stat -c %a own group
        ln own hard; stat -c %h own; ln -s own soft; readlink soft; cat soft
        mv group moved; mv hard moved/own; cmp own moved/own; touch -h -d @-7 soft; stat -c %Y soft
        mkfifo pipe; fallocate -l 5000 open; stat -c %s open
        exec 9<own; rm own moved/own; cat <&9
        chmod 0 open; cat open 2>&1 || chmod 600 open; flock open ls -A moved"""
    done = as_user(["/bin/sh", "-c", script, str(place)])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "4751", "3775", "2", "own", "word", "-7", "5000", "word", "cat: open: Permission denied",
    ]  # fmt: skip


def test_scrun_takes_it_for_a_network_file_system(place: pathlib.Path) -> None:
    assert file_system(str(place), current_mounts()) in NETWORK_FILE_SYSTEMS
