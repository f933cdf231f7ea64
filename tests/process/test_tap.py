"""``scrun tap`` and listeners of other people's beside real containers of the local scheduler."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import zmq

from actors.anchor.descriptors import listen
from actors.state.tap import Tap
from proto.life import events as e
from proto.life import requests
from proto.wire.envelope import Envelope
from tests.chaos.witness import find
from tests.process.site import COMMAND, Site
from tests.unit.docs import markdown

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator

    from tests.conftest import WaitUntil

Line = dict[str, Any]


class Watched(Site):
    """A site whose containers are listened to."""

    def __init__(self, path: pathlib.Path, stack: contextlib.ExitStack, wait_until: WaitUntil) -> None:
        super().__init__(path)
        self.wait_until = wait_until
        self._stack = stack

    def run_beside(self, command: list[str], **more: Any) -> Listener:
        return Listener(self._stack, command, self.path / f"heard{len(list(self.path.glob('heard*')))}", **more)

    def tap(self, *words: str, **more: Any) -> Listener:
        return self.run_beside([*COMMAND, "--root", str(self.root), "tap", *words], **more)

    def anchor(self, name: str = "x") -> int:
        return int(json.loads(self.succeeds("state", name))["pid"])

    def kill(self) -> None:
        """The local scheduler tells that the program runs a moment before the runtime knows of it."""
        self.wait_until(lambda: self.scrun("kill", "x", "KILL").returncode == 0)

    def life(self, name: str) -> None:
        """A short one."""
        self.config(program="exit 7")
        self.succeeds("create", name)
        self.succeeds("start", name)
        self.wait_until(lambda: json.loads(self.succeeds("state", name))["status"] == "stopped")
        self.succeeds("delete", name)


class Listener:
    """A process that prints what it hears."""

    def __init__(self, stack: contextlib.ExitStack, command: list[str], path: pathlib.Path, **more: Any) -> None:
        self.path = path
        with path.open("wb") as file:
            streams: Any = {"stdin": subprocess.DEVNULL, "stdout": file, "stderr": subprocess.STDOUT} | more
            self.process = stack.enter_context(subprocess.Popen(command, env={"PATH": "/usr/bin:/bin"}, **streams))
        stack.callback(self.process.kill)

    def text(self) -> str:
        return self.path.read_text()

    def heard(self) -> list[Line]:
        return [json.loads(line) for line in self.text().splitlines(keepends=True) if line.endswith("\n")]

    def of(self, topic: str, container: str = "x") -> list[Line]:
        return [line for line in self.heard() if (line["topic"], line["container"]) == (topic, container)]

    def ends(self) -> int:
        return self.process.wait(20)


@pytest.fixture
def site(tmp_path: pathlib.Path, wait_until: WaitUntil) -> Iterator[Watched]:
    with contextlib.ExitStack() as stack:
        found = Watched(tmp_path, stack, wait_until)
        found.config()
        yield found
        for name in ("x", "y"):
            found.scrun("delete", "--force", name)


@contextlib.contextmanager
def starting_again(site: Site) -> Iterator[Callable[[int], bool]]:
    """Ask the container x to start so many times; it runs, so that has no effect but to be talked about."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as hub:
        hub.setsockopt(zmq.LINGER, 0)
        hub.connect(f"ipc://{site.root}/x/hub")

        def asked(count: int) -> bool:
            for _ in range(count):
                hub.send(Envelope("state", "client", requests.Start()).pack())
            return all(hub.poll(10_000) and hub.recv() for _ in range(count))

        yield asked


def whole(lines: list[Line]) -> bool:
    """Whether after the first hello each layer's numbers follow each other."""
    start = next(at for at, line in enumerate(lines) if line["topic"] == "hello")
    numbers = dict(lines[start]["data"]["numbers"])
    for line in lines[start + 1 :]:
        layer = line["topic"].partition(".")[0]
        if line["number"] != numbers.get(layer, 0) + 1:
            return False
        numbers[layer] = line["number"]
    return True


def test_who_comes_late_hears_what_there_is_and_then_all(site: Watched) -> None:
    site.succeeds("create", "x")
    site.succeeds("start", "x")
    tap = site.tap("x")
    hello = site.wait_until(lambda: tap.of("hello"))[0]["data"]
    shown = json.loads(site.succeeds("state", "x"))
    assert {key: hello["state"][key] for key in ("status", "pid", "bundle", "owner")} == {
        key: shown[key] for key in ("status", "pid", "bundle", "owner")
    }
    own = {key: value for key, value in shown["annotations"].items() if key.startswith("scrun.")}
    assert hello["state"]["annotations"] == own
    assert hello["state"]["phase"] == shown["scrun"]["phase"] == "running"
    assert {child["actor"]: child["restarts"] for child in hello["processes"]}["state"] == 0
    assert {child["pid"] for child in hello["processes"]} > {find(shown["pid"], "state")}
    assert {"job-granted", "staged-in", "step-started"} < hello["moments"].keys()
    assert hello["moments"]["job-granted"] >= hello["state"]["created"]
    site.kill()
    assert tap.ends() == 0
    last = tap.of("state")[-1]["data"]
    assert (last["status"], last["pid"], last["ending"]["exit_code"]) == ("stopped", 0, 137)
    assert last["annotations"]["scrun.exit-code"] == "137"
    assert tap.of("fact.state.finished")
    assert whole(tap.heard())


def test_nothing_secret_is_told(site: Watched) -> None:
    site.config(program="exec sleep 1000 # geheim")
    tap = site.tap("--all")
    site.wait_until(site.root.is_dir)
    site.succeeds("create", "x")
    site.succeeds("start", "x")
    site.wait_until(lambda: tap.of("hello") and tap.of("fact.allocation.step-started"))
    assert "geheim" not in tap.text()
    assert '"a": "b"' not in tap.text()


def test_all_hears_containers_that_come_and_go(site: Watched) -> None:
    tap = site.tap("--all")
    site.wait_until(site.root.is_dir)
    site.life("x")
    site.life("y")
    site.wait_until(lambda: all(tap.of("fact.state.finished", name) for name in ("x", "y")))
    for name in ("x", "y"):
        assert len(tap.of("hello", name)) == 1
        assert whole([line for line in tap.heard() if line["container"] == name])
    assert not [line for line in tap.heard() if line["topic"] == "gap"]


def test_a_container_that_comes_while_another_one_talks_without_a_pause(site: Watched) -> None:
    tap = site.tap("--all", "--topic", "request.")
    site.wait_until(site.root.is_dir)
    site.succeeds("create", "x")
    site.succeeds("start", "x")
    with starting_again(site) as asked:
        enough = threading.Event()

        def talk() -> None:
            while not enough.is_set():
                asked(1)

        thread = threading.Thread(target=talk)
        thread.start()
        try:
            site.life("y")
            site.wait_until(lambda: tap.of("request.client.start", "y"))
        finally:
            enough.set()
            thread.join()
    assert len(tap.of("request.client.start")) > 1


def test_a_container_that_came_and_went_unheard_is_told(site: Watched) -> None:
    tap = site.tap("--all")
    site.life("y")
    site.wait_until(lambda: tap.of("hello", "y"))
    tap.process.send_signal(signal.SIGSTOP)
    site.life("x")
    tap.process.send_signal(signal.SIGCONT)
    gap = site.wait_until(lambda: tap.of("gap"))[0]
    assert gap["data"] == {"why": "unheard", "layer": "", "lost": 0}


def test_another_incarnation_of_the_state_actor_is_no_gap_in_the_numbers(site: Watched) -> None:
    site.succeeds("create", "x")
    tap = site.tap("x", "--topic", "hello")
    site.wait_until(lambda: tap.of("hello"))
    os.kill(find(site.anchor(), "state"), signal.SIGKILL)
    site.wait_until(lambda: len(tap.of("hello")) > 1)
    first, gap, second = tap.heard()[:3]
    assert (first["incarnation"], second["incarnation"]) == (1, 2)
    assert (gap["topic"], gap["data"]["why"]) == ("gap", "replaced")
    assert first["data"]["state"] == second["data"]["state"]


def test_a_topic_of_one_event_alone(site: Watched) -> None:
    tap = site.tap("--all", "--topic", "fact.state.finished")
    site.wait_until(site.root.is_dir)
    site.life("x")
    site.wait_until(lambda: tap.of("fact.state.finished"))
    assert {line["topic"] for line in tap.heard()} == {"fact.state.finished"}


def test_text_for_people(site: Watched) -> None:
    site.succeeds("create", "x")
    tap = site.tap("x", "--format", "text")
    site.wait_until(lambda: "hello" in tap.text())
    site.kill()
    assert tap.ends() == 0
    last = tap.text().splitlines()[-1].split()
    words = next(line for line in tap.text().splitlines() if "  hello  " in line).split()
    assert words[1:3] == ["x", "hello"]
    assert {"status=created", "phase=created"} <= set(words)
    assert "T" not in last[0]
    assert last[0].count(":") == 2


def test_what_is_no_container(site: Watched) -> None:
    for word in ("x", "..", "no/id"):
        done = site.scrun("tap", word)
        assert done.returncode == 1
        assert "container" in done.stderr
    site.life("x")
    assert "does not exist or has stopped" in site.scrun("tap", "x").stderr


def test_a_container_that_has_stopped_and_is_kept(site: Watched) -> None:
    site.config(program="exit 7")
    site.succeeds("create", "x")
    tap = site.tap("x")
    site.wait_until(lambda: tap.of("hello"))
    site.succeeds("start", "x")
    assert tap.ends() == 0
    assert tap.of("fact.state.finished")
    assert "has stopped" in site.scrun("tap", "x").stderr


def test_control_c(site: Watched) -> None:
    site.succeeds("create", "x")
    tap = site.tap("x")
    site.wait_until(lambda: tap.of("hello"))
    tap.process.send_signal(signal.SIGINT)
    assert tap.ends() == 130
    assert "KeyboardInterrupt" not in tap.text()


def test_a_reader_that_goes_ends_it_quietly(site: Watched) -> None:
    site.succeeds("create", "x")
    for words in (["x"], ["--all", "--topic", "nothing"]):
        reading, writing = os.pipe()
        tap = site.tap(*words, stdout=writing, stderr=subprocess.PIPE)
        os.close(writing)
        if words == ["x"]:
            assert os.read(reading, 1 << 16).startswith(b"{")
        os.close(reading)
        _, error = tap.process.communicate(timeout=20)
        assert (tap.process.returncode, error) == (0, b"")


# --- who does not read -----------------------------------------------------------------------------------------


def test_a_listener_that_does_not_read_slows_no_container_and_sees_its_gap(site: Watched) -> None:
    """Every request is answered while it is stopped; what it has heard and what it knows to be lost is all."""
    site.succeeds("create", "x")
    site.succeeds("start", "x")
    tap = site.tap("x", "--topic", "request.")
    site.wait_until(lambda: site.scrun("start", "x").returncode == 1 and tap.of("request.client.start"))
    tap.process.send_signal(signal.SIGSTOP)
    with starting_again(site) as asked:
        assert all(asked(100) for _ in range(60))
        tap.process.send_signal(signal.SIGCONT)
        site.wait_until(lambda: asked(1) and tap.of("gap"))
    site.kill()
    assert tap.ends() == 0
    (gap,) = tap.of("gap")
    heard = [line["number"] for line in tap.heard() if line["topic"].startswith("request.")]
    assert (gap["data"]["why"], gap["data"]["layer"]) == ("slow", "request")
    assert gap["data"]["lost"] + len(heard) == heard[-1] - heard[0] + 1


# --- the programs of the document -------------------------------------------------------------------------------

PROGRAMS = dict(re.findall(r"^```(python|perl)\n(.*?)^```", markdown.text("docs/tap.md"), re.MULTILINE | re.DOTALL))
LANGUAGES = [
    pytest.param(name, command, marks=pytest.mark.skipif(not shutil.which(command[0]), reason=f"there is no {name}"))
    for name, command in {"python": [sys.executable, "-c"], "perl": ["perl", "-e"]}.items()
]


def test_the_programs_are_short() -> None:
    assert PROGRAMS["python"].count("\n") < 25
    assert set(re.findall(r"^(?:import|from) (\w+)", PROGRAMS["python"], re.MULTILINE)) == {"sys", "msgpack", "zmq"}
    assert set(re.findall(r"^use (\w+)", PROGRAMS["perl"], re.MULTILINE)) == {"strict", "warnings", "Socket"}


@pytest.mark.parametrize(("language", "command"), LANGUAGES)
def test_a_program_of_the_document_hears_all(site: Watched, language: str, command: list[str]) -> None:
    site.succeeds("create", "x")
    program = site.run_beside([*command, PROGRAMS[language], str(site.root / "x/tap")])
    site.wait_until(lambda: program.text().startswith("now "))
    assert "created" in program.text()
    site.succeeds("start", "x")
    site.kill()
    site.wait_until(lambda: "stopped" in program.text())
    topics = [line.split()[0] for line in program.text().splitlines()]
    assert topics.count("now") == 1
    assert {"fact.client.start-requested", "fact.allocation.step-started"} <= set(topics)
    assert topics.count("state") == sum(topic.startswith("fact.") for topic in topics)
    assert "gap" not in topics


@pytest.mark.parametrize(("language", "command"), LANGUAGES)
def test_a_program_of_the_document_that_is_too_slow_says_so(site: Watched, language: str, command: list[str]) -> None:
    path = str(site.path / "tap")
    with zmq.Context() as context, open(listen(path), "rb") as listener:
        tap = Tap(context, listener.fileno(), path, "x", 1, lambda: {"state": {}, "processes": []})
        program = site.run_beside([*command, PROGRAMS[language], path])
        site.wait_until(lambda: (tap.subscriptions(), program.text())[1])
        program.process.send_signal(signal.SIGSTOP)
        for number in range(5000):
            tap.publish("fact", "allocation", e.JobQueued(number, "x" * 300))
        program.process.send_signal(signal.SIGCONT)

        def told() -> bool:
            tap.publish("fact", "allocation", e.JobQueued(1))
            return "gap fact" in program.text()

        site.wait_until(told)
        tap.close()
