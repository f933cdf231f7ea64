"""What is taken out of an outcome before it is compared, and what stays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.oci.beside.outcome import files_below, without_names

if TYPE_CHECKING:
    import pathlib

NAMES = {"/home/u/beside-1/0/row": "DIRECTORY", "b12-0-007": "MARK"}


@pytest.mark.parametrize(
    ("said", "compared"),
    [
        (b"/home/u/beside-1/0/row/file", b"DIRECTORY/file"),
        (b"b12-0-007-new is there", b"MARK-new is there"),
        (b"0123456789ab\n", b"ID\n"),
        (b"a" * 64, b"IDIDIDIDID"),
        (b"a" * 63, b"a" * 63),
        (b"0123456789abc", b"0123456789abc"),
        (b"0123456789AB", b"0123456789AB"),
        (b"\xff\x00", b"\xff\x00"),
        (b'time="now" level=warning msg="lstat /sys/fs/cgroup/x: none"\nb', b"b"),
        (b"/ # \x1b[6njobs\r\n", b"/ # jobs\r\n"),
        (b"a\nfailed to resize tty, using default size\r\nb", b"a\nb"),
        (
            b'time="now" level=warning msg="failed to kill all processes, possibly due to lack of cgroup (Hint)"\nb',
            b"b",
        ),
        (
            b'time="now" level=warning msg="failed to kill all processes"\n',
            b'time="now" level=warning msg="failed to kill all processes"\n',
        ),
    ],
)
def test_names_of_a_side_become_words_and_nothing_else_does(said: bytes, compared: bytes) -> None:
    assert without_names(said, NAMES) == compared


def test_files_with_all_that_is_theirs(tmp_path: pathlib.Path) -> None:
    place = tmp_path / "b12-0-007"
    (place / "d/deep").mkdir(parents=True)
    (place / "f").write_bytes(b"\xff b12-0-007")
    (place / "f").chmod(0o4640)
    (place / "d/same").hardlink_to(place / "f")
    (place / "link").symlink_to(place)
    os.mkfifo(place / "pipe", 0o600)
    with open(os.fsencode(place) + b"/\xe4", "wb"):
        pass
    found = files_below(place, {str(place): "DIRECTORY", "b12-0-007": "MARK"})
    assert set(found) == {b"d", b"d/deep", b"d/same", b"f", b"link", b"pipe", b"\xe4"}
    assert found[b"f"] == found[b"d/same"]
    owner = f"{os.getuid()}:{os.getgid()}"
    assert found[b"f"].line() == rf"file 4640 {owner} 2 b'\xff MARK'"
    assert found[b"link"].content == b"DIRECTORY"
    assert (found[b"pipe"].kind, found[b"d"].kind, found[b"d"].links) == ("pipe", "directory", 1)
