"""What a node's shell is told to do when a program is added to a container."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from actors.slurm import enter

if TYPE_CHECKING:
    import pathlib

RUNTIME = """#!/bin/sh
# A runtime that says what it was given, and fails in the words of another one.
log=/dev/null
case $1 in --log=*) log=${1#--log=}; shift;; esac
cat "$3"; echo " $1 $2 $4"
if [ "$SAYS" ]; then echo "$SAYS" >>"$log"; echo "$SAYS" >&2; fi
exit "$STATUS"
"""


@pytest.mark.parametrize("size", [0, 1, enter.PART, enter.PART + 1, 3 * enter.PART])
def test_variables_carry_the_whole_description(size: int) -> None:
    process = os.urandom(size).replace(b"\0", b"x")
    entries = enter.variables(process)
    assert b"".join(entry.partition(b"=")[2] for entry in entries) == process
    assert len(set(enter.names(entries))) == len(entries)
    assert all(len(entry) < 128 << 10 for entry in entries)


@pytest.fixture(params=[("/bin/dash",), ("/bin/bash", "--posix"), ("/bin/busybox", "sh")], ids=lambda words: words[0])
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """What /bin/sh of a node may be."""
    words: tuple[str, ...] = request.param
    if not os.path.exists(words[0]):
        pytest.skip(f"there is no {words[0]}")
    return words


def run(
    shell: tuple[str, ...], tmp_path: pathlib.Path, process: bytes, *environ: bytes, terminal: bool = False
) -> subprocess.CompletedProcess[bytes]:
    runtime = tmp_path / "runtime"
    runtime.write_text(RUNTIME)
    runtime.chmod(0o755)
    entries = enter.variables(process)
    environment = dict(entry.split(b"=", 1) for entry in (*entries, *environ, b"PATH=/usr/bin:/bin"))
    script = enter.HERE + enter.adding(entries, terminal=terminal)
    words = [*shell, "-c", os.fsdecode(script), "sh", "ID", str(runtime)]
    return subprocess.run(words, env=environment, capture_output=True, check=False)


@pytest.mark.parametrize("text", ["x", "$(id) `id` \\ \" ' \nEND\n", "é" * 200000])
def test_the_runtime_reads_what_was_written(shell: tuple[str, ...], tmp_path: pathlib.Path, text: str) -> None:
    process = json.dumps({"args": [text]}).encode()
    done = run(shell, tmp_path, process, b"STATUS=0")
    assert (done.returncode, done.stdout, done.stderr) == (0, process + b"\n exec --process ID\n", b"")


# As crun 1.8 and 1.21 and runc 1.1 write them into their log.
@pytest.mark.parametrize(
    ("says", "status", "expected"),
    [
        ("2026-01-01T00:00:00Z: executable file `nosuch` not found in $PATH: No such file or directory", 255, 127),
        ("2026-01-01T00:00:00Z: open executable: Permission denied", 255, 126),
        ("the path `/etc/passwd` exists but it is not executable: Operation not permitted", 255, 126),
        ("the path `/etc` is not a regular file: Operation not permitted", 1, 126),
        ('exec failed: unable to start container process: exec: "x": executable file not found in $PATH', 255, 127),
        ('exec failed: unable to start container process: exec: "/x": stat /x: no such file or directory', 255, 127),
        ('exec failed: unable to start container process: exec: "/etc/passwd": permission denied', 255, 126),
        ("2026-01-01T00:00:00Z: chdir `/nope`: No such file or directory", 255, 127),
        ('chdir to cwd ("/x") set in config.json failed: no such file or directory', 255, 127),
        ("error opening file `/run/crun/x/status`: No such file or directory", 1, 1),
        ("", 255, 255),
        ("time= level=warning msg=executable file of another not found", 0, 0),
    ],
)
@pytest.mark.parametrize("terminal", [False, True])
def test_a_failure_of_the_runtime_becomes_a_status(
    shell: tuple[str, ...], tmp_path: pathlib.Path, says: str, status: int, expected: int, terminal: bool
) -> None:
    done = run(shell, tmp_path, b"{}", b"SAYS=" + says.encode(), b"STATUS=%d" % status, terminal=terminal)
    assert done.returncode == expected
    assert done.stderr.decode().strip() == (says.removeprefix("2026-01-01T00:00:00Z: ") if terminal else says)


@pytest.mark.parametrize("terminal", [False, True])
def test_a_node_without_the_container(shell: tuple[str, ...], terminal: bool) -> None:
    """It waits some seconds for one that may be about to come; here a function stands for the time."""
    script = b"sleep() { :; }\n" + enter.on_node(enter.variables(b"{}"), terminal=terminal, null_input=True)
    words = [*shell, "-c", os.fsdecode(script), "sh", os.urandom(8).hex()]
    done = subprocess.run(words, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (255, b"")
    assert done.stderr.decode().strip() == enter.NO_RUNTIME
