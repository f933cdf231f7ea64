"""Signals that only the node's runtime can bring to a program."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from actors.slurm import runtime_signal
from tests.unit.allocation.slurm_container import SlurmContainer

if TYPE_CHECKING:
    from pathlib import Path

CRUNS, GOS = {17, 28, 32, 33}, {17, 23, 28, 32, 33, 34}
ALL = set(range(1, 65)) - {9, 18, 19}

# A runtime, as its words say: the parent of a program that has a mount of its own.
RUNTIME = """unshare --user --map-root-user --mount sh -c 'mount --bind "$0" "$0" && exec "$@"' "$MOUNT" \\
    sh -c 'trap "echo heard; exit" USR1; echo ready; while :; do sleep 0.05; done'
:
"""


@pytest.mark.parametrize(
    ("run", "others"),
    [
        ("exec env -u X crun --root=/r run -b %b ID", CRUNS),
        ("exec /usr/bin/crun run", CRUNS),
        ("exec runc run", GOS),
        ("crun run", ALL),
        ("env exec crun run", ALL),
        ("", ALL),
    ],
)
def test_scancel_carries_what_gets_to_the_program_so(tmp_path: Path, run: str, others: set[int]) -> None:
    if run:  # else this host has none
        (tmp_path / "oci.conf").write_text(f'RunTimeRun="{run}"\n')
    container = SlurmContainer(tmp_path)
    programs = {number: container.scheduler.signal("5.0", number).argv for number in range(1, 65)}
    assert {
        number for number, argv in programs.items() if not any(word.endswith(b"/scancel") for word in argv)
    } == others
    for number in others:
        argv = programs[number]
        assert b"--jobid=5" in argv
        assert argv[-1] == runtime_signal.on_node(container.creation.cookie, number)


@pytest.mark.parametrize(
    ("conf", "alone"),
    [
        ("", True),  # no oci.conf on this host
        ("RunTimeRun=exec runc run\n", True),
        ("RunTimeRun=crun run\n", True),
        ("RunTimeRun=exec nvidia-container-runtime.cdi run\n", True),
        ("RunTimeRun=exec singularity run\n", False),
        ("RunTimeCreate=crun create\nRunTimeStart=crun start\n", False),
    ],
)
def test_a_program_is_killed_alone_where_its_runtime_sees_its_end(tmp_path: Path, conf: str, alone: bool) -> None:
    if conf:
        (tmp_path / "oci.conf").write_text(conf)
    container = SlurmContainer(tmp_path)
    command = container.scheduler.kill_program("5.0")
    script = runtime_signal.on_node(container.creation.cookie, signal.SIGKILL)
    assert (command.argv[-1] == script) == alone
    assert (command == container.scheduler.signal("5.0", signal.SIGKILL)) == (not alone)


def test_a_node_without_the_container_is_told_where_it_is_the_only_one() -> None:
    for nodes, status in ((1, 255), (2, 0)):
        # It waits two seconds for one that may be about to come; here a function stands for the time.
        script = b"sleep() { :; }\n" + runtime_signal.on_node("no-such-cookie", 28)
        words: list[str | bytes] = ["/bin/sh", "-c", script]
        environ = {"PATH": "/usr/bin:/bin", "SLURM_NNODES": str(nodes)}
        done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == status
        assert ("no OCI runtime stays beside the container" in done.stderr) is (nodes == 1)


@pytest.mark.parametrize("shell", [("/bin/dash",), ("/bin/bash", "--posix"), ("/bin/busybox", "sh")])
def test_each_task_hears_it_and_what_was_added_does_not(tmp_path: Path, shell: tuple[str, ...]) -> None:
    cookie = secrets.token_hex(8)
    mount = tmp_path / f".scrun-{cookie}"
    mount.touch()
    (tmp_path / "crun").write_text(RUNTIME)
    environ = os.environ | {"MOUNT": str(mount)}
    programs = [
        subprocess.Popen(
            ["sh", str(tmp_path / "crun"), verb, "ID"],
            env=environ, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )
        for verb in ("run", "run", "exec")
    ]  # fmt: skip
    try:
        for program in programs:
            assert program.stdout
            assert program.stdout.readline() == "ready\n"
        words: list[str | bytes] = [*shell, "-c", runtime_signal.on_node(cookie, 10)]
        done = subprocess.run(
            words, env=os.environ | {"SLURM_NNODES": "1"}, capture_output=True, check=True, timeout=30
        )
        assert (done.stdout, done.stderr) == (b"", b"")
        assert [program.communicate(timeout=10)[0] for program in programs[:2]] == ["heard\n", "heard\n"]
        assert programs[2].poll() is None
    finally:
        for program in programs:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.communicate()
