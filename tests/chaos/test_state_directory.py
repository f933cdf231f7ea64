"""The state directory, or the place where containers are staged, is full, closed or gone: at any time of a life.

Nothing that is known is lost, nobody spins, who asks is told, and what runs on Slurm is given back.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import alive

from . import file_systems
from .conftest import chosen
from .file_systems import FileSystem
from .ordeal import ECHO, digest, forget, nothing_left, pump, read, read_line, staging_of, told
from .sabotage import idle, pass_time
from .witness import EVENTS, Witness, find

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator

    from tests.conftest import Cluster
    from tests.slurm.runtime import Box, Runtime

    from .conftest import Chaos

STUBBORN = "trap '' TERM; echo ready >&2; while :; do sleep 1; done"
SHORT = 3.0
"""Seconds of trouble in which a process that cannot bear it dies, and is replaced, many times."""
# The anchors that a test loses are adopted by this process, since the tests adopt whatever is lost.
pytestmark = [pytest.mark.outage, pytest.mark.may_leave("children"), pytest.mark.timeout(300)]


@pytest.fixture
def mounted(runtime: Runtime, cluster: Cluster) -> Iterator[Callable[[str, pathlib.Path], FileSystem]]:
    """Mounts file systems below the runtime's directory; they are emptied and taken away at the end."""
    made: list[FileSystem] = []

    def mount(kind: str, where: pathlib.Path) -> FileSystem:
        made.append(FileSystem(kind, where, cluster))
        return made[-1]

    yield mount
    for disk in made:
        disk.free()
    for box in runtime.boxes:
        runtime("delete", "--force", box.id)
    for disk in made:
        disk.unmount()


def echo(runtime: Runtime, name: str, **more: Any) -> Box:
    box = runtime.running("/bin/sh", "-c", ECHO, id=name, stdin=True, **more)
    assert read_line(box) == "ready"
    return box


def is_full(sentence: str, runtime: Runtime) -> bool:
    return "is full" in sentence and str(runtime.root) in sentence


# --- full -------------------------------------------------------------------------------------------------------


FILLS: dict[str, Callable[[FileSystem], None]] = {"data": FileSystem.fill, "files": FileSystem.fill_with_files}


@pytest.mark.parametrize("what", FILLS)
@pytest.mark.parametrize("kind", file_systems.KINDS)
def test_create_on_a_full_file_system(runtime: Runtime, chaos: Chaos, mounted: Any, kind: str, what: str) -> None:
    disk = mounted(kind, runtime.root)
    FILLS[what](disk)
    box = runtime.begin("/bin/true", id="late")
    code = runtime.creating[box.id].wait(60)
    sentence = runtime.failed(code, "", read(box))
    assert is_full(sentence, runtime), sentence
    forget(runtime, box)
    nothing_left(runtime, box.id, 0)
    disk.free()
    assert runtime.running("/bin/sh", "-c", "exit 5", id="late").wait() == 5
    chaos.figures["cases"] += 1


def test_full_from_any_event_on(runtime: Runtime, chaos: Chaos, mounted: Any) -> None:
    """What a container has reserved at ``create`` is enough for the rest of its life, but for signals."""
    disk = mounted("tmpfs", runtime.root)
    data = chaos.data(1 << 18)
    for event, what in chaos.some([(event, what) for event in EVENTS[1:] for what in FILLS], 4):
        full_from(runtime, disk, event, FILLS[what], data)
        chaos.figures["cases"] += 1


def test_full_when_somebody_has_taken_the_room_for_the_next_state(runtime: Runtime, chaos: Chaos, mounted: Any) -> None:
    """That which an old ``state.json`` gives back is anybody's; the one that tells the end has its own."""
    disk = mounted("tmpfs", runtime.root)
    box = runtime.running("/bin/sh", "-c", "echo ready >&2; read x; exit 9", id="last", stdin=True)
    assert read_line(box) == "ready"
    disk.fill()
    (runtime.root / "last/state.json.next").unlink()
    disk.fill()
    box.write(b"go\n")
    assert box.wait() == 9
    assert box.annotations()["scrun.exit-code"] == "9"
    assert box.state()["status"] == "stopped"
    runtime.ok("delete", box.id)
    forget(runtime, box)
    chaos.figures["cases"] += 1


def full_from(runtime: Runtime, disk: FileSystem, event: str, fill: Callable[[FileSystem], None], data: bytes) -> None:
    name = f"full-{event}"

    def on_event(witness: Witness, word: str) -> None:
        if word == event:
            fill(disk)

    with Witness(runtime, name, on_event) as witness:
        try:
            box = runtime.begin("/bin/sh", "-c", ECHO, id=name, stdin=True)
            assert runtime.creating[name].wait(60) == 0, read(box)
            box.anchor = witness.anchor()
            started = runtime("start", name)
            assert started.returncode == 0, started.stderr
            assert read_line(box) == "ready"
            assert box.state()["status"] == "running"
            killed = runtime("kill", name, "USR1")
            if killed.returncode:
                sentence = runtime.failed(killed.returncode, killed.stdout, killed.stderr)
                assert is_full(sentence, runtime), sentence
                disk.free()
                runtime.ok("kill", name, "USR1")
                fill(disk)
            assert read_line(box) == "got"
            assert pump(box, data) == digest(data)
            assert (read(box), box.wait()) == ("bye\n", 42)
            state = box.state()
            assert (state["status"], state["annotations"]["scrun.exit-code"]) == ("stopped", "42")
            deleted = runtime("delete", name)
            assert deleted.returncode == 0, deleted.stderr
        except BaseException as error:
            error.add_note(told(runtime, name, witness))
            raise
    forget(runtime, box)
    nothing_left(runtime, name, int(state["annotations"]["scrun.job-id"]))
    disk.free()


KILLED = {137, -signal.SIGKILL}
"""The anchor's exit status, or the signal that it was ended with where nothing could be written down: both are 137."""


def program_ends(runtime: Runtime, box: Box) -> set[int]:
    del runtime
    box.close_stdin()
    return {42}


def killed(runtime: Runtime, box: Box) -> set[int]:
    assert runtime("kill", box.id, "KILL").returncode == 0
    return KILLED


def deleted(runtime: Runtime, box: Box) -> set[int]:
    assert runtime("delete", "--force", box.id).returncode == 0
    return KILLED


def interrupted(runtime: Runtime, box: Box) -> set[int]:
    del runtime
    os.kill(box.anchor, signal.SIGINT)
    # SIGINT is SIGTERM to the program, and SIGKILL when that does not help.
    return {130, 137, 143}


ENDS: dict[str, Callable[[Runtime, Box], set[int]]] = {
    "the program ends": program_ends,
    "kill KILL": killed,
    "delete --force": deleted,
    "SIGINT": interrupted,
}
NEEDS_ROOM = {("ext2", "the program ends"), ("ext2", "SIGINT")}
"""Ends that cannot be written down until there is room, and that nobody is in a hurry to see."""


def signal_until_full(runtime: Runtime, box: Box) -> None:
    """There is a rest of a block, but the room for the end is not for signals: one of them is refused."""
    for _ in range(200):
        killed = runtime("kill", box.id, "USR1")
        if killed.returncode:
            sentence = runtime.failed(killed.returncode, killed.stdout, killed.stderr)
            assert is_full(sentence, runtime), sentence
            return
        assert read_line(box) == "got"
    pytest.fail("none of 200 signals was refused")


def deleted_for_good(runtime: Runtime, chaos: Chaos, box: Box, job: int) -> None:
    assert runtime("delete", "--force", box.id).returncode == 0
    forget(runtime, box)
    nothing_left(runtime, box.id, job)
    chaos.figures["cases"] += 1


@pytest.mark.parametrize("kind", chosen(file_systems.KINDS))
def test_full_while_it_runs(runtime: Runtime, chaos: Chaos, mounted: Any, kind: str) -> None:
    disk = mounted(kind, runtime.root)
    ends = chaos.some(tuple(ENDS), 2)
    boxes = [echo(runtime, f"full-{number}") for number in range(len(ends))]
    jobs = [box.job() for box in boxes]
    states = [find(box.anchor, "state") for box in boxes]
    disk.fill()
    with idle([box.anchor for box in boxes]):
        for box in boxes:
            signal_until_full(runtime, box)
            assert box.state()["status"] == "running"
        pass_time(20 if chaos.complete else SHORT)
    assert all(map(alive, states)), "the state actor was replaced"
    codes = []
    with idle([box.anchor for box in boxes]):
        for box, end in zip(boxes, ends, strict=True):
            codes.append(ENDS[end](runtime, box))
            if (kind, end) in NEEDS_ROOM:
                pass_time(SHORT)
                assert not box.ended()
            else:
                assert box.wait() in codes[-1]
    disk.free()
    for box, job, possible in zip(boxes, jobs, codes, strict=True):
        assert box.wait() in possible
        deleted_for_good(runtime, chaos, box, job)


@pytest.mark.parametrize("kind", file_systems.KINDS)
def test_full_when_it_is_created(runtime: Runtime, chaos: Chaos, mounted: Any, kind: str) -> None:
    """``start`` works, or says what is wrong and works later; ``kill KILL`` and ``delete`` always do."""
    disk = mounted(kind, runtime.root)
    starts, is_killed, is_deleted = (runtime.box("/bin/sh", "-c", "exit 5", id=name) for name in ("a", "b", "c"))
    boxes = [starts, is_killed, is_deleted]
    jobs = [box.job() for box in boxes]
    disk.fill()
    with idle([box.anchor for box in boxes]):
        started = runtime("start", starts.id)
        if started.returncode:
            sentence = runtime.failed(started.returncode, started.stdout, started.stderr)
            assert is_full(sentence, runtime), sentence
        chaos.kill(runtime, is_killed)
        assert is_killed.wait() == 137
        assert runtime("delete", "--force", is_deleted.id).returncode == 0
        is_deleted.wait()
    disk.free()
    if started.returncode:
        runtime.ok("start", starts.id)
    assert starts.wait() == 5
    for box, job in zip(boxes, jobs, strict=True):
        deleted_for_good(runtime, chaos, box, job)


@pytest.mark.parametrize("kind", file_systems.KINDS)
def test_full_while_it_ends(runtime: Runtime, chaos: Chaos, mounted: Any, kind: str) -> None:
    disk = mounted(kind, runtime.root)
    box = runtime.running("/bin/sh", "-c", STUBBORN, id="stubborn")
    job = box.job()
    assert read_line(box) == "ready"
    os.kill(box.anchor, signal.SIGINT)
    runtime.wait_until(lambda: "cancel-requested" in runtime("console", box.id, "journal").stdout)
    disk.fill()
    with idle([box.anchor]):
        chaos.kill(runtime, box)
        # The end that was on its way is not known to be another one where nothing can be written down.
        assert box.wait() in ({137} if kind == "tmpfs" else {130, *KILLED})
    assert box.state()["status"] == "stopped"
    assert runtime("delete", box.id).returncode == 0
    forget(runtime, box)
    nothing_left(runtime, box.id, job)
    chaos.figures["cases"] += 1


def test_full_in_the_queue(runtime: Runtime, chaos: Chaos, mounted: Any, filled: Callable[[], None]) -> None:
    """salloc's word on the grant is heard, and the container runs."""
    disk = mounted("tmpfs", runtime.root)
    site = runtime.site("[scrun]\ncreate_wait = 1\n")
    waits = {"scrun.nodelist": "node3", "scrun.cpus-per-task": "16"}
    box = runtime.box("/bin/sh", "-c", "exit 6", id="queued", annotations=waits, environ=site)
    job = box.job()
    disk.fill()
    start = runtime.runner.start(runtime.words("start", box.id), stderr=subprocess.DEVNULL)
    with idle([box.anchor]):
        pass_time(SHORT)
    filled()
    assert start.wait(60) == 0
    assert box.wait(60) == 6
    assert runtime("delete", box.id).returncode == 0
    forget(runtime, box)
    nothing_left(runtime, box.id, job)
    chaos.figures["cases"] += 1


def test_read_only_while_it_runs(runtime: Runtime, chaos: Chaos, mounted: Any) -> None:
    """As after an error of the disk. Nothing will be written any more, so nobody waits for that."""
    disk = mounted("ext2", runtime.root)
    boxes = {end: echo(runtime, f"read-only-{number}") for number, end in enumerate([*ENDS, "SIGKILL"])}
    jobs = {end: box.job() for end, box in boxes.items()}
    created = runtime.box("/bin/sh", "-c", "exit 5", id="created")
    sentence = (
        f"the state directory {runtime.root} cannot be written: the file system is read-only; mend that and try again"
    )

    def cannot_be_deleted(box: Box) -> None:
        deleted = runtime("delete", "--force", box.id)
        assert runtime.failed(deleted.returncode, deleted.stdout, deleted.stderr) == sentence

    disk.abort()
    for victim, box in zip(("state", "allocation", "guard"), boxes.values(), strict=False):
        if pid := find(box.anchor, victim):  # it may have gone to rest
            os.kill(pid, signal.SIGKILL)
            chaos.figures["kills"] += 1
    with idle([box.anchor for box in boxes.values()]):
        pass_time(SHORT)
        for end, box in boxes.items():
            assert box.state()["status"] == "running"
            assert runtime("kill", box.id, "USR1").returncode == 0
            assert read_line(box) == "got"
            if end == "SIGKILL":
                os.kill(box.anchor, signal.SIGKILL)
                assert box.wait() == -signal.SIGKILL
            elif end == "delete --force":
                cannot_be_deleted(box)
                assert box.wait() in KILLED
            else:
                codes = ENDS[end](runtime, box)
                assert box.wait() in codes, end
            runtime.wait_until(lambda: runtime.released(jobs[end]))  # noqa: B023 - called at once
            runtime.wait_until(lambda: not staging_of(box.id))  # noqa: B023 - called at once
            assert box.state()["status"] == "stopped"
            chaos.figures["cases"] += 1
    assert runtime("start", created.id).returncode == 0
    assert created.wait() == 5
    for box in (*boxes.values(), created):
        cannot_be_deleted(box)


def test_full_where_containers_are_staged(runtime: Runtime, chaos: Chaos, mounted: Any) -> None:
    where = runtime.directory / "staging"
    disk = mounted("tmpfs", where)
    disk.fill()
    box = runtime.begin("/bin/true", id="big", environ=runtime.site(f'[staging]\ndirectory = "{where}"\n'))
    assert runtime.creating[box.id].wait(60) == 1
    sentence = read(box)
    assert "full" in sentence
    assert str(where) in sentence
    forget(runtime, box)
    nothing_left(runtime, box.id, 0)
    assert [path.name for path in where.iterdir() if path.name.startswith((".new", ".gone", "big"))] == []
    chaos.figures["cases"] += 1


def test_full_where_changes_come_back_to(runtime: Runtime, chaos: Chaos, mounted: Any) -> None:
    """The program's exit status is not the price for changes that find no room; the log names them."""
    where = runtime.directory / "images"
    disk = mounted("tmpfs", where)
    rootfs = where / "rootfs"
    subprocess.run(["cp", "-a", str(runtime.directory / "rootfs"), str(rootfs)], check=True)
    box = runtime.running(
        "/bin/sh", "-c", "dd if=/dev/zero of=/big bs=64k count=4 2>/dev/null; echo ready >&2; read x; exit 7",
        id="writer", stdin=True, config={"root": {"path": str(rootfs), "readonly": False}},
    )  # fmt: skip
    job = box.job()
    assert read_line(box) == "ready"
    disk.fill()
    box.close_stdin()
    assert box.wait() == 7
    assert runtime("delete", box.id).returncode == 0
    forget(runtime, box)
    nothing_left(runtime, box.id, job)
    chaos.figures["cases"] += 1


# --- closed, and gone -------------------------------------------------------------------------------------------


def closed(directory: pathlib.Path) -> None:
    directory.chmod(0o500)


def barred(directory: pathlib.Path) -> None:
    directory.chmod(0)


def removed(directory: pathlib.Path) -> None:
    while directory.exists():  # somebody may just be making a file in it
        shutil.rmtree(directory, ignore_errors=True)


TROUBLES: dict[str, Callable[[pathlib.Path], None]] = {"closed": closed, "barred": barred, "removed": removed}
VICTIMS = ("nobody", "state", "allocation", "stdio", "signals", "guard")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_lost_while_it_runs(runtime: Runtime, chaos: Chaos, trouble: str) -> None:
    """The directory cannot be used any more; then a process dies, too: its replacement needs no path."""
    data = chaos.data(1 << 18)
    victims = chaos.some(VICTIMS, 2)
    boxes = [echo(runtime, f"lost-{number}") for number in range(len(victims))]
    jobs = [box.job() for box in boxes]
    for box, victim in zip(boxes, victims, strict=True):
        TROUBLES[trouble](runtime.root / box.id)
        if pid := find(box.anchor, victim):
            os.kill(pid, signal.SIGKILL)
            runtime.wait_until(lambda: find(box.anchor, victim) not in {0, pid})  # noqa: B023 - called at once
            chaos.figures["kills"] += 1
    with idle([box.anchor for box in boxes]):
        pass_time(20 if chaos.complete else SHORT)
        for box, victim in zip(boxes, victims, strict=True):
            check_answers(runtime, box, trouble)
            assert pump(box, data) == digest(data), victim
            assert (read(box), box.wait()) == ("bye\n", 42), victim
    for box, job in zip(boxes, jobs, strict=True):
        if (runtime.root / box.id).exists():
            (runtime.root / box.id).chmod(0o700)
        deleted_for_good(runtime, chaos, box, job)


WORDS = {
    "barred": "the state file of container {id} cannot be read: you may not",
    "removed": "container {id} does not exist",
}


def check_answers(runtime: Runtime, box: Box, trouble: str) -> None:
    """Those who ask are told that there is nobody to ask; where there is somebody, all is as ever."""
    if trouble == "closed":
        assert box.state()["status"] == "running"
        return
    expected = WORDS[trouble].format(id=box.id)
    for words in (["state", box.id], ["kill", box.id, "TERM"], ["delete", box.id], ["start", box.id]):
        done = runtime(*words)
        assert (done.returncode, done.stderr) == (1, f"{expected}\n"), words
    if trouble == "removed":
        assert runtime("delete", "--force", box.id).returncode == 0
    assert alive(box.anchor)


def test_removed_while_it_is_created(runtime: Runtime, chaos: Chaos, filled: Callable[[], None]) -> None:
    """``create`` does not wait for a job of which nobody could make use."""
    del filled
    waits = {"scrun.nodelist": "node3", "scrun.cpus-per-task": "16"}
    box = runtime.begin("/bin/true", id="lost", annotations=waits)
    job = runtime.wait_until(box.job, 30, what="the number of the job")
    removed(runtime.root)
    code = runtime.creating[box.id].wait(60)
    assert "the removal of its state directory" in runtime.failed(code, "", read(box))
    forget(runtime, box)
    nothing_left(runtime, box.id, job)
    chaos.figures["cases"] += 1


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL])
def test_removed_and_then_ended(runtime: Runtime, chaos: Chaos, signum: int) -> None:
    """As at logout: the state directory goes, and then the engine's processes are ended."""
    box = echo(runtime, "orphan")
    job = box.job()
    assert staging_of(box.id)
    removed(runtime.root)
    os.kill(box.anchor, signum)
    assert box.wait() in ({130, 137, 143} if signum == signal.SIGINT else {-signal.SIGKILL})
    assert runtime("delete", "--force", box.id).returncode == 0
    forget(runtime, box)
    nothing_left(runtime, box.id, job)
    chaos.figures["cases"] += 1


def test_removed_before_the_start(runtime: Runtime, chaos: Chaos) -> None:
    """Nobody can ask for the start any more; SIGTERM, as an engine's clean-up sends it, ends the container."""
    box = runtime.box("/bin/true", id="early")
    job = box.job()
    removed(runtime.root)
    assert runtime.fails("start", box.id) == f"container {box.id} does not exist"
    os.kill(box.anchor, signal.SIGTERM)
    assert box.wait() == 143
    forget(runtime, box)
    nothing_left(runtime, box.id, job)
    chaos.figures["cases"] += 1
