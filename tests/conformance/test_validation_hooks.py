"""The cases of runtime-tools' ``validation`` about hooks that run here, one function for each."""

from __future__ import annotations

import json
import pathlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.slurm.runtime import Runtime


class Trace:
    """A file of the test user's into which hooks write lines."""

    def __init__(self, runtime: Runtime) -> None:
        self.path = pathlib.Path(runtime.directory / "trace")

    def hook(self, word: str, code: int = 0) -> dict[str, Any]:
        """A hook that writes ``word``, and then exits with ``code``."""
        return {"path": "/bin/sh", "args": ["sh", "-c", f"echo {word} >>{self.path}; exit {code}"]}

    def state(self, word: str) -> dict[str, Any]:
        """A hook that writes down the state that it is given."""
        script = f"state=$(cat | tr -d '\\n'); echo {word} \"$state\" >>{self.path}"
        return {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/bin:/bin"]}

    def lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []


def with_hooks(**hooks: Any) -> dict[str, Any]:
    return {"config": {"hooks": hooks}}


def test_validation_hooks(runtime: Runtime) -> None:
    """All kinds, in their order and each in the order given; none of them is run twice."""
    trace = Trace(runtime)
    kinds = ("prestart", "poststart", "poststop")
    hooks = {kind: [trace.hook(f"{kind}{number}") for number in (1, 2)] for kind in kinds}
    box = runtime.box("/bin/true", **with_hooks(**hooks))
    assert trace.lines() == ["prestart1", "prestart2"]
    runtime.ok("start", box.id)
    assert trace.lines()[2:] == ["poststart1", "poststart2"]
    box.wait()
    runtime.ok("delete", box.id)
    assert trace.lines()[4:] == ["poststop1", "poststop2"]


def test_validation_hooks_stdin(runtime: Runtime) -> None:
    """The suite expects ``created`` in prestart; the specification, and runc, say ``creating``."""
    trace = Trace(runtime)
    kinds = ("prestart", "poststart", "poststop")
    box = runtime.running("/bin/sleep", "600", **with_hooks(**{kind: [trace.state(kind)] for kind in kinds}))
    runtime.ok("kill", box.id, "KILL")
    box.wait()
    runtime.ok("delete", box.id)
    told = {word: json.loads(text) for word, text in (line.split(" ", 1) for line in trace.lines())}
    assert {word: state["status"] for word, state in told.items()} == {
        "prestart": "creating", "poststart": "running", "poststop": "stopped",
    }  # fmt: skip
    for state in told.values():
        assert (state["id"], state["bundle"]) == (box.id, str(runtime.directory / f"bundle-{box.id}"))
    assert told["prestart"]["pid"] == told["poststart"]["pid"] == box.anchor


def test_validation_prestart(runtime: Runtime) -> None:
    trace = Trace(runtime)
    box = runtime.box("/bin/true", **with_hooks(prestart=[trace.hook("prestart")]))
    assert trace.lines() == ["prestart"]
    runtime.ok("start", box.id)
    assert (box.wait(), trace.lines()) == (0, ["prestart"])


def test_validation_prestart_fail(runtime: Runtime) -> None:
    trace = Trace(runtime)
    hooks = with_hooks(prestart=[trace.hook("first", 7), trace.hook("second")])
    bundle = runtime.bundle("/bin/true", name="bundle-x", **hooks)
    assert "prestart" in runtime.fails("create", "--bundle", str(bundle), "x")
    assert trace.lines() == ["first"]
    assert "does not exist" in runtime.fails("state", "x")
    assert runtime.left("x") == []


def test_validation_poststart(runtime: Runtime) -> None:
    trace = Trace(runtime)
    box = runtime.box("/bin/sleep", "600", **with_hooks(poststart=[trace.hook("poststart")]))
    assert trace.lines() == []
    runtime.ok("start", box.id)
    assert trace.lines() == ["poststart"]


def test_validation_poststart_fail(runtime: Runtime) -> None:
    """A warning before version 1.3 of the specification, which the suite expects; since then the container's end."""
    trace = Trace(runtime)
    box = runtime.running("/bin/sleep", "600", **with_hooks(poststart=[trace.hook("first", 7), trace.hook("second")]))
    assert (box.state()["status"], trace.lines()) == ("running", ["first", "second"])
    assert "poststart" in (runtime.root / box.id / "log").read_text()
    hooks = {"poststart": [trace.hook("third", 7), trace.hook("fourth")]}
    box = runtime.box("/bin/sleep", "600", config={"ociVersion": "1.3.0", "hooks": hooks})
    assert "poststart" in runtime.fails("start", box.id)
    box.wait()
    assert trace.lines()[2:] == ["third"]
    assert "does not exist" in runtime.fails("state", box.id)


def test_validation_poststop(runtime: Runtime) -> None:
    trace = Trace(runtime)
    box = runtime.running("/bin/true", **with_hooks(poststop=[trace.hook("poststop")]))
    box.wait()
    assert trace.lines() == []
    runtime.ok("delete", box.id)
    assert trace.lines() == ["poststop"]


def test_validation_poststop_fail(runtime: Runtime) -> None:
    """A failure is a warning, and the other hooks run."""
    trace = Trace(runtime)
    box = runtime.running("/bin/true", **with_hooks(poststop=[trace.hook("first", 7), trace.hook("second")]))
    box.wait()
    done = runtime("delete", box.id)
    assert (done.returncode, done.stderr) == (0, "")
    assert [record["level"] for record in runtime.records()] == ["warning"]
    runtime.log.unlink()
    assert trace.lines() == ["first", "second"]
    assert runtime.left(box.id) == []
