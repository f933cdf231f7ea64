import os
import shutil
import signal
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.oci.entry import ENTRY_MODE, entry_argv, entry_file, entry_path, has_code
from actors.oci.entry_place import entry_directory

MACHINE = os.uname().machine


@pytest.mark.parametrize(("machine", "number"), [("x86_64", 62), ("aarch64", 183)])
def test_the_file_is_one_static_executable_for_its_machine(machine: str, number: int) -> None:
    content = entry_file(machine)
    kind, e_machine, _version, entry, table = struct.unpack_from("<HHIQQ", content, 16)
    assert (kind, e_machine, table) == (2, number, 64)
    loaded, _flags, offset, address, _physical, in_file, in_memory = struct.unpack_from("<IIQQQQQ", content, table)
    assert (loaded, offset, in_file, in_memory) == (1, 0, len(content), len(content))
    assert entry == address + 120
    assert len(content) < 1024


def test_there_is_none_for_other_machines() -> None:
    assert not has_code("sparc64")


def executable(path: Path, machine: str, env: Sequence[bytes] = (), pipe: str = "", stdin: str = "") -> str:
    if not has_code(machine):
        pytest.skip(f"no entry file for {machine}")
    path.write_bytes(entry_file(machine, env, pipe, stdin))
    path.chmod(ENTRY_MODE)
    return str(path)


@pytest.fixture
def entry(tmp_path: Path) -> str:
    return executable(tmp_path / "entry", MACHINE)


def run(*argv: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, env={"WORD": "kept"}, capture_output=True, check=False)


def test_it_executes_the_program_with_its_own_first_word_and_the_environment(entry: str) -> None:
    done = run(entry, "/bin/sh", "another name", "-c", 'echo "$0 $1 $WORD"; exit 7', "zero", "one")
    assert (done.returncode, done.stdout) == (7, b"zero one kept\n")
    assert run(entry, "/bin/sh", "argv0", "-c", "cat /proc/$$/cmdline").stdout.startswith(b"argv0\0")


EMULATORS = {"x86_64": "qemu-x86_64", "aarch64": "qemu-aarch64"}


@pytest.fixture(params=sorted(EMULATORS))
def machine(request: pytest.FixtureRequest) -> tuple[str, tuple[str, ...]]:
    """A machine, and what runs its code here."""
    name: str = request.param
    if name != MACHINE and not shutil.which(EMULATORS[name]):
        pytest.skip(f"nothing here runs the code of {name}")
    return name, () if name == MACHINE else (EMULATORS[name],)


@pytest.mark.parametrize(
    ("content", "mode", "status", "why"),
    [
        (None, 0, 127, "no such file or directory\n"),
        (b"#!/no/such/interpreter\n", 0o755, 127, "no such file or directory: the image lacks the interpreter"),
        (b"\x7fELF of another machine", 0o755, 126, "exec format error\n"),
        (b"#!/bin/sh\n", 0o644, 126, "permission denied\n"),
    ],
)
def test_why_a_program_cannot_be_run(
    tmp_path: Path, machine: tuple[str, tuple[str, ...]], content: bytes | None, mode: int, status: int, why: str
) -> None:
    name, emulator = machine
    entry = executable(tmp_path / "entry", name)
    program = tmp_path / "program"
    if content is not None:
        program.write_bytes(content)
        program.chmod(mode)
    done = run(*emulator, entry, str(program), "x")
    assert (done.returncode, done.stdout) == (status, b"")
    assert done.stderr.startswith(f"exec {program}: {why}".encode())
    assert done.stderr.count(b"\n") == 1


def test_other_reasons(entry: str, tmp_path: Path) -> None:
    assert run(entry, str(tmp_path), "x").stderr == f"exec {tmp_path}: permission denied\n".encode()
    done = run(entry, "/dev/null/program", "x")
    assert (done.returncode, done.stderr) == (126, b"exec /dev/null/program: it cannot be executed\n")
    assert (run(entry).returncode, run(entry).stderr) == (126, b"")


def ignore_and_block_all() -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def test_no_signal_is_ignored_or_blocked(tmp_path: Path, machine: tuple[str, tuple[str, ...]]) -> None:
    name, emulator = machine
    entry = executable(tmp_path / "entry", name)
    words = [*emulator, entry, "/bin/grep", "grep", "-E", "SigBlk|SigIgn", "/proc/self/status"]
    done = subprocess.run(words, capture_output=True, check=True, preexec_fn=ignore_and_block_all)
    emulators = 0b11 << 31 | 1 << 5 if emulator else 0  # qemu keeps 32 and 33 for itself, and qemu 10 SIGABRT
    assert [int(line.split()[1], 16) & ~emulators for line in done.stdout.splitlines()] == [0, 0]


def test_its_input_is_the_file_that_it_is_to_be(tmp_path: Path, machine: tuple[str, tuple[str, ...]]) -> None:
    name, emulator = machine
    (tmp_path / "input").write_text("word\n")
    for path, expected in (("", b"given\n"), (str(tmp_path / "input"), b"word\n"), (str(tmp_path / "no"), b"given\n")):
        entry = executable(tmp_path / f"entry{len(path)}", name, stdin=path)
        words = [*emulator, entry, "/bin/sh", "sh", "-c", "cat; ls /proc/$$/fd"]
        done = subprocess.run(words, input=b"given\n", capture_output=True, check=True)
        said, *open_files = done.stdout.splitlines(keepends=True)
        assert said == expected
        assert emulator or b"".join(open_files).split() == [b"0", b"1", b"2"]


def test_its_output_is_the_pipe_as_soon_as_somebody_reads_it(
    tmp_path: Path, machine: tuple[str, tuple[str, ...]]
) -> None:
    name, emulator = machine
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    entry = executable(tmp_path / "entry", name, pipe=str(pipe))
    words = [*emulator, entry, "/bin/sh", "sh", "-c", "cat /proc/$$/fdinfo/1; ls -l /proc/$$/fd; echo err >&2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        text = pipe.read_text()
        output, errors = process.communicate()
    assert (output, errors) == (b"", b"err\n")
    first, flags = text.splitlines()[:2]
    assert first.partition("pos:")[0] == "e", "the byte that tells the reader"
    assert int(flags.split()[1], 8) & 0o7777 == os.O_WRONLY  # and nothing that a program would not expect
    assert f"1 -> {pipe}" in text
    assert text.count(str(pipe)) == 1  # no other descriptor


def test_it_waits_for_a_reader_and_keeps_its_output(tmp_path: Path, machine: tuple[str, tuple[str, ...]]) -> None:
    name, emulator = machine
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = tmp_path / "entry"
    path.write_bytes(entry_file(name, pipe=str(pipe), waits=True))
    path.chmod(ENTRY_MODE)
    words = [*emulator, str(path), "/bin/sh", "sh", "-c", "ls -l /proc/$$/fd; echo err >&2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        os.set_blocking(process.stdout.fileno(), False)
        assert not process.stdout.read(), "nobody reads the pipe yet"
        os.set_blocking(process.stdout.fileno(), True)
        assert pipe.read_text() == ""
        output, errors = process.communicate()
    assert errors == b"err\n"
    assert b"0 -> " in output
    assert str(pipe).encode() not in output


def test_without_a_pipe_it_keeps_what_it_has(tmp_path: Path) -> None:
    entry = executable(tmp_path / "entry", MACHINE, pipe=str(tmp_path / "missing"))
    assert run(entry, "/bin/echo", "echo", "x").stdout == b"x\n"


def test_the_command_names_the_entry_the_program_and_all_words() -> None:
    assert entry_path("c0") == "/dev/.scrun-c0"
    assert entry_argv("c0", b"/bin/a", (b"a",), "/run") == (b"/run/.scrun-c0", b"/bin/a", b"a")
    assert entry_argv("c0", b"/bin/a", (b"a", b"\xff")) == (b"/dev/.scrun-c0", b"/bin/a", b"a", b"\xff")


def test_an_undecided_program_is_found_in_the_container() -> None:
    assert entry_argv("c", b"", (b"./a", b"b")) == (b"/dev/.scrun-c", b"./a", b"./a", b"b")
    assert entry_argv("c", b"", (b"a", b"b"))[:6] == (
        b"/dev/.scrun-c", b"/bin/sh", b"sh", b"-c", b'exec "$0" "$@"', b"a",
    )  # fmt: skip


def environment(
    directory: Path, image: list[bytes], step: dict[bytes, bytes], machine: str = MACHINE, *emulator: str
) -> list[bytes]:
    path = executable(directory / "entry with variables", machine, image)
    done = subprocess.run(
        (*emulator, path, "/bin/cat", "cat", "/proc/self/environ"), env=step, capture_output=True, check=True
    )
    return done.stdout.split(b"\0")[:-1]


def test_the_programs_variables_come_in_their_order_before_the_steps(tmp_path: Path) -> None:
    image = [b"PATH=/bin:/usr/bin", b"EMPTY=", b"A=1", b"AB=2", b"ODD\xff=\xfe\n=", b"no value"]
    found = environment(tmp_path, image, {b"SLURM_JOB_ID": b"7", b"CUDA_VISIBLE_DEVICES": b"0"})
    assert found == [*image, b"CUDA_VISIBLE_DEVICES=0", b"SLURM_JOB_ID=7"]


def test_of_two_with_one_name_the_programs_own_counts_but_for_what_slurm_says_of_the_job(tmp_path: Path) -> None:
    image = [b"HOME=/root", b"SLURM_JOB_ID=1", b"SLURM_MINE=x", b"SLURM=y", b"A=1"]
    step = {b"HOME": b"/crun", b"SLURM_JOB_ID": b"7", b"SLURM": b"n", b"AA": b"2", b"S": b"3"}
    found = environment(tmp_path, image, step)
    assert found == [b"HOME=/root", b"SLURM_MINE=x", b"SLURM=y", b"A=1", b"S=3", b"AA=2", b"SLURM_JOB_ID=7"]


@given(st.lists(st.tuples(st.sampled_from([b"A", b"AB", b"SLURM_A", b"SLURM_AB", b"HOME"]), st.binary(max_size=9))))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_the_variables_are(tmp_path: Path, pairs: list[tuple[bytes, bytes]]) -> None:
    image = [name + b"=" + value.replace(b"\0", b"") for name, value in pairs]
    step = {b"A": b"step", b"SLURM_A": b"step"}
    kept = [entry for entry in image if not entry.startswith(b"SLURM_A=")]
    own = [] if any(entry.startswith(b"A=") for entry in image) else [b"A=step"]
    assert environment(tmp_path, image, step) == [*kept, *sorted([*own, b"SLURM_A=step"], reverse=True)]


def test_many_and_long_ones(tmp_path: Path) -> None:
    image = [b"V%d=" % number + b"x" * 1000 for number in range(1000)] + [b"LONG=" + b"y" * (100 << 10)]
    assert environment(tmp_path, image, {}) == image


@pytest.mark.skipif(not shutil.which("qemu-aarch64"), reason="no qemu-user")
def test_the_code_for_the_other_machine(tmp_path: Path) -> None:
    image = [b"HOME=/root", b"SLURM_JOB_ID=1", b"SLURM_MINE=x", b"A="]
    found = environment(tmp_path, image, {b"HOME": b"/", b"SLURM_JOB_ID": b"7", b"B": b"2"}, "aarch64", "qemu-aarch64")
    assert found[:3] == [b"HOME=/root", b"SLURM_MINE=x", b"A="]
    assert sorted(found[3:]) == [b"B=2", b"SLURM_JOB_ID=7"]


def test_those_who_may_execute_it_may_not_read_it() -> None:
    assert ENTRY_MODE & 0o077 == 0o011


DEV = {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}
OWN = {"destination": "/dev", "type": "bind", "source": "/dev", "options": ["rbind"]}
SHM = {"destination": "/dev/shm", "type": "bind", "source": "/run/x/shm", "options": ["bind"]}
HOST_SHM = SHM | {"source": "/dev/shm"}
RUN = {"destination": "/run/", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "rw"]}


@pytest.mark.parametrize(
    ("mounts", "namespaces", "directory"),
    [
        ([DEV, SHM, RUN], ["ipc"], "/dev"),
        ([SHM, RUN], ["ipc"], "/dev"),
        ([OWN, DEV], ["ipc"], "/dev"),
        ([OWN, SHM, RUN], ["ipc"], "/dev/shm"),
        ([OWN, SHM | {"type": "tmpfs", "options": []}], [], "/dev/shm"),
        ([OWN, SHM], [], ""),
        ([OWN, HOST_SHM, RUN], ["ipc"], "/run"),
        ([OWN, HOST_SHM, RUN | {"options": ["ro"]}], ["ipc"], ""),
        ([OWN], ["ipc"], ""),
    ],
)
def test_where_the_runtime_can_make_a_mount_point_without_a_trace(
    mounts: list[dict[str, object]], namespaces: list[str], directory: str
) -> None:
    assert entry_directory(mounts, namespaces) == directory
