"""``podman exec`` and ``docker exec``: another program in a container that runs on a node."""

from __future__ import annotations

import functools
import hashlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.oci.podman import READY
from tests.oci.screen import Screen

if TYPE_CHECKING:
    from tests.oci.podman import Podman

WAIT = "sleep 1000"
"""A program that is killed by nothing but a signal that nobody expects."""


with_squash = pytest.mark.parametrize("engine", ["podman", "squashed_podman", "docker"], indirect=True)
"""On a test that is about what was staged."""


@pytest.fixture
def box(engine: Podman) -> str:
    return engine.ready(READY)


def steps(engine: Podman, box: str) -> list[str]:
    """The steps of the container's job that run."""
    job = engine.job(engine.id(box))
    return engine.runner(["squeue", "--noheader", "--steps", "--format=%i", "--jobs", str(job)]).stdout.split()


def launchers(engine: Podman, box: str) -> list[int]:
    """Processes of this host that stand for programs which were added."""
    job = engine.job(engine.id(box))
    done = engine.runner(["pgrep", "-f", f"srun .*--jobid={job} .*--job-name=scrun-exec"])
    return [int(word) for word in done.stdout.split()]


@pytest.mark.slice
@with_squash
def test_exit_status_and_streams(engine: Podman, box: str) -> None:
    done = engine("exec", box, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    assert engine("exec", box, "sh", "-c", "kill -9 $$").returncode == 137


@with_squash
def test_it_is_in_the_container(engine: Podman, box: str) -> None:
    """The same file system, and the same processes: number 1 is the container's program."""
    engine.ok("exec", box, "sh", "-c", "echo here > /tmp/word")
    assert engine.ok("exec", box, "cat", "/tmp/word") == "here"
    assert READY in engine.ok("exec", box, "cat", "/proc/1/cmdline")
    assert engine.ok("exec", box, "hostname") == engine.ok("exec", box, "cat", "/proc/sys/kernel/hostname")


@pytest.mark.slice
def test_user_directory_and_environment(engine: Podman, box: str) -> None:
    words = ("--user", "5:6", "--workdir", "/tmp", "--env", "A=b c")
    assert engine.ok("exec", *words, box, "sh", "-c", 'id -u; id -g; pwd; echo "$A"') == "5\n6\n/tmp\nb c"


@with_squash
def test_no_more_capabilities_than_the_container(engine: Podman, box: str) -> None:
    assert engine.ok("exec", box, "grep", "Cap[EPB]", "/proc/self/status") == engine.ok(
        "exec", box, "grep", "Cap[EPB]", "/proc/1/status"
    )
    assert engine.ok("exec", box, "grep", "Seccomp:", "/proc/self/status").endswith("2")


@pytest.mark.parametrize(("program", "status"), [("nosuch", 127), ("/bin/nosuch", 127), ("/etc/passwd", 126)])
def test_a_program_that_cannot_be_run(engine: Podman, box: str, program: str, status: int) -> None:
    done = engine("exec", box, program)
    assert done.returncode == status
    assert done.stderr


@pytest.mark.slice
def test_standard_input_both_ways(engine: Podman, box: str) -> None:
    data = os.urandom(1 << 20)
    process = engine.start("exec", "-i", box, "sh", "-c", "cat; echo over >&2", stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    out, err = process.communicate(data, timeout=60)
    assert (hashlib.sha256(out).digest(), err) == (hashlib.sha256(data).digest(), b"over\n")
    assert process.returncode == 0


def test_without_input_there_is_none(engine: Podman, box: str) -> None:
    assert engine("exec", box, "wc", "-c", input="x" * 100).stdout.strip() == "0"


def test_words_that_are_long_and_strange(engine: Podman, box: str) -> None:
    """No shell on the way takes them for its own, and more than one variable of the environment carries them."""
    words = ["$(id)", "`id`", "a\nb", 'c"d', "e'f", "\\", "", "END", "é" * 60000, "x" * 100000]
    output = engine.ok("exec", box, "sh", "-c", 'for word; do echo "$word"; done', "sh", *words)
    assert output == "\n".join(words)


def test_detached(engine: Podman, box: str, wait_until: Any) -> None:
    engine.ok("exec", "--detach", box, "sh", "-c", "echo done > /tmp/done")
    wait_until(lambda: engine("exec", box, "cat", "/tmp/done").stdout == "done\n", 20)


def test_many_at_once(engine: Podman, box: str) -> None:
    script = "read -r word; echo $word; exit $word"
    processes = [
        engine.start("exec", "-i", box, "sh", "-c", script, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(8)
    ]
    for number, process in enumerate(processes):
        out, _ = process.communicate(f"{number}\n".encode(), timeout=90)
        assert (out, process.returncode) == (f"{number}\n".encode(), number)


@pytest.mark.slice
def test_terminal(screen: Screen, box: str) -> None:
    """The program has the user's terminal: its size from the beginning, each new one, and ^C for what it runs."""
    screen.run("exec", "-it", box, "sh")
    screen.wait_until(lambda: "# " in screen.read(), 30)
    screen.type("test -t 0 && test -t 2 && echo all''three; stty size\n")
    screen.expect("allthree")
    if screen.engine.command == "podman":
        screen.expect("31 97")

    def told(size: str) -> bool:
        screen.type("stty size\n")
        return size in screen.read()

    screen.wait_until(lambda: told("31 97"), 30, interval=0.3)  # docker 20.10 tells it when the program runs already
    for rows, columns in ((44, 155), (20, 60)):
        screen.resize(rows, columns)
        screen.wait_until(functools.partial(told, f"{rows} {columns}"), 30, interval=0.3)
    screen.type("trap 'echo caught''it' INT; echo se''t; sleep 1000\n")
    screen.expect("set")  # a ^C before that throws away what has been typed and not been read

    def interrupted() -> bool:
        screen.type("\x03")
        return "caughtit" in screen.read()

    screen.wait_until(interrupted, 30, interval=0.5)
    screen.type("exit 9\n")
    assert screen.exit_code() == 9


def test_conmon_is_killed(podman: Podman, wait_until: Any) -> None:
    """The other end of the terminal is closed: what was on it gets a hang-up, as at every terminal."""
    box = podman.ready(READY)
    screen = Screen(podman, wait_until)
    screen.run("exec", "-it", box, "sh", "-c", f"echo ready; {WAIT}")
    screen.expect("ready")
    found = launchers(podman, box)
    [carrier] = {parent(pid) for pid in found} - {*found}
    os.kill(parent(carrier), signal.SIGKILL)
    wait_until(lambda: len(steps(podman, box)) == 1, 30, what="the step's end")
    wait_until(lambda: not launchers(podman, box), 30, what="the launcher's end")
    screen.close()


def parent(pid: int) -> int:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])


BACKGROUND = "sleep 1234 </dev/null >/dev/null 2>&1 & echo $!"
"""Leaves a program behind, and says its number."""


def test_a_program_in_the_background_lives_on_and_its_step_ends_with_it(
    engine: Podman, box: str, wait_until: Any
) -> None:
    number = engine.ok("exec", box, "sh", "-c", BACKGROUND).strip()
    assert len(steps(engine, box)) == 2
    engine.ok("exec", box, "kill", number)
    wait_until(lambda: len(steps(engine, box)) == 1, 30, what="the step's end")
    wait_until(lambda: not launchers(engine, box), 30, what="the launcher's end")


def test_a_program_in_the_background_ends_with_the_container(engine: Podman, box: str, wait_until: Any) -> None:
    container = engine.id(box)
    job = engine.job(container)
    engine.ok("exec", box, "sh", "-c", BACKGROUND)
    engine.ok("rm", "--force", box)
    wait_until(lambda: not engine.left(container, job), 30, what="nothing left")


def test_the_status_of_a_program_that_left_another_behind(engine: Podman, box: str) -> None:
    for script, status in ((f"{BACKGROUND}; exit 7", 7), (f"{BACKGROUND}; kill -9 $$", 137), (BACKGROUND, 0)):
        done = engine("exec", box, "sh", "-c", f"{script}; seq 100000" if not status else script)
        assert done.returncode == status
        assert status or done.stdout.splitlines()[1:] == [str(number) for number in range(1, 100001)]


def test_what_stands_for_a_program_is_killed(engine: Podman, box: str, wait_until: Any) -> None:
    """Whichever process it is: the step ends, and the container does not mind."""
    for kind in ("scrun-exec", "srun"):
        process = engine.start("exec", box, "sh", "-c", f"echo ready; {WAIT}", stdout=subprocess.PIPE)
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        found = launchers(engine, box)
        [srun] = {pid for pid in found if parent(pid) not in found}
        os.kill(srun if kind == "srun" else parent(srun), signal.SIGKILL)
        assert process.wait(30) == 137
        process.stdout.close()
        wait_until(lambda: len(steps(engine, box)) == 1, 30, what=f"the step's end after {kind}")
    assert engine.status(box) == ("running", 0)


def test_the_container_ends_meanwhile(engine: Podman, box: str, wait_until: Any) -> None:
    container = engine.id(box)
    job = engine.job(container)
    process = engine.start("exec", box, "sh", "-c", f"echo ready; {WAIT}", stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    engine.ok("kill", box)
    assert process.wait(30) == 137
    engine.ok("rm", "--force", box)
    wait_until(lambda: not engine.left(container, job), 30, what="nothing left")
    pattern = f"srun .*--jobid={job} .*--job-name=scrun-exec"
    assert engine.runner(["pgrep", "-f", pattern]).stdout == ""


@with_squash
def test_nothing_is_left_of_it(engine: Podman, box: str, wait_until: Any) -> None:
    assert engine("exec", box, "true").returncode == 0
    assert engine("exec", box, "nosuch").returncode == 127
    wait_until(lambda: len(steps(engine, box)) == 1, 30, what="one step")
    assert not launchers(engine, box)


def test_a_health_check(podman: Podman) -> None:
    box = podman.ready(READY, "--health-cmd", "test -e /tmp/well", "--health-retries", "1")
    assert podman("healthcheck", "run", box).returncode == 1
    podman.ok("exec", box, "touch", "/tmp/well")
    assert podman("healthcheck", "run", box).returncode == 0
