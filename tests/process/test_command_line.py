"""The command ``scrun`` as engines call it: real processes, no Slurm."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from proto.host.paths import ContainerPaths
from proto.life import ends
from scrun.box import directory
from tests.unit.scrun.hub import Hub, anchor, write_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.unit.scrun.hub import Reply, Request

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-IS", str(CHECKOUT / "scrun/__main__.py")]

Done = subprocess.CompletedProcess[str]


class Scrun:
    """Runs scrun with a state directory of its own and the environment that podman gives, which is nearly none."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.root = path / "root"
        self.log = path / "log"

    def __call__(
        self,
        *words: str,
        environ: Mapping[str, str] | None = None,
        stdin: str = "",
        logged: bool = True,
        cwd: pathlib.Path | None = None,
    ) -> Done:
        log = ["--log", str(self.log), "--log-format=json"] if logged else []
        return subprocess.run(
            [*COMMAND, "--root", str(self.root), *log, *words],
            env={"SCRUN_SCHEDULER": "local"} if environ is None else dict(environ),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=cwd or self.path,
        )

    def succeeds(self, *words: str, **options: Any) -> str:
        """Run; nothing on standard error, no record; return standard output."""
        done = self(*words, **options)
        assert (done.returncode, done.stderr) == (0, "")
        assert not self.log.exists()
        return done.stdout

    def fails(self, *words: str, status: int = 1, **options: Any) -> str:
        """Run; nothing on standard output, one record, one sentence, nothing left; return the sentence."""
        before = self.things()
        done = self(*words, **options)
        assert (done.returncode, done.stdout) == (status, "")
        [line] = self.log.read_text().splitlines()
        record = json.loads(line)
        assert set(record) == {"level", "msg", "time"}
        assert record["level"] == "error"
        assert done.stderr == record["msg"] + "\n"
        self.log.unlink()
        assert self.things() == before
        sentence: str = record["msg"]
        return sentence

    def things(self) -> set[str]:
        """Every file but the log; an empty state directory is no trace, and what outlives containers is none."""
        kept = self.root / ends.DIRECTORY
        ignored = {self.root, self.log, kept, self.root / ".local-runtime"}
        return {str(path) for path in self.path.rglob("*") if path not in ignored and path.parent != kept}


@pytest.fixture
def scrun(tmp_path: pathlib.Path) -> Scrun:
    return Scrun(tmp_path)


@pytest.fixture
def bundle(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "bundle"
    (path / "rootfs/bin").mkdir(parents=True)
    (path / "rootfs/bin/true").write_bytes(b"#!/bin/sh\n")
    (path / "rootfs/bin/true").chmod(0o755)
    (path / "rootfs/bin/plain").touch(0o644)
    write_config(path)
    return path


def write_config(bundle: pathlib.Path, **process: Any) -> None:
    config = {
        "ociVersion": "1.0.2",
        "root": {"path": "rootfs"},
        "process": {"cwd": "/", "args": ["/bin/true"]} | process,
    }
    (bundle / "config.json").write_text(json.dumps(config))


# --- errors of every kind -----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["state", "start", "kill", "delete", "ps", "update", "pause", "resume", "events"])
def test_an_unknown_id(scrun: Scrun, verb: str) -> None:
    assert scrun.fails(verb, "nobody") == "container nobody does not exist"
    scrun.root.mkdir()
    assert scrun.fails(verb, "nobody") == "container nobody does not exist"


def test_exec_of_an_unknown_id(scrun: Scrun) -> None:
    assert scrun.fails("exec", "nobody", "sh", status=255) == "exec failed: container nobody does not exist"


@pytest.mark.parametrize("verb", ["state", "start", "kill", "delete", "create"])
@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a b", "ä", "x" * 300, "a\nb", "~x"])
def test_an_id_that_is_none(scrun: Scrun, verb: str, name: str) -> None:
    assert "invalid container id" in scrun.fails(verb, name)


@pytest.mark.parametrize(
    "words",
    [
        ("frobnicate",),
        ("--bogus",),
        ("state",),
        ("state", "a", "b"),
        ("kill", "--signal", "9", "x"),
        ("create", "x", "-b"),
    ],
)
def test_a_command_line_that_cannot_be_understood(scrun: Scrun, words: tuple[str, ...]) -> None:
    assert scrun.fails(*words)


def test_a_state_directory_that_cannot_be(scrun: Scrun, bundle: pathlib.Path) -> None:
    scrun.root = pathlib.Path("/")
    assert "cannot be /" in scrun.fails("state", "x")
    scrun.root = scrun.path / "file"
    scrun.root.touch()
    assert "state directory" in scrun.fails("create", "-b", str(bundle), "x")
    scrun.root /= "below"
    # The system's own words would make podman think that the program is missing.
    assert f"directory {scrun.root}: a part of the path is a file;" in scrun.fails("create", "-b", str(bundle), "x")
    scrun.root = scrun.path / "none"
    assert "does not exist" in scrun.fails("list")


def test_no_config(scrun: Scrun, tmp_path: pathlib.Path) -> None:
    assert "JSON specification file config.json not found" in scrun.fails("create", "x")
    assert "no bundle directory" in scrun.fails("create", "-b", str(tmp_path / "none"), "x")


def test_a_fifo_as_config(scrun: Scrun, tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    assert "not a regular file" in scrun.fails("create", "x")


def test_garbage_as_config(scrun: Scrun, bundle: pathlib.Path) -> None:
    (bundle / "config.json").write_bytes(os.urandom(1000))
    assert "not valid JSON" in scrun.fails("create", "-b", str(bundle), "x")


def test_programs_that_cannot_be_run(scrun: Scrun, bundle: pathlib.Path) -> None:
    for program, words in (
        ("nothing", "executable file not found in $PATH"),
        ("/bin/nothing", "no such file or directory"),
        ("/bin/plain", "permission denied"),
        ("/bin", "is a directory"),
    ):
        write_config(bundle, args=[program])
        assert words in scrun.fails("create", "-b", str(bundle), "x")


def test_terminal_and_console_socket_belong_together(scrun: Scrun, bundle: pathlib.Path) -> None:
    assert "console socket" in scrun.fails("create", "--console-socket", "/tmp/s", "-b", str(bundle), "x")
    write_config(bundle, terminal=True)
    assert "console socket" in scrun.fails("create", "-b", str(bundle), "x")


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"SLURM_CONF": "/nowhere/slurm.conf"}, "slurm.conf is not at /nowhere/slurm.conf"),
        ({"SCRUN_SCHEDULER": "pbs"}, "must be one of"),
        ({"SCRUN_SCHEDULER": "local", "SCRUN_DEBUG": "loud"}, "no log level"),
        ({"SCRUN_SCHEDULER": "local", "SLURM_JOB_ID": "1x"}, "no job id"),
    ],
)
def test_settings_that_are_wrong(scrun: Scrun, bundle: pathlib.Path, environ: dict[str, str], words: str) -> None:
    sentence = scrun.fails("create", "-b", str(bundle), "x", environ=environ)
    assert words in sentence
    assert "no such file" not in sentence.lower()


def test_an_id_in_use(scrun: Scrun, bundle: pathlib.Path) -> None:
    with anchor(scrun.root / "x", "stopped"):
        sentence = scrun.fails("create", "-b", str(bundle), "x")
    assert sentence == "container with given ID already exists"


def test_an_id_that_is_being_made(scrun: Scrun, bundle: pathlib.Path) -> None:
    scrun.root.mkdir()
    lock = directory.reserve(ContainerPaths(str(scrun.root), "x"))
    sentence = scrun.fails("create", "-b", str(bundle), "x")
    os.close(lock)
    assert sentence == "container with given ID already exists"


def test_a_log_that_cannot_be_written(scrun: Scrun) -> None:
    for log, why in ((f"{scrun.path}/nowhere/log", "there is no directory"), (str(scrun.path), "is a directory")):
        for words in (["list"], ["state", "x"], ["--debug", "list"], ["delete", "--force", "x"]):
            done = scrun("--log", log, *words, logged=False)
            assert (done.returncode, done.stdout) == (1, "")
            assert f"the log {log} cannot be written: " in done.stderr
            assert why in done.stderr


def test_without_a_log(scrun: Scrun) -> None:
    done = scrun("state", "nobody", logged=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "container nobody does not exist\n")


def test_standard_output_that_nobody_reads(scrun: Scrun) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*COMMAND, "--help"], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_nothing_is_left_of_a_failed_anchor(scrun: Scrun, bundle: pathlib.Path, tmp_path: pathlib.Path) -> None:
    pid_file = tmp_path / "missing" / "pid"
    sentence = scrun.fails("create", "-b", str(bundle), "--pid-file", str(pid_file), "x")
    assert sentence == f"the pid file {pid_file} cannot be written: it is not there"


# --- what tells about scrun --------------------------------------------------------------------------------


def test_version(scrun: Scrun) -> None:
    for words in (["--version"], ["-V"], ["-v"], ["version"]):
        first, *others = scrun.succeeds(*words).splitlines()
        assert first == "scrun version 0.1.0"
        assert others[-1] == "spec: 1.0.2"


def test_help(scrun: Scrun) -> None:
    assert "VERBS:" in scrun.succeeds("--help")
    assert scrun.succeeds() == scrun.succeeds("help") == scrun.succeeds("-h")
    assert "--pid-file" in scrun.succeeds("create", "--help")
    assert "--nodes[=NODES]" in scrun.succeeds("doctor", "--help")
    assert scrun.succeeds("help", "kill") == scrun.succeeds("kill", "-h")
    assert scrun.succeeds("--usage").startswith("Usage: scrun")
    assert "No help topic for 'frobnicate'" in scrun.fails("help", "frobnicate")


def test_features(scrun: Scrun) -> None:
    features = json.loads(scrun.succeeds("features"))
    assert features["ociVersionMin"] == "1.0.0"
    # No word about createContainer and startContainer: that is the node's runtime.
    assert features["hooks"] == ["prestart", "createRuntime", "poststart", "poststop"]


def test_spec(scrun: Scrun, tmp_path: pathlib.Path) -> None:
    (tmp_path / "rootfs/bin").mkdir(parents=True)
    assert not scrun.succeeds("spec")
    assert json.loads((tmp_path / "config.json").read_text())["process"]["args"] == ["sh"]
    assert "exists" in scrun.fails("spec")
    # It is a config with a terminal; only the program is missing.
    assert "terminal" in scrun.fails("create", "x")
    assert '"sh"' in scrun.fails("run", "x")


# --- list, ps, update --------------------------------------------------------------------------------------


def test_list_of_nothing(scrun: Scrun, tmp_path: pathlib.Path) -> None:
    scrun.root.mkdir()
    assert scrun.succeeds("list", "--quiet") == ""
    assert json.loads(scrun.succeeds("list", "-f", "json")) is None
    assert scrun.succeeds("list").split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    environ = {"XDG_RUNTIME_DIR": str(tmp_path / "none")}
    done = subprocess.run([*COMMAND, "list", "-q"], env=environ, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_gc_finishes_what_a_killed_delete_began_and_leaves_the_rest(scrun: Scrun) -> None:
    (scrun.root / "~x.1/spool").mkdir(parents=True)
    (scrun.root / "young").mkdir()
    (scrun.root / "old").mkdir()
    with anchor(scrun.root / "living"), anchor(scrun.root / "ended", "stopped"):
        # A living container's processes hold its lock.
        lock = directory.try_lock(ContainerPaths(str(scrun.root), "living"))
        assert lock is not None
        before = scrun.things()
        said = scrun.succeeds("gc", "-n")
        assert said == f"{scrun.root}/~x.1: what a killed delete left is removed (not done)\n"
        assert scrun.things() == before
        assert scrun.succeeds("gc") == said.replace(" (not done)", "")
        os.close(lock)
    assert {path.name for path in scrun.root.iterdir()} == {"young", "old", "living", "ended"}


def test_gc_of_a_journal_that_is_gone(scrun: Scrun) -> None:
    with anchor(scrun.root / "x"):
        pass
    assert scrun.succeeds("gc").splitlines() == [
        "x: its processes were killed; its job is given back and its end recorded",
        "x: its journal does not tell how; delete it with --force",
    ]


def test_doctor(scrun: Scrun) -> None:
    done = scrun("doctor", "--format=json", environ={"SLURM_CONF": "/nowhere/slurm.conf"})
    assert (done.returncode, done.stderr) == (1, "")
    rows = {row["check"]: row for row in json.loads(done.stdout)}
    assert rows["slurm.conf"]["level"] == "fault"
    assert "/nowhere/slurm.conf" in rows["slurm.conf"]["sentence"]
    assert rows["state directory"] == {
        "check": "state directory", "level": "ok", "sentence": str(scrun.root), "place": "", "lines": [],
    }  # fmt: skip
    assert not [row for row in rows.values() if "failed itself" in row["sentence"]]
    assert len(scrun("doctor").stdout.splitlines()) >= len(rows)


def test_list(scrun: Scrun) -> None:
    with anchor(scrun.root / "x") as process:
        (scrun.root / "half-made").mkdir()
        (scrun.root / "~y.1").mkdir()
        assert scrun.succeeds("list", "-q") == "x\n"
        [entry] = json.loads(scrun.succeeds("list", "--format=json"))
        assert (entry["id"], entry["pid"], entry["status"]) == ("x", process.pid, "running")
        assert scrun.succeeds("list").splitlines()[1].split()[:3] == ["x", str(process.pid), "running"]


def test_list_for_people(scrun: Scrun) -> None:
    with anchor(scrun.root / "x") as process:
        assert scrun.succeeds("list").splitlines()[0].split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
        header, row = scrun.succeeds("list", "--long").splitlines()
        assert header.split() == ["ID", "STATUS", "JOB", "NODES", "PHASE", "AGE", "REASON"]
        assert row.split()[:2] == ["x", "running"]
        process.kill()
        process.wait()
        assert scrun.succeeds("list", "-l").splitlines()[1].split()[:3] == ["x", "stopped", "abandoned"]


def test_list_of_the_containers_of_a_job(scrun: Scrun) -> None:
    with anchor(scrun.root / "x"), anchor(scrun.root / "y"):
        state = scrun.root / "x/state.json"
        state.write_text(state.read_text().replace('"annotations": {}', '"annotations": {"scrun.job-id": "29"}'))
        assert scrun.succeeds("list", "-q", "--job=29") == "x\n"
        assert scrun.succeeds("list", "-q", "-j", "2") == ""
        assert json.loads(scrun.succeeds("list", "-f", "json", "--job", "2")) is None


def test_list_of_all_users(scrun: Scrun) -> None:
    """What is there besides is not the test's: only that it can be read, and by root only."""
    words = [*COMMAND, "list", "--all-users"]
    done = subprocess.run([*words, "-f", "json"], env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert all({"id", "owner", "scrun"} <= set(entry) for entry in json.loads(done.stdout) or [])
    header = subprocess.run([*words, "-l"], env={}, capture_output=True, text=True, check=False).stdout.splitlines()[0]
    assert header.split()[:2] == ["OWNER", "ID"]
    assert scrun.fails("list", "--all-users").endswith("leave --root out")
    unprivileged = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "/usr/bin/python3"]
    done = subprocess.run([*unprivileged, *words[1:]], env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "only root may list the containers of all users; leave --all-users out\n"


def test_ps(scrun: Scrun) -> None:
    with anchor(scrun.root / "x") as process:
        assert scrun.succeeds("ps", "--format", "json", "x") == f"[{process.pid}]"
    assert scrun.succeeds("ps", "--format", "json", "x") == "[]"
    assert scrun.succeeds("ps", "x") == ""


def test_update(scrun: Scrun) -> None:
    with anchor(scrun.root / "x"):
        nothing = json.dumps({"memory": {"limit": 0}, "cpu": {}, "blockIO": None, "devices": []})
        assert scrun.succeeds("update", "--resources", "-", "x", stdin=nothing) == ""
        assert scrun.succeeds("update", "--resources", "-", "x") == ""
        wish = json.dumps({"memory": {"limit": 1 << 30}})
        assert "(memory.limit)" in scrun.fails("update", "--resources", "-", "x", stdin=wish)
        assert "(cpu.quota)" in scrun.fails("update", "--cpu-quota", "1000", "x")
        assert "no resources" in scrun.fails("update", "--resources", "-", "x", stdin="[")


def test_update_with_the_limits_that_there_are(scrun: Scrun) -> None:
    # podman update --restart sends them all; create keeps the config.json that it was given.
    limits = {"memory": {"limit": 1 << 20}, "pids": {"limit": 2048}, "devices": [{"allow": False, "access": "rwm"}]}
    with anchor(scrun.root / "x"):
        (scrun.root / "x/config.json").write_text(json.dumps({"linux": {"resources": limits}}))
        assert scrun.succeeds("update", "--resources=-", "x", stdin=json.dumps(limits)) == ""
        assert scrun.succeeds("update", "--memory", "1m", "--pids-limit=2048", "--memory-swap=-1", "x") == ""
        changed = limits | {"pids": {"limit": 4}}
        assert "(pids.limit)" in scrun.fails("update", "--resources=-", "x", stdin=json.dumps(changed))
        assert "(memory.limit)" in scrun.fails("update", "--memory", "2M", "x")
        assert "(cpu.cpus)" in scrun.fails("update", "--cpuset-cpus", "0-1", "x")
        assert "(l3-cache-schema)" in scrun.fails("update", "--l3-cache-schema", "L3:0=f", "x")


def test_mounts_are_not_supported(scrun: Scrun) -> None:
    with anchor(scrun.root / "x"):
        assert "mounts is not supported" in scrun.fails("mounts", "add", "x", "file")
    assert "does not exist" in scrun.fails("mounts", "add", "nobody", "file")


@pytest.mark.parametrize("verb", ["checkpoint", "restore"])
def test_what_is_not_supported(scrun: Scrun, verb: str) -> None:
    with anchor(scrun.root / "x"):
        assert f"{verb} is not supported" in scrun.fails(verb, "x")


# --- state, start, kill, delete ---------------------------------------------------------------------------


def replying(**replies: Reply) -> Callable[[Request], Reply | None]:
    return lambda request: replies.get(request[3])


DONE: Reply = ("done", {})


def test_state(scrun: Scrun) -> None:
    with anchor(scrun.root / "x") as process:
        assert scrun.succeeds("state", "x") == (scrun.root / "x/state.json").read_text()
    state = json.loads(scrun.succeeds("state", "x"))
    assert (state["status"], state["pid"]) == ("stopped", 0)
    assert process.pid in state["scrun"].values()


def test_start(scrun: Scrun) -> None:
    with anchor(scrun.root / "x", "created"), Hub(scrun.root / "x", replying(start=DONE)) as hub:
        assert scrun.succeeds("start", "x", environ={}) == ""
        assert [request[3] for request in hub.requests] == ["start"]
    assert scrun.fails("start", "x") == "cannot start a container that has stopped"


@pytest.mark.parametrize(
    ("annotations", "sentence"),
    [
        ({"scrun.end-reason": 'no "rootfs" there'}, 'no "rootfs" there'),
        ({"scrun.end-reason": "the time limit", "scrun.step": "7.0"}, "cannot start a container that has stopped"),
        ({}, "cannot start a container that has stopped"),
    ],
)
def test_start_of_a_container_that_ended_before(scrun: Scrun, annotations: dict[str, str], sentence: str) -> None:
    """Staging may fail after ``create`` has returned, and before ``start`` comes."""
    (scrun.root / "x").mkdir(parents=True)
    write_state(scrun.root / "x", 0, "stopped")
    path = scrun.root / "x/state.json"
    path.write_text(path.read_text().replace('"annotations": {}', f'"annotations": {json.dumps(annotations)}'))
    assert scrun.fails("start", "x") == sentence


def test_an_interrupted_start_interrupts_the_anchor(scrun: Scrun, wait_until: Any) -> None:
    with anchor(scrun.root / "x", "created") as process, Hub(scrun.root / "x", lambda _: None) as hub:
        with subprocess.Popen([*COMMAND, "--root", str(scrun.root), "start", "x"]) as starting:
            wait_until(lambda: hub.requests)
            starting.send_signal(signal.SIGINT)
            assert starting.wait(10) == 130
        assert process.wait(10) == -signal.SIGINT


def test_kill(scrun: Scrun) -> None:
    with anchor(scrun.root / "x"), Hub(scrun.root / "x", replying(kill=DONE)) as hub:
        for words in (["x"], ["x", "KILL"], ["--all", "x", "sigusr1"], ["x", "RTMIN+3"], ["x", "WINCH"]):
            assert scrun.succeeds("kill", *words, environ={}) == ""
        assert [request[8] for request in hub.requests] == [
            {"signal": 15},
            {"signal": 9},
            {"signal": 10},
            {"signal": 37},
            {"signal": 28},
        ]
        assert scrun.fails("kill", "x", "FOO") == 'unknown signal "FOO"'


def test_signals_that_need_no_hub(scrun: Scrun) -> None:
    with anchor(scrun.root / "x", window=True):
        for word in ("0", "28", "WINCH"):
            assert scrun.succeeds("kill", "x", word) == ""
    for word in ("0", "28", "9", "TERM"):
        assert scrun.fails("kill", "x", word) == "container not running"
        assert scrun.succeeds("kill", "--all", "x", word) == ""


def test_a_refused_signal(scrun: Scrun) -> None:
    refusal = ("failed", {"code": "wrong-state", "sentence": "container not running"})
    with anchor(scrun.root / "x"), Hub(scrun.root / "x", replying(kill=refusal)):
        assert scrun.fails("kill", "x") == "container not running"
        assert scrun.succeeds("kill", "-a", "x") == ""


def test_kill_KILL_when_the_hub_is_stuck(scrun: Scrun) -> None:
    with anchor(scrun.root / "x") as process, Hub(scrun.root / "x", lambda _: None):
        began = time.monotonic()
        assert scrun.succeeds("kill", "x", "KILL") == ""
        assert time.monotonic() - began < 4
        assert process.wait(0) == -signal.SIGKILL


def test_delete_of_what_has_stopped(scrun: Scrun) -> None:
    with anchor(scrun.root / "x", "stopped"):
        pass
    assert scrun.succeeds("delete", "x", environ={}) == ""
    assert list(scrun.root.iterdir()) == []


@pytest.mark.parametrize("status", ["running", "creating"])
def test_delete_of_what_has_not(scrun: Scrun, status: str) -> None:
    with anchor(scrun.root / "x", status), Hub(scrun.root / "x", replying()) as hub:
        assert scrun.fails("delete", "x") == f"cannot delete container x that is not stopped: {status}"
        assert hub.requests == []


@pytest.mark.parametrize(("status", "words"), [("created", []), ("stopped", []), ("running", ["--force"])])
def test_delete_by_the_anchor(scrun: Scrun, status: str, words: list[str]) -> None:
    with anchor(scrun.root / "x", status) as process:

        def end(_request: Request) -> Reply:
            state = scrun.root / "x/state.json"
            state.write_text(state.read_text().replace(f'"{status}"', '"stopped"'))
            process.kill()
            return DONE

        with Hub(scrun.root / "x", end) as hub:
            assert scrun.succeeds("delete", *words, "x") == ""
            assert hub.requests[0][8] == {"force": bool(words)}
    assert list(scrun.root.iterdir()) == []


def test_forced_delete_of_what_is_not_there(scrun: Scrun) -> None:
    assert scrun.succeeds("delete", "--force", "nobody") == ""
    scrun.root.mkdir()
    assert scrun.succeeds("delete", "-f", "nobody") == ""


@pytest.mark.parametrize("state", [None, "", "garbage"])
def test_forced_delete_of_what_is_half_made(scrun: Scrun, state: str | None) -> None:
    (scrun.root / "x/spool").mkdir(parents=True)
    if state is not None:
        (scrun.root / "x/state.json").write_text(state)
    assert scrun.fails("delete", "x")
    assert scrun.succeeds("delete", "--force", "x") == ""
    assert list(scrun.root.iterdir()) == []
