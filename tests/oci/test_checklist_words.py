"""The list of what engines demand of a runtime, points 1, 2, 5 to 10 and 16 to 18: what is said and answered."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from proto.errors import UsageError
from scrun.cli.parsing import Line, parse
from tests.unit.scrun.test_callers_words import TAKEN, forms

if TYPE_CHECKING:
    from tests.slurm.runtime import Runtime


def test_point_01_every_option_in_both_forms_and_unknown_ones_in_one_line(runtime: Runtime) -> None:
    for verb, (arguments, options) in TAKEN.items():
        for option in options:
            for form, _ in forms(option):
                parse([verb, *form, *arguments], Line())
        with pytest.raises(UsageError):
            parse([verb, "--frobnicate", *arguments], Line())
    assert runtime.fails("--frobnicate", "state", "x") == "unknown option --frobnicate"
    assert runtime.fails("state", "--frobnicate=1", "x") == "unknown option --frobnicate"
    assert runtime.fails("frobnicate", "x").startswith('unknown command "frobnicate"')


def test_point_02_preserve_fds_takes_a_value(runtime: Runtime) -> None:
    runtime.create("two", runtime.bundle("/bin/true"), "--preserve-fds", "0")
    words = ("create", "--bundle", str(runtime.bundle("/bin/true")), "--preserve-fds", "2", "three")
    assert "no descriptor but 0, 1 and 2 reaches a node" in runtime.fails(*words)
    assert json.loads(runtime("state", "two").stdout)["id"] == "two"


def test_point_05_the_pid_file_has_digits_and_nothing_else(runtime: Runtime) -> None:
    pid_file = runtime.pid_file("x")
    runtime.create("x", runtime.bundle("/bin/true"), "--pid-file", str(pid_file))
    assert pid_file.read_bytes() == str(json.loads(runtime("state", "x").stdout)["pid"]).encode()
    assert list(pid_file.parent.glob("*.pid*")) == [pid_file]


def test_point_06_one_record_of_a_failure_and_none_of_a_success(runtime: Runtime) -> None:
    assert runtime("state", "nobody").returncode == 1
    [line] = runtime.log.read_text().splitlines()
    record = json.loads(line)
    assert list(record) == ["level", "msg", "time"]
    assert (record["level"], record["msg"]) == ("error", "container nobody does not exist")
    runtime.log.unlink()
    runtime.create("x", runtime.bundle("/bin/true"))
    for words in (["start", "x"], ["delete", "--force", "x"]):
        assert runtime(*words).returncode == 0
    assert not runtime.log.exists()


def test_point_07_standard_error_of_a_success_is_the_container_s(runtime: Runtime) -> None:
    box = runtime.running("/bin/sh", "-c", "echo mine >&2")
    assert box.wait() == 0
    assert box.read("err") == "mine\n"


def test_point_08_the_words_that_engines_look_for(runtime: Runtime) -> None:
    assert "does not exist" in runtime.fails("start", "nobody")
    assert "JSON specification file config.json not found" in runtime.fails("create", "--bundle", "/tmp", "x")
    for program, words in {
        "nothing": "executable file not found in $PATH",
        "/bin/nothing": "no such file or directory",
        "/bin": "is a directory",
    }.items():
        assert words in runtime.fails("create", "--bundle", str(runtime.bundle(program)), "x")
    assert '"kill" requires a minimum of 1 argument(s)' in runtime.fails("kill")
    box = runtime.running("/bin/cat", stdin=True)
    assert runtime.fails("create", "--bundle", str(runtime.bundle()), box.id) == (
        "container with given ID already exists"
    )
    assert "cannot start an already running container" in runtime.fails("start", box.id)
    assert runtime.fails("delete", box.id) == f"cannot delete container {box.id} that is not stopped: running"
    assert runtime.fails("kill", box.id, "NONSENSE") == 'unknown signal "NONSENSE"'
    box.close_stdin()
    assert box.wait() == 0
    assert "cannot start a container that has stopped" in runtime.fails("start", box.id)
    assert runtime.fails("kill", box.id) == "container not running"


def test_point_09_later_verbs_need_no_environment(runtime: Runtime) -> None:
    scrun = runtime.runner(["/bin/sh", "-c", "command -v scrun"]).stdout.strip()
    uid = os.stat(runtime.directory).st_uid
    bare = ["/usr/bin/env", "-i", f"XDG_RUNTIME_DIR=/run/user/{uid}", scrun, "--root", str(runtime.root)]
    box = runtime.running("/bin/cat", stdin=True)
    for words in (["state", box.id], ["kill", box.id, "KILL"], ["delete", "--force", box.id]):
        done = runtime.runner([*bare, *words])
        assert (done.returncode, done.stderr) == (0, ""), words
    assert box.wait() == 137


def test_point_10_signal_0_asks_nobody(runtime: Runtime) -> None:
    box = runtime.running("/bin/cat", stdin=True)
    hub = runtime.root / box.id / "hub"
    hub.rename(hub.with_name("away"))
    runtime.ok("kill", box.id, "0", environ={"SLURM_CONF": "/nonexistent"})
    hub.with_name("away").rename(hub)


def test_point_16_state_is_a_file_with_one_of_four_words(runtime: Runtime) -> None:
    box = runtime.begin("/bin/cat", stdin=True)
    seen = []

    def look() -> str:
        status: str = box.state().get("status", "")
        seen.append(status)
        return status

    runtime.wait_until(lambda: look() == "created", 60)
    assert runtime.creating[box.id].wait(60) == 0
    box.anchor = int(runtime.pid_file(box.id).read_text())
    runtime.ok("start", box.id)
    # Nobody is there to be asked, and the answer is the same.
    hub = runtime.root / box.id / "hub"
    hub.rename(hub.with_name("away"))
    assert look() == "running"
    hub.with_name("away").rename(hub)
    runtime.ok("kill", box.id, "KILL")
    assert box.wait() == 137
    assert look() == "stopped"
    assert set(seen) - {""} <= {"creating", "created", "running", "stopped"}


def test_point_17_an_update_that_changes_nothing_succeeds(runtime: Runtime) -> None:
    box = runtime.box("/bin/true")
    # docker update --restart=…
    nothing = {"blockIO": {}, "cpu": {"shares": 0}, "memory": {"limit": 0}, "devices": []}
    for text in (json.dumps(nothing), ""):
        done = runtime.runner(runtime.words("update", "--resources", "-", box.id), text)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    path = runtime.directory / "resources"
    assert runtime.runner(["tee", str(path)], json.dumps(nothing)).returncode == 0
    runtime.ok("update", f"--resources={path}", box.id)
    done = runtime.runner(runtime.words("update", "--resources", "-", box.id), '{"cpu": {"quota": 1000}}')
    assert "(cpu.quota)" in runtime.failed(done.returncode, done.stdout, done.stderr)


def test_point_18_features_and_version(runtime: Runtime) -> None:
    features = json.loads(runtime("features").stdout)
    assert re.fullmatch(r"1\.\d+\.\d+", features["ociVersionMin"])
    assert re.fullmatch(r"1\.\d+\.\d+", features["ociVersionMax"])
    lines = runtime("--version").stdout.splitlines()
    assert [line.split()[0] for line in lines] in (["scrun", "commit:", "spec:"], ["scrun", "spec:"])
    assert re.fullmatch(r"scrun version \d+\.\d+\.\d+", lines[0])
