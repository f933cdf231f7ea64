"""podman while containers are queued: with ``start_wait`` it does not hold their locks, so that it answers."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import secrets
import signal
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Runner, alive, all_pids, read_proc, state_and_parent
from tests.oci.podman import at_site, processes_with
from tests.oci.screen import Screen

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from tests.oci.podman import Filler, Podman

TOMORROW = ("--annotation", "scrun.begin=now+1day")
HELD = "podman 5 passes signals on, and waits for the lock that its own start holds: seen with 5.4"
QUEUED = ("--annotation", "scrun.nodelist=node2", "--annotation", "scrun.cpus-per-task=16")


@pytest.fixture
def create_wait_over(cluster: Any, as_user: Any) -> Iterator[Podman]:
    """The user's podman at a site where neither ``create`` nor ``start`` waits in the queue for long."""
    with at_site(cluster, as_user, "[scrun]\ncreate_wait = 0.5\nstart_wait = 0.5\n") as podman:
        yield podman


def test_podman_answers_while_a_container_is_queued_and_it_runs_when_it_can(
    create_wait_over: Podman, filler: Filler, wait_until: Any
) -> None:
    filler.fill("node2")
    name = create_wait_over.detached(*QUEUED, "busybox", "sh", "-c", "echo ran; exit 6")
    job = create_wait_over.job(create_wait_over.id(name))
    assert create_wait_over.job_state(job) == "PENDING"
    running = create_wait_over.ok("ps", "--filter", "status=running", "--format", "{{.Names}}")
    assert name in running.splitlines()
    assert create_wait_over.status(name) == ("running", 0)
    filler.empty()
    assert create_wait_over.ok("wait", name) == "6"
    assert create_wait_over.ok("logs", name) == "ran"
    wait_until(lambda: not create_wait_over.left(create_wait_over.id(name), job), 20)


@pytest.mark.parametrize("way", ["stop", "kill", "rm"])
def test_podman_ends_it_in_the_queue(create_wait_over: Podman, filler: Filler, wait_until: Any, way: str) -> None:
    filler.fill("node2")
    name = create_wait_over.detached(*QUEUED, "busybox", "true")
    container = create_wait_over.id(name)
    job = create_wait_over.job(container)
    assert create_wait_over.job_state(job) == "PENDING"
    create_wait_over.ok(way, *(("--force", "--time", "2") if way == "rm" else ()), name)
    wait_until(lambda: not create_wait_over.left(container, job), 20)
    if way != "rm":
        wait_until(lambda: create_wait_over.status(name) == ("exited", {"stop": 143, "kill": 137}[way]), 20)


def waiting_in(podman: Podman, verb: str, wait_until: Any) -> tuple[subprocess.Popen[bytes], str, int]:
    """A ``podman run`` that waits in ``create`` or in ``start`` for a job that begins tomorrow; with id and job."""
    name = podman.name()
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        file = pathlib.Path(directory) / "id"
        process = podman.start("run", "--name", name, "--cidfile", str(file), *TOMORROW, "busybox", "true")
        container = wait_until(lambda: file.exists() and file.read_text(), 30)
        wait_until(lambda: calls(verb, container), 30, interval=0.005, what=f"{verb} of {container}")
        return process, container, wait_until(lambda: podman.job(container), 30)


def calls(verb: str, container: str) -> list[int]:
    """The processes of a verb that an engine has called."""
    words = {pid: read_proc(pid, "cmdline").split(b"\0") for pid in processes_with(container)}
    return [pid for pid, line in words.items() if verb.encode() in line]


def holds_signals(podman: Podman) -> bool:
    """Whether podman passes signals on from the first moment; for that it waits for the lock that its start holds."""
    return podman.version >= (5, 0)


@pytest.mark.parametrize("verb", ["create", "start"])
@pytest.mark.parametrize("way", ["KILL", "HUP", "INT", "TERM"])
def test_a_podman_that_is_ended_in_the_queue_leaves_no_job(
    podman: Podman, wait_until: Any, way: str, verb: str
) -> None:
    if way != "KILL" and holds_signals(podman):
        pytest.skip(HELD)
    process, container, job = waiting_in(podman, verb, wait_until)
    os.kill(process.pid, getattr(signal, f"SIG{way}"))
    wait_until(lambda: process.poll() is not None, 30, what="the end of podman")
    # What was created and never started is left to "podman rm" by the clean-up of podman 5 ("--stopped-only").
    kept = {str(podman.state_root / container)} if verb == "start" and holds_signals(podman) else set()
    wait_until(lambda: set(podman.left(container, job)) <= kept, 20, what=f"{podman.left(container, job)}")
    podman.ok("rm", "--force", "--time", "0", podman.names[-1])
    assert not podman.left(container, job)


@pytest.mark.parametrize("way", ["HUP", "INT", "TERM"])
def test_with_start_wait_a_podman_that_holds_signals_is_ended_by_them(
    create_wait_over: Podman, wait_until: Any, way: str
) -> None:
    if not holds_signals(create_wait_over):
        pytest.skip("this podman ends by itself, see above")
    process, container, job = waiting_in(create_wait_over, "create", wait_until)
    os.kill(process.pid, getattr(signal, f"SIG{way}"))
    assert process.wait(30) == 128 + getattr(signal, f"SIG{way}")
    wait_until(lambda: create_wait_over.job_state(job) == "CANCELLED", 20)
    wait_until(lambda: not processes_with(container), 20)


def test_a_conmon_that_is_killed_in_the_queue_leaves_no_job(podman: Podman, wait_until: Any) -> None:
    process, container, job = waiting_in(podman, "create", wait_until)
    (create,) = (pid for pid in calls("create", container) if state_and_parent(pid)[1] in conmons(container))
    os.kill(state_and_parent(create)[1], signal.SIGKILL)
    assert process.wait(30) == 126
    wait_until(lambda: not podman.left(container, job), 20, what=f"{podman.left(container, job)}")


def conmons(container: str) -> list[int]:
    words = {pid: read_proc(pid, "cmdline").split(b"\0") for pid in all_pids()}
    return [pid for pid, line in words.items() if line[0].endswith(b"conmon") and container.encode() in line]


def test_what_is_created_on_purpose_waits_for_its_start_and_for_no_longer(podman: Podman, wait_until: Any) -> None:
    name = podman.create(*TOMORROW, "busybox", "true")
    podman.ok("init", name)
    container = podman.id(name)
    job = podman.job(container)
    process = podman.start("start", "--attach", name)
    wait_until(lambda: calls("start", container), 30)
    assert podman.job_state(job) == "PENDING"
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not [pid for pid in processes_with(container) if alive(pid)], 20)
    assert podman.job_state(job) == "CANCELLED"


@pytest.mark.parametrize("verb", ["create", "start"])
def test_control_c_in_the_queue(podman: Podman, wait_until: Any, verb: str) -> None:
    if verb == "create" and holds_signals(podman):
        pytest.skip(HELD)
    with contextlib.closing(Screen(podman, wait_until)) as screen:
        name = podman.name()
        screen.run("run", "--rm", "--name", name, *TOMORROW, "busybox", "true")
        wait_until(lambda: podman.runner(["squeue", "-hn", name]).stdout, 30)
        if verb == "start":
            screen.expect("is queued (")
        screen.type("\x03")
        assert screen.exit_code() != 0
        wait_until(lambda: not podman.runner(["squeue", "-hn", name]).stdout, 20)


@pytest.fixture
def terminal(podman: Podman, wait_until: Any, user_settings: Callable[[str], None]) -> Iterator[Screen]:
    """A terminal of a user whose ``create`` does not wait for long; engines give ``start`` the terminal."""
    user_settings("[scrun]\ncreate_wait = 0.2\n")
    made = Screen(podman, wait_until)
    made.resize(31, 97)
    yield made
    made.close()


@pytest.mark.parametrize("options", [(), ("--interactive", "--tty")], ids=["without", "with"])
def test_a_terminal_tells_why_nothing_happens_until_something_does(
    terminal: Screen, filler: Filler, options: tuple[str, ...]
) -> None:
    filler.fill("node2")
    terminal.run("run", "--rm", *options, *QUEUED, "busybox", "echo", "ran")
    terminal.expect("is queued (")
    filler.empty()
    assert terminal.exit_code() == 0
    assert terminal.text.rpartition("\x1b[K")[2].split() == ["ran"], terminal.text


def test_a_terminal_tells_the_place_in_the_queue_and_the_log_does_not(
    terminal: Screen, podman: Podman, filler: Filler, as_user: Runner, wait_until: Any
) -> None:
    filler.fill("node2")
    name, before = podman.name(), f"before-{secrets.token_hex(4)}"
    wants = [f"--job-name={before}", "--nodelist=node2", "--cpus-per-task=16"]
    batch = as_user(["sbatch", *wants, "--chdir=/", "--output=/dev/null", "--wrap=true"])
    assert batch.returncode == 0, batch.stderr
    try:
        reason = ["squeue", "--noheader", "--format=%r", f"--name={before}"]
        wait_until(lambda: as_user(reason).stdout.strip() in {"Resources", "Priority"}, 60)
        terminal.run("run", "--name", name, *QUEUED, "busybox", "sh", "-c", "echo out; echo err >&2")
        terminal.expect("1 job before it")
        filler.empty()
        assert terminal.exit_code() == 0
        assert "queue" not in terminal.text.rpartition("\x1b[K")[2]
        logs = podman("logs", name)
        assert (logs.stdout, logs.stderr) == ("out\n", "err\n")
    finally:
        as_user(["scancel", f"--name={before}"])


def test_a_terminal_tells_how_far_the_copy_of_an_image_is(terminal: Screen, as_user: Runner) -> None:
    name = f"localhost/{secrets.token_hex(4)}"
    build = """
        d=$(mktemp -d); trap 'rm -r "$d"' EXIT; mkdir "$d/many"; cd "$d"
        for i in $(seq 300); do mkdir many/$i; (cd many/$i && seq 60 | split -l 1 -a 3); done
        head -c 300M /dev/zero | tr '\\0' x >big
        printf 'FROM busybox\nCOPY many /many\nCOPY big /big\n' >Containerfile; podman build -q -t "$1" .
    """
    done = as_user(["sh", "-ec", build, "sh", name], "", 180)
    assert done.returncode == 0, done.stderr
    try:
        terminal.run("run", "--rm", name, "echo", "ran")
        terminal.expect("copying the image for its nodes: ")
        assert terminal.exit_code() == 0
        assert terminal.text.rpartition("\x1b[K")[2].split() == ["ran"], terminal.text
        assert re.search(r"(layer \d of \d: )?\d+ files, \d+ of \d+ MiB, \d+ %", terminal.text), terminal.text
    finally:
        terminal.engine("rmi", "-f", name)
