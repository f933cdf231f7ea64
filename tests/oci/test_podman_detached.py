"""A container in the background: logs, wait, stop, kill, restart, inspect, ps."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.oci.podman import Podman

READY = "echo ready; while :; do sleep 0.1; done"


def start_ready(podman: Podman, wait_until: Any, script: str, *options: str) -> str:
    name = podman.detached(*options, "busybox", "sh", "-c", script)
    wait_until(lambda: "ready" in podman.ok("logs", name), 20, what="the program's first word")
    return name


def test_logs_follow_until_the_end(podman: Podman) -> None:
    script = "for i in 1 2 3; do echo $i; echo e$i >&2; sleep 0.2; done; exit 4"
    name = podman.detached("busybox", "sh", "-c", script)
    follower = podman.start("logs", "-f", name, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, error = follower.communicate(timeout=60)
    assert (output, error) == (b"1\n2\n3\n", b"e1\ne2\ne3\n")
    assert podman.ok("wait", name) == "4"
    assert podman.status(name) == ("exited", 4)


def test_what_ps_and_inspect_say(podman: Podman, wait_until: Any) -> None:
    name = start_ready(podman, wait_until, READY)
    container_id = podman.id(name)
    assert podman.inspect(name, ".State.Status") == "running"
    pid = int(podman.inspect(name, ".State.Pid"))
    state = podman.state(container_id)
    assert (state["pid"], state["status"]) == (pid, "running")
    assert podman.job_state(podman.job(container_id)) == "RUNNING"
    assert podman.ok("ps", "--filter", f"name={name}", "--format", "{{.Names}} {{.Status}}").startswith(f"{name} Up ")
    podman.ok("kill", name)
    assert podman.ok("wait", name) in {"137", "143"}
    assert podman.inspect(name, ".State.Pid") == "0"


def test_stop_asks_first(podman: Podman, wait_until: Any) -> None:
    name = start_ready(podman, wait_until, f'trap "echo bye; exit 3" TERM; {READY}')
    podman.ok("stop", "--time", "30", name)
    assert podman.status(name) == ("exited", 3)
    assert podman.ok("logs", name) == "ready\nbye"


def test_stop_kills_who_does_not_listen(podman: Podman, wait_until: Any) -> None:
    name = start_ready(podman, wait_until, f'trap "" TERM; {READY}')
    container_id = podman.id(name)
    job = podman.job(container_id)
    podman.ok("stop", "--time", "1", name)
    assert podman.status(name) == ("exited", 137)
    wait_until(lambda: not podman.left(container_id, job), 10, what="nothing left")


def test_a_stop_signal_of_the_image_s_own(podman: Podman, wait_until: Any) -> None:
    name = start_ready(podman, wait_until, f'trap "exit 6" USR2; {READY}', "--stop-signal", "SIGUSR2")
    podman.ok("stop", "--time", "30", name)
    assert podman.status(name) == ("exited", 6)


def test_each_signal_arrives_once(podman: Podman, wait_until: Any) -> None:
    name = start_ready(podman, wait_until, f'trap "echo usr1" USR1; trap "echo hup" HUP; {READY}')
    for number, signal in enumerate(["USR1", "SIGHUP", "10", "1"], 2):
        podman.ok("kill", "--signal", signal, name)
        wait_until(lambda number=number: len(podman.ok("logs", name).split()) >= number, 20)
    podman.ok("kill", name)
    assert podman.ok("wait", name) == "137"
    assert podman.ok("logs", name).split() == ["ready", "usr1", "hup", "usr1", "hup"]


def test_restart(podman: Podman, wait_until: Any) -> None:
    name = start_ready(podman, wait_until, f'trap "exit 0" TERM; {READY}')
    container_id = podman.id(name)
    first = podman.job(container_id)
    podman.ok("restart", name)
    second = podman.job(container_id)
    assert first != second
    assert podman.status(name)[0] == "running"
    wait_until(lambda: podman.ok("logs", name).split() == ["ready", "ready"], 20)
    podman.ok("stop", name)
    podman.ok("start", name)
    assert podman.job(container_id) not in {first, second}


def test_rm_removes_everything_at_the_end(podman: Podman, wait_until: Any) -> None:
    name = start_ready(podman, wait_until, f'trap "exit 0" TERM; {READY}', "--rm")
    container_id = podman.id(name)
    job = podman.job(container_id)
    podman.ok("stop", name)
    wait_until(lambda: not podman.exists(name), 10)
    wait_until(lambda: not podman.left(container_id, job), 10)


def test_attach(podman: Podman, wait_until: Any) -> None:
    name = start_ready(podman, wait_until, 'echo ready; read x; echo "got $x"; exit 9', "-i")
    done = podman("attach", name, input="word\n")
    # podman 4 adds a line feed of its own, and drops the exit code.
    assert done.stdout.rstrip("\n") == "got word"
    assert podman.ok("wait", name) == "9"
