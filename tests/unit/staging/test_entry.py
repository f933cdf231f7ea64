import os
import struct
import subprocess
from pathlib import Path

import pytest

from actors.staging.entry import entry_argv, entry_file, entry_path

MACHINE = os.uname().machine


@pytest.mark.parametrize(("machine", "number"), [("x86_64", 62), ("aarch64", 183)])
def test_the_file_is_one_static_executable_for_its_machine(machine: str, number: int) -> None:
    content = entry_file(machine)
    assert content is not None
    kind, e_machine, _version, entry, table = struct.unpack_from("<HHIQQ", content, 16)
    assert (kind, e_machine, table) == (2, number, 64)
    loaded, _flags, offset, address, _physical, in_file, in_memory = struct.unpack_from("<IIQQQQQ", content, table)
    assert (loaded, offset, in_file, in_memory) == (1, 0, len(content), len(content))
    assert entry == address + 120
    assert len(content) < 200


def test_there_is_none_for_other_machines() -> None:
    assert entry_file("sparc64") is None


@pytest.fixture
def entry(tmp_path: Path) -> str:
    content = entry_file(MACHINE)
    if content is None:
        pytest.skip(f"no entry file for {MACHINE}")
    path = tmp_path / "entry"
    path.write_bytes(content)
    path.chmod(0o755)
    return str(path)


def run(*argv: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, env={"WORD": "kept"}, capture_output=True, check=False)


def test_it_executes_the_program_with_its_own_first_word_and_the_environment(entry: str) -> None:
    done = run(entry, "/bin/sh", "another name", "-c", 'echo "$0 $1 $WORD"; exit 7', "zero", "one")
    assert (done.returncode, done.stdout) == (7, b"zero one kept\n")
    assert run(entry, "/bin/sh", "argv0", "-c", "cat /proc/$$/cmdline").stdout.startswith(b"argv0\0")


def test_it_says_127_for_a_missing_and_126_for_an_unusable_program(entry: str, tmp_path: Path) -> None:
    assert run(entry, str(tmp_path / "missing"), "x").returncode == 127
    assert run(entry, str(tmp_path), "x").returncode == 126
    assert run(entry).returncode == 126


def test_the_command_names_the_entry_the_program_and_all_words() -> None:
    assert entry_path("c0") == "/dev/.scrun-c0"
    assert entry_argv("c0", b"/bin/a", (b"a", b"\xff")) == (b"/dev/.scrun-c0", b"/bin/a", b"a", b"\xff")


def test_an_undecided_program_is_found_in_the_container() -> None:
    assert entry_argv("c", b"", (b"./a", b"b")) == (b"/dev/.scrun-c", b"./a", b"./a", b"b")
    assert entry_argv("c", b"", (b"a", b"b"))[:6] == (
        b"/dev/.scrun-c", b"/bin/sh", b"sh", b"-c", b'exec "$0" "$@"', b"a",
    )  # fmt: skip
