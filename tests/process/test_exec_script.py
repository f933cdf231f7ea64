"""The node's script for ``exec`` on a terminal, with a runtime that says what crun 1.8.1 was seen to say."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from actors.slurm import enter

if TYPE_CHECKING:
    import pathlib

# crun's:
RED, PLAIN = r"\033[1;31m", r"\033[0m"
DATE = "2026-11-30T10:28:09.687184Z: "
# runc's:
TIME = 'time="2026-11-30T10:28:09Z" level=error msg="exec failed: container does not exist"'
NOT_FOUND = "executable file `nosuch` not found in $PATH: No such file or directory"


def says(directory: pathlib.Path, output: str, errors: str, status: int) -> tuple[bytes, str]:
    """What comes through slurmstepd's terminal, and what the script knows then: the runtime's status and its words.

    Args:
        directory: an empty one.
        output: of the runtime, in printf(1)'s form, on its standard output, which it makes raw as crun does.
        errors: the same, after it has given the terminal back.
        status: the runtime's.

    """
    runtime = directory / "runtime"
    runtime.write_text(
        f"#!/bin/sh\nold=$(stty -g); stty raw\nprintf '{output}'\nstty $old\nprintf '{errors}' >&2\nexit {status}\n"
    )
    runtime.chmod(0o755)
    script = enter.reading(enter.TERMINAL, [b"PROCESS={}"]).decode()
    known = directory / "known"
    master, slave = os.openpty()
    script = f'id=box\nset -- {runtime}\n{script}\nprintf "%d:%s" "$status" "$log" >{known}\n'
    done = subprocess.run(["/bin/sh", "-c", script], stdin=slave, stdout=slave, stderr=slave, check=True)
    assert not done.returncode
    os.close(slave)
    seen = b""
    try:
        while data := os.read(master, 4096):
            seen += data
    except OSError:  # EIO: that was all
        pass
    os.close(master)
    return seen, known.read_text()


@pytest.mark.parametrize("status", [0, 7])
@pytest.mark.parametrize(
    ("output", "tail", "seen"),
    [
        (r"all of it\r\n", "", b"all of it\r\n"),
        ("", r"the last\r\n\n", b"the last\r\n"),
        (r"one\r\n", r"two\r\nthree\r\n\r\n\n", b"one\r\ntwo\r\nthree\r\n\r\n"),
        ("", r"a prompt \n", b"a prompt "),
        ("", r"raw\n\n\n", b"raw\n\n"),
        ("", rf"{RED}red{PLAIN}\r\n\n", b"\033[1;31mred\033[0m\r\n"),
        ("", rf"{NOT_FOUND}\r\n\n", NOT_FOUND.encode() + b"\r\n"),
    ],
)
def test_all_of_the_programs_output_comes_as_it_is(
    tmp_path: pathlib.Path, output: str, tail: str, seen: bytes, status: int
) -> None:
    assert says(tmp_path, output, tail, status) == (seen, f"{status}:")


def test_the_end_of_a_program_that_fails_as_a_runtime_does(tmp_path: pathlib.Path) -> None:
    assert says(tmp_path, "", r"the last\r\n\n", 1) == (b"the last\r\n", "1:")


@pytest.mark.parametrize(
    ("errors", "status", "words"),
    [
        (rf"{DATE}{NOT_FOUND}\n", 1, NOT_FOUND),
        (rf"{RED}{DATE}{NOT_FOUND}{PLAIN}\r\n\n", 1, NOT_FOUND),
        (rf"{NOT_FOUND}\n", 1, NOT_FOUND),
        (rf"{TIME}\n", 255, TIME),
        (rf"{TIME}\n", 0, TIME),
    ],
)
def test_what_the_runtime_says_itself_is_told_without_date_and_colours(
    tmp_path: pathlib.Path, errors: str, status: int, words: str
) -> None:
    assert says(tmp_path, "", errors, status) == (words.encode() + b"\r\n", f"{status}:{words}")
