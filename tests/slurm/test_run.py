"""``run``, ``spec``, ``events`` and what else runc and crun offer people, on the cluster."""

from __future__ import annotations

import json
import os
import pathlib
import select
import signal
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.oci.screen import Screen
    from tests.slurm.runtime import Runtime


def run(runtime: Runtime, *program: str, options: tuple[str, ...] = (), id: str = "run", **more: Any) -> Any:
    bundle = runtime.bundle(*program, **more)
    runtime.ids.append(id)
    return runtime("run", *options, "--bundle", str(bundle), id)


@pytest.mark.slice
@pytest.mark.usefixtures("staged_anywhere")
def test_run_is_the_program_and_leaves_nothing(runtime: Runtime) -> None:
    done = run(runtime, "/bin/sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    assert runtime.left("run") == []
    assert runtime.records() == []


@pytest.mark.parametrize("closed", ["0", "1", "2", "01", "02", "12", "012"])
def test_standard_streams_that_the_caller_has_closed(runtime: Runtime, closed: str) -> None:
    """They are /dev/null for the program, as with runc; no descriptor of our own is taken for one of them."""
    bundle = runtime.bundle("/bin/sh", "-c", "echo out; echo err >&2; cat; exit 5")
    redirections = " ".join(f"{number}>&-" for number in closed)
    words = ["sh", "-c", f'exec "$@" {redirections}', "sh", *runtime.words("run", "--bundle", str(bundle), "box")]
    runtime.ids.append("box")
    done = runtime.runner(words)
    assert done.returncode == 5
    assert done.stdout == ("" if "1" in closed else "out\n")
    assert done.stderr == ("" if "2" in closed else "err\n")


def test_run_keep_keeps_the_state(runtime: Runtime) -> None:
    assert run(runtime, "/bin/sh", "-c", "exit 3", options=("--keep",)).returncode == 3
    state = json.loads(runtime("state", "run").stdout)
    assert (state["status"], state["pid"], state["annotations"]["scrun.exit-code"]) == ("stopped", 0, "3")
    runtime.ok("delete", "run")


@pytest.mark.slice
def test_run_detach_returns_when_it_runs(runtime: Runtime) -> None:
    pid_file = runtime.pid_file("run")
    bundle = runtime.bundle("/bin/sleep", "600")
    runtime.ids.append("run")
    # What create gets stays open as long as the container: no pipes.
    words = runtime.words("run", "-d", "--bundle", str(bundle), "--pid-file", str(pid_file), "run")
    assert runtime.runner.start(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait(60) == 0
    assert json.loads(runtime("state", "run").stdout)["status"] == "running"
    assert runtime("ps", "--format", "json", "run").stdout == f"[{pid_file.read_text()}]"
    runtime.ok("delete", "--force", "run")


@pytest.mark.slice
@pytest.mark.parametrize("name", ["SIGUSR1", "SIGINT", "SIGALRM"])
def test_run_passes_signals_on(runtime: Runtime, name: str) -> None:
    script = f"trap 'echo got it; exit 5' {name[3:]}; echo ready; while :; do sleep 0.1; done"
    bundle = runtime.bundle("/bin/sh", "-c", script)
    runtime.ids.append("run")
    reading, writing = os.pipe()
    process = runtime.runner.start(runtime.words("run", "--bundle", str(bundle), "run"), stdout=writing)
    os.close(writing)
    with open(reading, "rb") as output:
        assert output.readline() == b"ready\n"
        # Before run knows that its program runs, such a signal ends the container: it knows when it waits.
        runtime.wait_until(lambda: b"wait" in pathlib.Path(f"/proc/{process.pid}/wchan").read_bytes())
        os.kill(process.pid, getattr(signal, name))
        assert output.readline() == b"got it\n"
        assert process.wait(30) == 5


@pytest.mark.slice
@pytest.mark.usefixtures("staged_anywhere")
def test_run_on_a_terminal(runtime: Runtime, screen: Screen) -> None:
    # The new size arrives when it arrives: the program waits for it.
    script = """stty size; read line; echo "<$line>"
        until [ "$(stty size)" = "30 90" ]; do sleep 0.1; done; echo resized; exit 9"""
    bundle = runtime.bundle("/bin/sh", "-c", script, terminal=True)
    runtime.ids.append("run")
    screen.resize(41, 77)
    before = subprocess.run(["stty", "-g"], stdin=screen.master, capture_output=True, check=True).stdout
    screen.run("--root", str(runtime.root), "run", "--bundle", str(bundle), "run")
    screen.expect("41 77")
    screen.resize(30, 90)
    screen.type("hello\r")
    screen.expect("<hello>")
    screen.expect("resized")
    assert screen.exit_code() == 9
    assert subprocess.run(["stty", "-g"], stdin=screen.master, capture_output=True, check=True).stdout == before
    assert runtime.left("run") == []


def test_console_sockets_are_for_detached_containers(runtime: Runtime) -> None:
    bundle = runtime.bundle("/bin/true", terminal=True)
    assert "without a console socket" in runtime.fails("run", "--detach", "--bundle", str(bundle), "run")
    assert "console socket" in runtime.fails("run", "--console-socket", "/tmp/x", "--bundle", str(bundle), "run")
    assert runtime.left("run") == []


def test_events_stats_are_what_slurm_measures(runtime: Runtime) -> None:
    box = runtime.box("/bin/sh", "-c", "i=0; while :; do i=$((i+1)); done")
    assert "there is nothing to measure" in runtime.fails("events", "--stats", box.id)
    runtime.ok("start", box.id)

    def sample() -> Any:
        done = runtime("events", "--stats", box.id)
        assert (done.returncode, done.stderr) == (0, "")
        [line] = done.stdout.splitlines()
        return json.loads(line)

    # Slurm counts whole seconds.
    runtime.wait_until(lambda: sample()["data"]["cpu"]["usage"]["total"] >= 1_000_000_000, 60)
    record = sample()
    assert (record["type"], record["id"]) == ("stats", box.id)
    assert record["data"]["memory"]["usage"]["usage"] > 100_000
    assert set(record["data"]) == {"cpu", "memory"}
    runtime.ok("kill", box.id, "KILL")
    assert box.wait() == 137
    assert runtime.fails("events", "--stats", box.id) == f"container {box.id} is not running"


def test_events_stream_until_the_end(runtime: Runtime) -> None:
    box = runtime.running("/bin/sleep", "600")
    reading, writing = os.pipe()
    process = runtime.runner.start(runtime.words("events", "--interval", "200ms", box.id), stdout=writing)
    os.close(writing)
    with open(reading, "rb") as output:
        for _ in range(3):
            record = json.loads(output.readline())
            assert (record["type"], record["id"]) == ("stats", box.id)
            assert record["data"]["memory"]
        runtime.ok("kill", box.id, "KILL")
        assert box.wait() == 137
        rest = output.read().splitlines()
    assert process.wait(20) == 0
    assert all(json.loads(line)["type"] == "stats" for line in rest)


def test_events_tell_of_memory_that_ran_out(runtime: Runtime) -> None:
    box = runtime.running("/bin/sh", "-c", "read x; exit 137", stdin=True, environ=runtime.short_of_memory())
    reading, writing = os.pipe()
    process = runtime.runner.start(runtime.words("events", "--interval", "1h", box.id), stdout=writing)
    os.close(writing)
    with open(reading, "rb") as output:
        assert json.loads(output.readline())["type"] == "stats"  # it listens
        box.close_stdin()
        assert box.wait() == 137
        assert [json.loads(line) for line in output] == [{"type": "oom", "id": box.id}]
    assert process.wait(20) == 0
    assert box.annotations()["scrun.end"] == "out-of-memory"


def test_a_pidfd_of_the_container_s_process(runtime: Runtime) -> None:
    path = f"{runtime.directory}/pidfd"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        os.chmod(path, 0o777)
        listener.listen(1)
        listener.settimeout(30)
        runtime.ids.append("pidfd")
        bundle = runtime.bundle("/bin/true")
        words = runtime.words("create", "--bundle", str(bundle), "--pidfd-socket", path, "pidfd")
        creating = runtime.runner.start(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with listener.accept()[0] as peer:
            _, [handle], *_ = socket.recv_fds(peer, 100, 1)
        assert creating.wait(60) == 0
    pid = json.loads(runtime("state", "pidfd").stdout)["pid"]
    with open(f"/proc/self/fdinfo/{handle}", encoding="ascii") as file:
        assert f"Pid:\t{pid}\n" in file.read()
    runtime.ok("start", "pidfd")
    assert select.select([handle], [], [], 30)[0]
    os.close(handle)
    assert "the pidfd socket /nowhere cannot be used" in runtime.fails(
        "create", "--bundle", str(bundle), "--pidfd-socket", "/nowhere", "other"
    )
    runtime.wait_until(lambda: not runtime.left("other"))


def test_regular_expressions_mean_whole_ids(runtime: Runtime) -> None:
    boxes = [runtime.running("/bin/sleep", "600", id=name) for name in ("web-1", "web-2", "db-1")]
    runtime.ok("kill", "--regex", "web-.", "KILL")
    assert [box.wait() for box in boxes[:2]] == [137, 137]
    assert boxes[2].state()["status"] == "running"
    runtime.ok("delete", "--regex", "web")
    assert len(runtime("list", "--quiet").stdout.split()) == 3
    runtime.ok("delete", "--regex", "web.*")
    assert runtime("list", "-q").stdout == "db-1\n"
    assert "regular expression" in runtime.fails("delete", "--regex", "(")
    runtime.log.unlink(missing_ok=True)
    runtime.ok("delete", "--regex", "nothing")
