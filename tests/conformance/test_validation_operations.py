"""The cases of runtime-tools' ``validation`` that are about operations and states, one function for each.

That suite is Go with its own root file system and is in no package; what its cases ask is restated here. A function
is named after its case.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.slurm.runtime import Runtime

LONG = ("/bin/sleep", "600")


def unknown_to_all(runtime: Runtime, *verb: str) -> None:
    """No id is an error, and so is the id of no container."""
    assert re.search("requires (exactly|a minimum of) 1 argument", runtime.fails(verb[0]))
    assert "does not exist" in runtime.fails(verb[0], "nobody", *verb[1:])


def test_validation_create(runtime: Runtime) -> None:
    bundle = str(runtime.bundle(*LONG))
    assert "requires exactly 1 argument" in runtime.fails("create", "--bundle", bundle)
    box = runtime.box(*LONG, id="one")
    before = box.state()
    assert "container with given ID already exists" in runtime.fails("create", "--bundle", bundle, box.id)
    assert box.state() == before
    runtime.ok("delete", box.id)
    assert box.wait() != 0
    # The id is free again, and another bundle may have it.
    again = runtime.box("/bin/echo", "again", id="one")
    runtime.ok("start", again.id)
    assert (again.read(), again.wait()) == ("again\n", 0)


def test_validation_create_needs_a_bundle(runtime: Runtime) -> None:
    nowhere = runtime.directory / "nowhere"
    runtime.fails("create", "--bundle", str(nowhere), "one")
    assert "does not exist" in runtime.fails("state", "one")


def test_validation_state(runtime: Runtime) -> None:
    unknown_to_all(runtime, "state")
    box = runtime.running(*LONG, annotations={"org.example.key": "value"})
    state = box.state()
    assert {key: type(state[key]) for key in ("ociVersion", "id", "status", "pid", "bundle")} == {
        "ociVersion": str, "id": str, "status": str, "pid": int, "bundle": str,
    }  # fmt: skip
    assert (state["id"], state["status"], state["pid"]) == (box.id, "running", box.anchor)
    assert state["bundle"] == str(runtime.directory / f"bundle-{box.id}")
    assert state["annotations"]["org.example.key"] == "value"
    assert all(isinstance(value, str) for value in state["annotations"].values())


def test_validation_start(runtime: Runtime) -> None:
    unknown_to_all(runtime, "start")
    box = runtime.box("/bin/sh", "-c", "echo once; read line", stdin=True)
    assert box.state()["status"] == "created"
    runtime.ok("start", box.id)
    assert box.read_line() == "once"
    assert "cannot start an already running container" in runtime.fails("start", box.id)
    assert box.state()["status"] == "running"
    box.close_stdin()
    assert box.wait() == 1
    assert "cannot start a container that has stopped" in runtime.fails("start", box.id)
    assert box.state()["status"] == "stopped"
    assert box.read() == ""  # it did not run again


def test_validation_start_without_a_process(runtime: Runtime) -> None:
    """The suite wants ``start`` to succeed; the specification wants an error. It comes from ``create`` already."""
    bundle = str(runtime.bundle(config={"process": None}))
    assert "process" in runtime.fails("create", "--bundle", bundle, "one")
    assert "does not exist" in runtime.fails("state", "one")


def test_validation_kill(runtime: Runtime) -> None:
    unknown_to_all(runtime, "kill", "KILL")
    created, running = runtime.box(*LONG), runtime.running(*LONG)
    for box in (created, running):
        runtime.ok("kill", box.id, "KILL")
        assert box.wait() == -9 or box.state()["status"] == "stopped"
        assert "container not running" in runtime.fails("kill", box.id, "KILL")


def test_validation_kill_no_effect(runtime: Runtime) -> None:
    box = runtime.running("/bin/true")
    assert box.wait() == 0
    before = box.state()
    for signal in ("KILL", "TERM", "0", "WINCH"):
        runtime.fails("kill", box.id, signal)
        assert box.state() == before


@pytest.mark.parametrize("signal", ["TERM", "USR1", "USR2"])
def test_validation_killsig(runtime: Runtime, signal: str) -> None:
    # The trap is there when "ready" is read; a shell takes it when its child has ended.
    script = f"trap 'echo {signal}; exit 3' {signal}; echo ready; while :; do sleep 0.1; done"
    box = runtime.running("/bin/sh", "-c", script)
    assert box.read_line() == "ready"
    runtime.ok("kill", box.id, signal)
    assert box.read_line() == signal
    assert box.wait() == 3


def test_validation_delete(runtime: Runtime) -> None:
    """The suite wants ``delete`` of a created container to fail; runc and crun end it, and engines rely on that."""
    unknown_to_all(runtime, "delete")
    created, running = runtime.box(*LONG), runtime.running(*LONG)
    sentence = runtime.fails("delete", running.id)
    assert f"cannot delete container {running.id} that is not stopped: running" in sentence
    assert running.state()["status"] == "running"
    runtime.ok("kill", running.id, "KILL")
    running.wait()
    for box in (created, running):
        runtime.ok("delete", box.id)
        assert "does not exist" in runtime.fails("state", box.id)
        assert runtime.left(box.id) == []


def test_validation_delete_only_create_resources(runtime: Runtime) -> None:
    """What was there before ``create`` is there after ``delete``, to the byte."""
    bundle = runtime.bundle("/bin/true", name="bundle-box0")

    def contents() -> list[tuple[str, int, int]]:
        paths = [*bundle.rglob("*"), *(runtime.directory / "rootfs").rglob("*")]
        return sorted((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in paths)

    box = runtime.box("/bin/true", id="box0")
    before = contents()
    runtime.ok("start", box.id)
    assert box.wait() == 0
    runtime.ok("delete", box.id)
    assert contents() == before


def test_validation_config_updates_without_affect(runtime: Runtime) -> None:
    box = runtime.box("/bin/echo", "as created")
    runtime.bundle("/bin/echo", "changed", name=f"bundle-{box.id}", env=["PATH=/nowhere"])
    runtime.ok("start", box.id)
    assert (box.read(), box.wait()) == ("as created\n", 0)


def test_validation_pidfile(runtime: Runtime) -> None:
    box = runtime.running(*LONG)
    assert runtime.pid_file(box.id).read_bytes() == str(box.state()["pid"]).encode()
    runtime.ok("kill", box.id, "KILL")
    box.wait()
    assert box.state()["pid"] == 0


def test_validation_misc_props(runtime: Runtime) -> None:
    """Unknown properties are ignored; a version that cannot be, and an annotation without a name, are refused."""
    annotations = {"org.example.key": "", "org.example.other": "text"}
    box = runtime.running("/bin/echo", "here", config={"unknown": {"a": [1]}, "annotations": annotations})
    assert (box.read(), box.wait()) == ("here\n", 0)
    assert box.annotations().items() >= annotations.items()
    wrong: list[tuple[str, Any]] = [("ociVersion", version) for version in ("2.0.0", "", "one", 1)]
    for name, value in [*wrong, ("annotations", {"": "text"})]:
        bundle = str(runtime.bundle("/bin/true", name="bad", config={name: value}))
        assert name in runtime.fails("create", "--bundle", bundle, "one"), value
