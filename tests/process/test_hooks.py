"""Hooks of config.json that run on this host: real scripts, real containers of the local scheduler."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from actors.oci.hook_config import HERE
from tests.process.site import COMMAND, Site, shell

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[Site]:
    found = Site(tmp_path)
    yield found
    found.scrun("delete", "--force", "x")


@pytest.mark.slice
def test_each_kind_runs_once_in_its_time(site: Site) -> None:
    tell = f"{{ cat; echo; test -d {site.root}/x && echo there || echo gone; }} >> {site.traces}"
    hooks: Any = {kind: [shell(f"echo {kind} >> {site.traces}; {tell}")] for kind in HERE}
    site.config(**hooks)
    site.succeeds("create", "x")
    anchor = json.loads(site.succeeds("state", "x"))["pid"]
    assert len(site.traced()) == 6
    site.succeeds("start", "x")
    assert len(site.traced()) == 9
    site.succeeds("delete", "--force", "x")
    lines = site.traced()
    assert lines[::3] == ["prestart", "createRuntime", "poststart", "poststop"]
    states = [json.loads(line) for line in lines[1::3]]
    assert [state["status"] for state in states] == ["creating", "creating", "running", "stopped"]
    assert [state["pid"] for state in states] == [anchor, anchor, anchor, 0]
    assert {(state["id"], state["bundle"], state["ociVersion"]) for state in states} == {
        ("x", str(site.bundle), "1.0.2")
    }
    assert all(state["annotations"]["a"] == "b" for state in states)
    assert lines[2::3] == ["there", "there", "there", "gone"]


@pytest.mark.slice
def test_what_a_hook_gets_and_nothing_else(site: Site) -> None:
    out = site.path / "out"
    # The shell's $0 is the word after the script: argv is passed on as it is.
    hook = shell(f'{{ echo "$0" "$1" $PPID; /bin/pwd; /usr/bin/env; ls /proc/self/fd; }} > {out} 2>&1', env=["A=1=2"])
    hook["args"] += ["zero", "one"]
    site.config(createRuntime=[hook])
    site.succeeds("create", "x")
    first, where, *others = out.read_text().splitlines()
    assert first.startswith("zero one ")
    assert where == str(site.bundle)
    # What the shell itself adds to an environment.
    assert {line for line in others if "=" in line and line.split("=")[0] not in {"PWD", "OLDPWD", "SHLVL", "_"}} == {
        "A=1=2"
    }
    assert [line for line in others if line.isdigit()] == ["0", "1", "2", "3"]  # the last is the folder that ls reads


def test_argv_0_need_not_be_the_path(site: Site) -> None:
    name = site.path / "applet"
    hook = {"path": "/bin/busybox", "args": ["touch", str(name)]}
    site.config(createRuntime=[hook])
    site.succeeds("create", "x")
    assert name.exists()


def test_later_changes_of_the_config_change_nothing(site: Site) -> None:
    site.config(poststart=[site.trace("start")], poststop=[site.trace("stop")])
    site.succeeds("create", "x")
    site.config(poststart=[site.trace("other")], poststop=[site.trace("other")])
    site.succeeds("start", "x")
    site.succeeds("delete", "--force", "x")
    assert site.traced() == ["start", "stop"]


@pytest.mark.slice
@pytest.mark.parametrize("kind", ["prestart", "createRuntime"])
def test_a_failure_in_create_leaves_nothing(site: Site, kind: str) -> None:
    pid_file = site.path / "pid"
    bad = site.trace("bad", "echo what happened >&2; exit 3")
    hooks: Any = {kind: [site.trace("good"), bad, site.trace("never")], "poststop": [site.trace("stop")]}
    site.config(**hooks)
    sentence = site.fails("create", "--pid-file", str(pid_file), "x")
    assert sentence == f"the {kind} hook /bin/sh ended with exit status 3: what happened"
    assert site.traced() == ["good", "bad", "stop"]
    assert not pid_file.exists()
    site.config()
    site.succeeds("create", "x")  # the id is free


def test_words_that_podman_takes_for_a_fault_of_the_program(site: Site) -> None:
    for script in (
        "cat /nowhere",
        "/etc/passwd",
        "no-such-program",
        "echo Executable file not found in x; false",
    ):
        site.config(createRuntime=[shell(script)])
        sentence = site.fails("create", "x").lower()
        for words in ("no such file", "permission denied", "not permitted", "executable file not found"):
            assert words not in sentence
    for path, why in (("/nowhere", "it is not there"), ("/etc/passwd", "you may not")):
        site.config(createRuntime=[{"path": path}])
        assert site.fails("create", "x") == f"the createRuntime hook {path} could not be run: {why}"


def test_a_timeout_ends_the_hook_and_its_children(site: Site, wait_until: Any) -> None:
    pid = site.path / "child"
    site.config(createRuntime=[shell(f"sleep 1000 & echo $! > {pid}; wait", timeout=1)])
    assert site.fails("create", "x") == "the createRuntime hook /bin/sh did not end within 1 s and was killed"
    child = pathlib.Path(f"/proc/{int(pid.read_text())}/stat")
    wait_until(lambda: not child.exists() or child.read_text().rpartition(")")[2].split()[0] == "Z")


def test_an_interrupted_create_ends_its_hook(site: Site, wait_until: Any) -> None:
    pid = site.path / "hook"
    site.config(createRuntime=[shell(f"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 1000")])
    words = ["--root", str(site.root), "create", "--bundle", str(site.bundle), "x"]
    with subprocess.Popen([*COMMAND, *words], env=site.environ) as creating:
        wait_until(pid.exists)
        creating.send_signal(signal.SIGINT)
        assert creating.wait(30) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    assert not (site.root / "x").exists()


def test_a_failed_poststart_hook_was_a_warning_once(site: Site) -> None:
    site.config("1.2.1", poststart=[shell("echo oh; exit 4"), site.trace("next")])
    site.succeeds("create", "x")
    site.succeeds("start", "x")
    assert "error hooks: the poststart hook /bin/sh ended with exit status 4: oh\n" in (site.root / "x/log").read_text()
    assert json.loads(site.succeeds("state", "x"))["status"] == "running"
    assert site.traced() == ["next"]


def test_a_failed_poststart_hook_ends_the_container(site: Site) -> None:
    site.config("1.3.0", poststart=[shell("kill -9 $$"), site.trace("never")], poststop=[site.trace("stop")])
    site.succeeds("create", "x")
    assert site.fails("start", "x") == "the poststart hook /bin/sh was killed by signal 9"
    assert site.traced() == ["stop"]


@pytest.mark.parametrize("logged", [False, True])
def test_a_failed_poststop_hook_is_a_warning(site: Site, logged: bool) -> None:
    site.config(poststop=[shell("exit 5"), site.trace("next")])
    site.succeeds("create", "x")
    words = ["--log", str(site.log), "--log-format=json"] if logged else []
    done = site.scrun(*words, "delete", "--force", "x")
    sentence = "the poststop hook /bin/sh ended with exit status 5"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "" if logged else f"{sentence}\n")
    if logged:
        record = json.loads(site.log.read_text())
        assert (record["level"], record["msg"]) == ("warning", sentence)
    assert site.traced() == ["next"]
    assert not (site.root / "x").exists()


def test_poststop_after_everybody_was_killed(site: Site, wait_until: Any) -> None:
    site.config(poststop=[site.trace("stop")])
    site.succeeds("create", "x")
    os.kill(json.loads(site.succeeds("state", "x"))["pid"], signal.SIGKILL)
    wait_until(lambda: json.loads((site.root / "x/state.json").read_text())["status"] == "stopped")
    site.succeeds("delete", "x")
    assert site.traced() == ["stop"]


def test_gc_after_the_guard_was_killed_as_well(site: Site, wait_until: Any) -> None:
    site.config(poststop=[site.trace("stop")])
    site.succeeds("create", "x")
    lock = str(site.root / "x/lock")
    # Stopped first, so that none of them can clear up after another.
    for signum in (signal.SIGSTOP, signal.SIGKILL):
        for pid in holders(lock):
            os.kill(pid, signum)
    wait_until(lambda: not holders(lock))
    assert json.loads((site.root / "x/state.json").read_text())["status"] == "created"
    [listed] = json.loads(site.succeeds("list", "--format=json"))
    assert (listed["id"], listed["status"], listed["pid"]) == ("x", "stopped", 0)
    said = "x: its processes were killed; its job is given back and its end recorded"
    assert site.succeeds("gc", "--dry-run") == f"{said} (not done)\n"
    assert site.succeeds("gc") == f"{said}\n"
    state = json.loads((site.root / "x/state.json").read_text())
    assert (state["status"], state["annotations"]["scrun.end"]) == ("stopped", "cancelled")
    assert site.succeeds("gc") == ""
    assert not site.traced()
    site.succeeds("delete", "x")
    assert site.traced() == ["stop"]


def holders(lock: str) -> list[int]:
    """The processes of a container: all have its lock open."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if str(path.readlink()) == lock:
                found.append(int(path.parts[2]))
    return found


@pytest.mark.slice
def test_rules(site: Site) -> None:
    docker = {"path": "/bin/false", "args": ["libnetwork-setkey", "-exec-root=/run/docker", "x", "y"]}
    nvidia = {"path": "/usr/bin/nvidia-container-runtime-hook", "args": ["nvidia-container-runtime-hook", "prestart"]}
    site.config(prestart=[docker, nvidia], createRuntime=[site.trace("run")])
    site.succeeds("create", "x")
    log = (site.root / "x/log").read_text()
    assert "the prestart hook /bin/false (libnetwork-setkey) is not run" in log
    assert "the prestart hook /usr/bin/nvidia-container-runtime-hook is not run" in log
    site.succeeds("delete", "--force", "x")
    assert site.traced() == ["run"]
    site.settings('[hooks]\n"nvidia-*" = "refuse"\n')
    assert "nvidia-container-runtime-hook is refused" in site.fails("create", "x")
    site.settings('[hooks]\n"libnetwork-*" = "run"\n"nvidia-*" = "skip"\n')
    assert "the prestart hook /bin/false ended with exit status" in site.fails("create", "x")


def test_run_runs_them_all(site: Site) -> None:
    hooks: Any = {kind: [site.trace(kind)] for kind in HERE}
    site.config(program="exit 7", **hooks)
    done = site.scrun("run", "x")
    assert (done.returncode, done.stderr) == (7, "")
    assert site.traced() == list(HERE)


def test_no_hooks_no_file(site: Site) -> None:
    site.config(createRuntime=[site.trace("run")])
    site.succeeds("create", "x")
    assert not (site.root / "x/hooks").exists()


@pytest.mark.parametrize("kind", ["prestart", "createRuntime"])
def test_what_a_hook_writes_into_the_root_file_system_is_there_for_the_program_and_afterwards(
    site: Site, kind: str
) -> None:
    file = site.bundle / "rootfs/made"
    # Longer than staging would take: it waits.
    hooks: Any = {kind: [shell(f"sleep 1; echo by a hook > {file}")]}
    site.config(program="cat /made > /seen; rm /made; test -s /seen", **hooks)
    done = site.scrun("run", "x")
    assert (done.returncode, done.stderr) == (0, "")
    assert (site.bundle / "rootfs/seen").read_text() == "by a hook\n"
    assert not file.exists()
