"""The console on a container of the local scheduler: what each command shows, live and at the end, and the prompt."""

from __future__ import annotations

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from actors.process.supervision import TABLE
from scrun.console.interventions import COMMANDS as CHANGING
from scrun.console.table import COMMANDS
from tests.process.site import COMMAND, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import WaitUntil

SECRET = "hunter2-in-a-secret-place"
PROGRAM = f"trap exit TERM; : {SECRET}; while :; do sleep 0.05; done"


ARGUMENTS = {"story": ["1"], "stack": ["state"]}


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[Site]:
    found = Site(tmp_path)
    found.config(program=PROGRAM)
    config = json.loads((found.bundle / "config.json").read_text())
    config["process"]["env"].append(f"TOKEN={SECRET}")
    config["annotations"]["note"] = SECRET
    (found.bundle / "config.json").write_text(json.dumps(config))
    found.succeeds("create", "x")
    found.succeeds("start", "x")
    yield found
    found.scrun("delete", "--force", "x")


@pytest.fixture
def waiting(tmp_path: pathlib.Path) -> Iterator[Site]:
    """A container that has not been started: its allocation actor listens for what becomes of the job, and stays."""
    found = Site(tmp_path)
    found.config(program=PROGRAM)
    found.succeeds("create", "x")
    yield found
    found.scrun("delete", "--force", "x")


def shown(site: Site, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(site.succeeds("console", *words, "--format", "json"))
    return found


def follow(site: Site, *words: str) -> subprocess.Popen[str]:
    command = [*COMMAND, "--root", str(site.root), "console", "x", *words, "--format=json"]
    return subprocess.Popen(command, env=site.environ, stdout=subprocess.PIPE, text=True)


def test_the_tree_has_every_process_with_what_the_kernel_and_the_anchor_know(site: Site) -> None:
    tree = {row["process"]: row for row in shown(site, "x", "tree")}
    # Nobody has sent a signal, so there was never a process for that; others may have gone to rest.
    assert [*tree] == ["anchor", "guard", "state", "allocation", "staging", "stdio", "step"]
    living = [row for row in tree.values() if row["status"] == "running"]
    assert {row["process"] for row in living} >= {"anchor", "guard", "state", "step"}
    anchor = json.loads(site.succeeds("state", "x"))["pid"]
    assert tree["anchor"]["pid"] == anchor
    for row in living:
        assert row["process"] == "anchor" or f"\nPPid:\t{anchor}\n" in status(row["pid"])
        assert row["uptime"] >= 0
        assert row["cpu"] >= 0
        assert row["descriptors"] > 0
        assert row["pss"] > 0
    actors = [row for row in living if row["process"] in {specification.name for specification in TABLE}]
    assert all(row["lease"] > 0 and row["mailbox"] == 0 for row in actors)
    assert tree["step"]["detail"] == "asked for by allocation"
    # Text is the same in words, and what is without a command.
    assert site.succeeds("console", "x").split()[:2] == ["process", "pid"]


def status(pid: int) -> str:
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return file.read()


def test_a_guard_that_was_replaced_is_a_later_incarnation(site: Site, wait_until: WaitUntil) -> None:
    def guard() -> dict[str, Any]:
        return next(row for row in shown(site, "x", "tree") if row["process"] == "guard")

    old = guard()
    os.kill(old["pid"], signal.SIGKILL)
    new = wait_until(lambda: (now := guard())["pid"] != old["pid"] and now)
    assert (new["incarnation"], new["restarts"]) == (2, 1)


def test_containers_and_descriptors_and_state(site: Site) -> None:
    [row] = shown(site, "containers")
    assert (row["id"], row["status"], row["phase"]) == ("x", "running", "running")
    state = {row["field"]: row["value"] for row in shown(site, "x", "state")}
    assert (state["status"], state["step"], state["step_id"]) == ("running", "running", "1.0")
    open_on = {(row["process"], row["target"]) for row in shown(site, "x", "descriptors")}
    assert ("anchor", f"{site.root}/x/lock") in open_on
    assert ("state", f"{site.root}/x/journal") in open_on


def test_there_is_no_job_without_slurm(site: Site) -> None:
    done = site.scrun("console", "x", "job")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("the scheduler is local")


def test_a_journal_that_is_followed_misses_nothing_up_to_the_end(site: Site) -> None:
    with follow(site, "journal", "-f") as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert (first["number"], first["event"]) == (1, "created-by")
        site.succeeds("kill", "x", "TERM")
        rows = [first, *map(json.loads, process.stdout)]
    assert process.returncode == 0
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-1]["event"] == "finished"
    # It can still be read, and is the same.
    assert shown(site, "x", "journal") == rows


def test_the_story_of_an_end(site: Site, wait_until: WaitUntil) -> None:
    story = {row["event"]: row for row in shown(site, "x", "story", "step-started")}
    assert [(name, row["relation"]) for name, row in story.items()] == [
        ("start-requested", "cause"), ("launch-requested", "cause"), ("step-started", "this"),
    ]  # fmt: skip
    assert story["step-started"]["because of"] == f"{story['launch-requested']['number']} (launch-step)"
    by_number = str(story["launch-requested"]["number"])
    assert [row["relation"] for row in shown(site, "x", "story", by_number)] == ["cause", "this", "effect"]
    done = site.scrun("console", "x", "story", "99")
    assert (done.returncode, done.stderr) == (1, "the journal has no event '99'; see scrun console ID journal\n")


def test_messages_of_one_actor_or_type(site: Site, wait_until: WaitUntil) -> None:
    with follow(site, "messages", "--actor", "signals", "--actor", "allocation", "--type=signal-delivered") as process:
        output = process.stdout
        assert output is not None

        def heard_after_a_signal() -> bool:
            """A listener hears from the moment on in which it listens."""
            site.succeeds("kill", "x", "WINCH")
            return bool(select.select([output], [], [], 0)[0])

        wait_until(heard_after_a_signal)
        site.succeeds("kill", "x", "KILL")
        rows = [json.loads(line) for line in output]
    assert process.returncode == 0
    assert {(row["layer"], row["actor"], row["type"]) for row in rows} == {("fact", "signals", "signal-delivered")}


def test_no_secret_is_shown(site: Site) -> None:
    changing = {command.name for command in CHANGING}
    finite = [name for name in COMMANDS if name not in {"messages", "job", "dump", *changing}]
    for name in finite:
        words = [name] if name == "containers" else ["x", name, *ARGUMENTS.get(name, [])]
        text = site.succeeds("console", *words)
        assert SECRET not in text
        assert len(text.splitlines()) > 1


def test_the_dump_has_everything_but_secrets(site: Site, wait_until: WaitUntil) -> None:
    # Who quotes a secret in a sentence is not heard either.
    with (site.root / "x/log").open("a") as log:
        log.write(f"the program says: --password={SECRET}.\n")
    [row] = shown(site, "x", "dump")
    file = site.bundle / row["file"]
    text = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (row["file"], row["bytes"]) == ("scrun-x.txt", len(text.encode()))
    assert SECRET not in text
    assert "the program says: --password=<redacted>.\n" in text
    sections = re.findall(r"^== (\w+) ==\n(.*)", text, re.MULTILINE)
    assert [name for name, _ in sections] == [
        "versions", "tree", "state", "wants", "journal", "descriptors", "log",
    ]  # fmt: skip
    for name, header in sections[1:-1]:
        assert header.split()[0] == COMMANDS[name].columns[0]
    assert "step-started" in text
    done = site.scrun("console", "x", "dump")
    assert (done.returncode, done.stderr) == (1, "scrun-x.txt is there already: name another file\n")
    # Of a container that has stopped there is less to tell, and no more to be seen.
    site.succeeds("kill", "x", "KILL")
    wait_until(lambda: json.loads(site.succeeds("state", "x"))["pid"] == 0)
    site.succeeds("console", "x", "dump", str(site.path / "later"))
    text = (site.path / "later").read_text()
    assert "== tree ==\ncontainer x has stopped\n" in text
    assert "finished" in text
    assert SECRET not in text


def interventions(site: Site) -> list[dict[str, Any]]:
    return [row["data"] for row in shown(site, "x", "journal") if row["event"] == "intervened"]


def process(site: Site, name: str) -> dict[str, Any]:
    return next(row for row in shown(site, "x", "tree") if row["process"] == name)


def running(site: Site, name: str) -> bool:
    return any(row["process"] == name and row["status"] == "running" for row in shown(site, "x", "tree"))


@pytest.mark.parametrize("actor", ["allocation", "state"])
def test_a_restart_is_in_the_journal_with_who_did_it(waiting: Site, wait_until: WaitUntil, actor: str) -> None:
    site = waiting
    old = process(site, actor)
    command = [*COMMAND, "--root", str(site.root), "console", "x", "restart", actor, "--yes"]
    with subprocess.Popen(command, env=site.environ, stdout=subprocess.DEVNULL) as asking:
        pass
    assert asking.returncode == 0
    wait_until(lambda: process(site, actor)["pid"] not in {0, old["pid"]})
    assert process(site, actor)["incarnation"] == old["incarnation"] + 1
    [data] = interventions(site)
    assert (data["action"], data["actor"]) == ("restart", actor)
    assert (data["uid"], data["pid"]) == (os.getuid(), asking.pid)
    # It is for the container as if it had not been.
    site.succeeds("start", "x")
    site.succeeds("kill", "x", "TERM")
    wait_until(lambda: json.loads(site.succeeds("state", "x"))["status"] == "stopped")
    assert json.loads(site.succeeds("state", "x"))["annotations"]["scrun.end"] == "exited"


def test_what_changes_something_is_not_done_unless_it_is_confirmed(site: Site) -> None:
    done = site.scrun("console", "x", "kill", "stdio")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "nothing was done: kill wants a y, or the option --yes\n"
    done = site.scrun("console", "x", "freeze", "state", "-y")
    assert done.returncode == 1
    assert done.stderr.startswith("state cannot be frozen")
    assert interventions(site) == []


def test_an_actor_is_frozen_and_thawed(waiting: Site, wait_until: WaitUntil) -> None:
    site = waiting
    pid = process(site, "allocation")["pid"]
    site.succeeds("console", "x", "freeze", "allocation", "--yes")
    wait_until(lambda: "\nState:\tT" in status(pid))
    assert process(site, "allocation")["status"] == "frozen"
    site.succeeds("console", "x", "thaw", "allocation", "--yes")
    wait_until(lambda: "\nState:\tT" not in status(pid))
    assert process(site, "allocation")["status"] == "running"
    assert [data["action"] for data in interventions(site)] == ["freeze", "thaw"]


def test_an_actor_says_more_and_so_do_its_successors(site: Site, wait_until: WaitUntil) -> None:
    def said() -> str:
        return (site.root / "x/log").read_text()

    site.succeeds("kill", "x", "WINCH")
    assert " debug " not in said()
    site.succeeds("console", "x", "log-level", "state", "debug", "--yes")
    old = process(site, "state")["pid"]
    site.succeeds("kill", "x", "WINCH")
    wait_until(lambda: " debug state: client: SignalRequested" in said())
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: process(site, "state")["pid"] not in {0, old})
    before = said().count("SignalRequested")
    site.succeeds("kill", "x", "WINCH")
    wait_until(lambda: said().count("SignalRequested") > before)
    site.succeeds("console", "x", "log-level", "state", "info", "--yes")
    assert [(row["action"], row["level"]) for row in interventions(site)] == [
        ("log-level", "debug"), ("log-level", "info"),
    ]  # fmt: skip


def test_restarts_are_held_and_resumed(waiting: Site, wait_until: WaitUntil) -> None:
    site = waiting
    site.succeeds("console", "x", "hold", "--yes")
    assert process(site, "anchor")["detail"] == "created, restarts are held"
    site.succeeds("console", "x", "kill", "allocation", "--yes")
    wait_until(lambda: process(site, "allocation")["status"] == "dead")
    # Whom one asks to resume comes back at once, and everybody else has not by then.
    old = process(site, "state")
    os.kill(old["pid"], signal.SIGKILL)
    wait_until(lambda: process(site, "state")["pid"] not in {0, old["pid"]})
    assert process(site, "allocation")["status"] == "dead"
    site.succeeds("console", "x", "resume", "--yes")
    wait_until(lambda: running(site, "allocation"))
    assert process(site, "anchor")["detail"] == "created"


def test_the_prompt(site: Site, tmp_path: pathlib.Path) -> None:
    environ = site.environ | {"HOME": str(tmp_path), "TERM": "dumb"}
    master, slave = pty.openpty()
    typed = b"he\tsta\nwan\t\nnope\nstory step-started\nkill state\nn\nkill state\ny\nquit\n"
    command = [*COMMAND, "--root", str(site.root), "console", "x"]
    with subprocess.Popen(command, env=environ, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        text = b""
        while b"> " not in text:
            text += os.read(master, 4096)
        os.write(master, typed)
        try:
            while part := os.read(master, 4096):
                text += part
        except OSError:
            pass  # the other end is closed
    os.close(master)
    assert process.returncode == 0
    told = text.decode()
    assert "what led to an event" in told
    assert "allocation  launch-step" in told
    assert "scrun: the console has no command 'nope'" in told
    assert "because of" in told
    assert "kill state of container x? [y/N] " in told
    assert told.count("nothing was done") == 1
    assert [data["action"] for data in interventions(site)] == ["kill"]
    history = tmp_path / ".local/state/scrun/console_history"
    kept = history.read_text().splitlines()
    assert "story step-started" in kept
    assert "y" not in kept
    assert history.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("actor", ["state", "allocation"])
def test_the_stack_of_an_actor_is_told_by_itself_and_it_lives_on(waiting: Site, actor: str) -> None:
    site = waiting
    pid = process(site, actor)["pid"]
    for _ in range(2):
        frames = shown(site, "x", "stack", actor)
        assert {"main", "_actor_loop", "<module>"} <= {frame["function"] for frame in frames}
        assert any(frame["file"].endswith(f"/actors/{actor}/actor.py") for frame in frames)
    assert process(site, actor)["pid"] == pid


def test_who_has_no_stack_to_tell(waiting: Site, wait_until: WaitUntil) -> None:
    site = waiting
    wait_until(lambda: not running(site, "staging"))
    pid = process(site, "allocation")["pid"]
    site.succeeds("console", "x", "freeze", "allocation", "--yes")
    done = site.scrun("console", "x", "stack", "allocation")
    assert (done.returncode, done.stderr[:37]) == (1, "allocation does not tell what it does")
    site.succeeds("console", "x", "thaw", "allocation", "--yes")
    assert process(site, "allocation")["pid"] == pid
    for name, sentence in (
        ("staging", "staging is not running now\n"),
        ("guard", "stack wants the name of an actor: state, allocation, staging\n"),
    ):
        assert site.scrun("console", "x", "stack", name).stderr == sentence


OWNER, STRANGER = 12345, 12346
"""Uids that nobody has."""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be three people")
@pytest.mark.parametrize("namespace", [(), ("unshare", "--user", "--map-root-user")])
def test_root_may_look_into_anybody_s_containers_and_nobody_else_may(namespace: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        site = Site(pathlib.Path(directory))
        site.config()
        for path in (site.path, *site.path.rglob("*")):
            os.chown(path, OWNER, OWNER)

        def call(uid: int, *words: str, before: tuple[str, ...] = ()) -> tuple[int, str]:
            with tempfile.TemporaryFile("w+") as output:
                done = subprocess.run(
                    [*before, *COMMAND, "--root", str(site.root), *words], env=site.environ | {"HOME": directory},
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=60, check=False, cwd=site.bundle,
                    user=uid, group=uid, extra_groups=(),
                )  # fmt: skip
                output.seek(0)
                return done.returncode, output.read()

        assert call(OWNER, "create", "x", before=namespace) == (0, "")
        try:
            for uid in (0, OWNER):
                assert "allocation" in call(uid, "console", "x", "tree")[1]
                assert call(uid, "console", "x", "restart", "allocation", "--yes")[0] == 0
                assert "created-by" in call(uid, "console", "x", "journal")[1]
            for words in (["tree"], ["journal"], ["restart", "allocation", "--yes"], ["messages"], ["dump"]):
                status, said = call(STRANGER, "console", "x", *words)
                assert (status, said.endswith("you may not\n")) == (1, True), said
            journal = json.loads(call(0, "console", "x", "journal", "--format", "json")[1])
            who = [row["data"]["uid"] for row in journal if row["event"] == "intervened"]
            assert who == ([0, 0] if namespace else [0, OWNER])  # 0 is the owner's in his namespace
        finally:
            call(OWNER, "delete", "--force", "x", before=namespace)
