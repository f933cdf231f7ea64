import os
import subprocess
from pathlib import Path

import pytest

from tests import census

pytestmark = pytest.mark.unit


def test_our_own_descriptors_are_found(tmp_path: Path) -> None:
    path = tmp_path / "a b\nc"
    reader, writer = os.pipe()
    file = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        found = census.descriptors(os.getpid())
        assert found[reader] == found[writer]
        assert census.kind(found[reader]) == "pipe"
        assert found[file] == str(path)
        assert census.kind(found[file]) == "file"
    finally:
        for fd in (reader, writer, file):
            os.close(fd)
    assert not {reader, writer, file} & set(census.descriptors(os.getpid()))


def test_the_descriptor_that_looks_is_left_out() -> None:
    assert not [name for name in census.descriptors(os.getpid()).values() if name.endswith("/fd")]


def test_another_process() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        assert child.stdin is not None
        found = census.descriptors(child.pid)
        ours = os.readlink(f"/proc/self/fd/{child.stdin.fileno()}")
        assert (found[0], found[1]) == (ours, "/dev/null")
        assert census.holders(ours, [child.pid, os.getpid()]) == {
            child.pid: [0],
            os.getpid(): [child.stdin.fileno()],
        }
        child.stdin.close()
        child.wait(10)
        with pytest.raises(ProcessLookupError):
            census.descriptors(child.pid)
        assert census.holders(ours, [child.pid]) == {}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("pipe:[12]", "pipe"),
        ("socket:[3]", "socket"),
        ("anon_inode:[eventpoll]", "anon_inode"),
        ("/dev/null", "file"),
        ("/with:colon", "file"),
        ("/gone (deleted)", "file"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert census.kind(text) == kind
