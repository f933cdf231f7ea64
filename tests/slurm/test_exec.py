"""``scrun exec`` as engines and people call it, with the node's runtime of the cluster."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.slurm.runtime import CONFIG

if TYPE_CHECKING:
    from tests.oci.screen import Screen
    from tests.slurm.runtime import Box, Runtime

FOREVER = "while :; do sleep 0.1; done"


@pytest.fixture
def box(runtime: Runtime) -> Box:
    return runtime.running("/bin/sleep", "1000")


def refused(runtime: Runtime, *words: str) -> str:
    """A failure of scrun's own: 255, which no engine takes for the program's status."""
    done = runtime("exec", *words)
    runtime.log.unlink()
    assert (done.returncode, done.stdout) == (255, ""), done.stderr
    return done.stderr.removeprefix("exec failed: ").rstrip("\n")


def steps(runtime: Runtime, box: Box) -> list[str]:
    return runtime.runner(["squeue", "-h", "-s", "-o", "%i", "-j", str(box.job())]).stdout.split()


def process_file(runtime: Runtime, **process: Any) -> str:
    path = runtime.directory / "process.json"
    text = json.dumps({"cwd": "/", "args": ["sh"], "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}} | process)
    assert runtime.runner(["tee", str(path)], text).returncode == 0
    return str(path)


def ready(runtime: Runtime, *words: str) -> subprocess.Popen[bytes]:
    """Start it, and wait for the program's first word."""
    process = runtime.runner.start(runtime.words(*words), stdout=subprocess.PIPE)
    assert process.stdout
    with process.stdout as output:
        assert output.readline() == b"ready\n"
    return process


@pytest.mark.slice
@pytest.mark.usefixtures("staged_anywhere")
def test_exit_status_and_streams(runtime: Runtime, box: Box) -> None:
    done = runtime("exec", box.id, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    assert runtime.records() == []


def test_standard_error_may_be_a_file(runtime: Runtime, box: Box) -> None:
    """srun would empty it; whatever belongs to somebody else, as the pipes of these tests do, it could not open."""
    words = runtime.words("exec", box.id, "sh", "-c", "echo two >&2")
    script = 'log=$1; shift; echo one >"$log"; "$@" 2>>"$log"; cat "$log"'
    assert runtime.runner(["sh", "-c", script, "sh", str(runtime.directory / "log"), *words]).stdout == "one\ntwo\n"


@pytest.mark.slice
def test_what_options_say(runtime: Runtime, box: Box) -> None:
    words = ("--env", "A=b c", "-e", "B=", "--cwd", "/tmp")
    script = 'echo "$A,$B,$PATH,$PWD"; cat /proc/self/status'
    output = runtime("exec", *words, box.id, "sh", "-c", script).stdout
    assert output.startswith("b c,,/bin,/tmp\n")
    assert "NoNewPrivs:\t1" in output


def test_a_process_file_may_be_a_pipe(runtime: Runtime, box: Box) -> None:
    path = process_file(runtime, args=["sh", "-c", "exit 6"])
    script = 'id=$1; shift; cat "$id" | "$@"'
    words = runtime.words("exec", "--process", "/dev/fd/0", box.id)
    assert runtime.runner(["sh", "-c", script, "sh", path, *words]).returncode == 6


def test_the_pid_file_names_what_stands_for_the_program(runtime: Runtime, box: Box) -> None:
    file = runtime.pid_file("exec")
    path = process_file(runtime, args=["sh", "-c", FOREVER])
    words = ("exec", "--detach", "--pid-file", str(file), "--process", path, box.id)
    with open(os.devnull, "r+b") as null:
        assert runtime.runner.start(runtime.words(*words), stdin=null, stdout=null, stderr=null).wait(30) == 0
    pid = int(file.read_text())
    assert pathlib.Path(f"/proc/{pid}/comm").read_text() == "scrun-exec\n"
    assert len(steps(runtime, box)) == 2
    os.kill(pid, signal.SIGTERM)
    runtime.wait_until(lambda: len(steps(runtime, box)) == 1, 30, what="the step's end")
    assert box.state()["status"] == "running"


def test_before_and_after_the_program(runtime: Runtime) -> None:
    assert refused(runtime, "nobody", "true") == "container nobody does not exist"
    box = runtime.box("/bin/sh", "-c", "exit 0")
    assert refused(runtime, box.id, "true") == "cannot exec in a container that is not running yet"
    runtime.ok("start", box.id)
    assert box.wait() == 0
    assert refused(runtime, box.id, "true").startswith("cannot exec in a stopped container")


def test_words_that_do_not_fit(runtime: Runtime, box: Box) -> None:
    assert refused(runtime, box.id) == "process args cannot be empty"
    assert "absolute path" in refused(runtime, "--cwd", "tmp", box.id, "true")
    assert "--user takes numbers" in refused(runtime, "--user", "root", box.id, "true")
    assert "without setting console socket" in refused(runtime, "--detach", "--tty", box.id, "true")
    assert "cannot use console socket" in refused(runtime, "--console-socket", "/tmp/none", box.id, "true")
    assert "is not there" in refused(runtime, "--process", "/tmp/none", box.id)
    assert "must be a list" in refused(runtime, "--process", process_file(runtime, args="sh"), box.id)
    assert "has no subordinate id" in refused(runtime, "--user", "4000000", box.id, "true")
    assert len(steps(runtime, box)) == 1


@pytest.mark.usefixtures("staged_anywhere")
def test_several_nodes_mean_the_first(runtime: Runtime) -> None:
    box = runtime.running("/bin/sleep", "1000", annotations={"scrun.nodes": "2"})
    assert runtime("exec", box.id, "sh", "-c", "echo in; exit 3").returncode == 3


def test_a_container_that_no_runtime_can_be_found_for(runtime: Runtime) -> None:
    """Without the entry file nothing tells the container's processes from others."""
    box = runtime.running("/bin/sleep", "1000", environ=runtime.site("[scrun]\nentry = false\n"))
    done = runtime("exec", box.id, "true")
    assert (done.returncode, done.stdout) == (255, "")
    assert "no OCI runtime stays beside the container" in done.stderr


NO_STEP = """#!/bin/sh
# srun, when the job has had as many steps as the site allows (MaxStepCount).
case "$*" in *--container=*) exec "{srun}" "$@";; esac
echo "srun: error: Unable to create step for job 1: Step limit reached for this job" >&2; exit 1
"""


def test_a_step_that_cannot_be_had(runtime: Runtime) -> None:
    """A sentence, and no pid file: an engine takes that for a program that never ran."""
    site = runtime.site("")
    folder = pathlib.Path(site["SLURM_CONF"]).parent
    srun = runtime.runner(["sh", "-c", "command -v srun"]).stdout.strip()
    script = f'cd {folder}; cat >srun; chmod 755 srun; echo "SrunPath={folder}/srun" >oci.conf'
    assert runtime.runner(["sh", "-c", script], NO_STEP.format(srun=srun)).returncode == 0
    box = runtime.running("/bin/sleep", "1000", environ=site)
    file = runtime.pid_file("exec")
    assert "tep limit" in refused(runtime, "--detach", "--pid-file", str(file), box.id, "true")
    assert not file.exists()


@pytest.mark.usefixtures("staged_anywhere")
def test_a_secret_is_in_no_command_line_and_in_no_file(runtime: Runtime, box: Box) -> None:
    secret = f"secret-{os.urandom(8).hex()}"
    path = process_file(runtime, args=["sh", "-c", f"echo ready; {FOREVER}"], env=["PATH=/bin", f"WORD={secret}"])
    process = ready(runtime, "exec", "--process", path, box.id)
    (runtime.directory / "process.json").unlink()
    for words in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert secret.encode() not in words.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
    places = (str(runtime.root), "/home", "/var/lib/scrun-cluster/spool", "/tmp")
    new = ["find", *places, "-xdev", "-type", "f", "-mmin", "-5", "-exec", "grep", "-lsF", secret, "{}", "+"]
    found = subprocess.run(new, capture_output=True, text=True, check=False)
    assert found.stdout == ""
    process.terminate()
    assert process.wait(30) == 137


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_for_the_foreground_ends_the_program(runtime: Runtime, box: Box, name: str) -> None:
    process = ready(runtime, "exec", box.id, "sh", "-c", f"echo ready; {FOREVER}")
    os.kill(process.pid, getattr(signal, name))
    assert process.wait(30) > 128
    runtime.wait_until(lambda: len(steps(runtime, box)) == 1, 30, what="the step's end")


@pytest.mark.slice
def test_on_a_terminal_of_one_s_own(runtime: Runtime, screen: Screen) -> None:
    terminals = {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance"]}
    box = runtime.running("/bin/sleep", "1000", config={"mounts": [*CONFIG["mounts"], terminals]})
    screen.resize(41, 77)
    before = subprocess.run(["stty", "-g"], stdin=screen.master, capture_output=True, check=True).stdout
    script = """stty size; read -r line; echo "<$line>"
        until [ "$(stty size)" = "30 90" ]; do sleep 0.1; done; echo resized; exit 9"""
    screen.run("--root", str(runtime.root), "exec", "-t", box.id, "sh", "-c", script)
    screen.expect("41 77")
    screen.type("hello\r")
    screen.expect("<hello>")
    screen.resize(30, 90)
    screen.expect("resized")
    assert screen.exit_code() == 9
    assert subprocess.run(["stty", "-g"], stdin=screen.master, capture_output=True, check=True).stdout == before
