"""Many containers, one after another and at once: afterwards everything is as it was."""

from __future__ import annotations

import os
import pathlib
import time
from typing import TYPE_CHECKING

from proto.life import events as e
from proto.life import journal
from tests.census import descriptors, holders
from tests.conftest import all_pids, read_proc, scrun_processes

from .conftest import ROUNDS
from .ordeal import ECHO, forget, in_parallel, jobs_by_cookie, nothing_left, read, read_line, staging
from .witness import Witness, find

if TYPE_CHECKING:
    from tests.slurm.runtime import Box, Runtime

    from .conftest import Chaos

ENDS = ("exit 0", "echo x; exit 3", "echo x >&2; kill -9 $$", "seq 1 100000; exit 1", "exec true")
"""How a program may end."""
ROLES = ("anchor", "state", "guard")
"""Those who are there while nothing happens."""
COMERS = ("allocation", "stdio", "signals", "staging")


def one(runtime: Runtime, name: str) -> int:
    box = runtime.running("/bin/sh", "-c", ECHO, id=name, stdin=True)
    assert read_line(box) == "ready"
    box.close_stdin()
    job = box.job()
    assert (read(box), box.wait()) == ("bye\n", 42)
    runtime.ok("delete", name)
    forget(runtime, box)
    nothing_left(runtime, name, job)
    return job


def test_one_after_another(runtime: Runtime, chaos: Chaos) -> None:
    count = 60 if chaos.complete else 8
    before = possessions(runtime)
    jobs = {one(runtime, f"row-{number}") for number in range(count)}
    assert len(jobs) == count
    runtime.wait_until(lambda: possessions(runtime) == before, what=f"{before} again; {possessions(runtime)}")
    chaos.figures["containers without a trace"] += count


def test_six_rows(runtime: Runtime, chaos: Chaos) -> None:
    """Beside one that lives all the time: it neither grows nor gains a descriptor, and they leave nothing.

    A hundred a round: ROUNDS=10 is a thousand.
    """
    count = 100 * ROUNDS or 12
    witness = runtime.running("/bin/sh", "-c", ECHO, id="witness", stdin=True)
    assert read_line(witness) == "ready"
    at_rest(runtime, witness)
    before, memory, open_before = possessions(runtime), resident(witness), census(witness)
    in_parallel([f"row-{number}" for number in range(count)], lambda name: one(runtime, name))
    runtime.wait_until(lambda: possessions(runtime) == before, what=f"{before} again; {possessions(runtime)}")
    at_rest(runtime, witness)
    runtime.wait_until(lambda: not gained(witness, open_before), what=f"no more than {open_before}")
    grown = {role: size - memory[role] for role, size in resident(witness).items()}
    assert not [role for role, size in grown.items() if size > 256], f"KiB: {grown}"
    chaos.figures["containers without a trace"] += count
    witness.close_stdin()
    assert (read(witness), witness.wait()) == ("bye\n", 42)


def test_many_at_once(runtime: Runtime, chaos: Chaos) -> None:
    count = 64 if chaos.complete else 8
    before = possessions(runtime)
    jobs = set(in_parallel([f"crowd-{number}" for number in range(count)], lambda name: one(runtime, name), count))
    assert len(jobs) == count
    runtime.wait_until(lambda: possessions(runtime) == before, what=f"{before} again; {possessions(runtime)}")
    alive = [line for line in jobs_by_cookie(runtime).splitlines() if "RUNNING" in line]
    assert not jobs & {int(line.split()[0]) for line in alive}
    chaos.figures["containers without a trace"] += count


def at_rest(runtime: Runtime, box: Box) -> None:
    runtime.wait_until(lambda: not any(find(box.anchor, role) for role in COMERS), 30, what="rest")


def possessions(runtime: Runtime) -> dict[str, object]:
    """All that a container could leave behind."""
    staged = staging()
    return {
        "directories": runtime.names(),
        # The tree cache is meant to stay.
        "staged": sorted(path.name for path in staged.iterdir() if "cache" not in path.name) if staged.exists() else [],
        "descriptors": len(os.listdir("/proc/self/fd")),
        "processes": sorted(scrun_processes()),
        "shared memory": sorted(os.listdir("/dev/shm")),
        "mounts": pathlib.Path("/proc/self/mounts").read_text().count("\n"),
    }


def census(box: Box) -> dict[str, int]:
    """How many descriptors each process of a container has."""
    return {role: len(descriptors(find(box.anchor, role))) for role in ROLES}


def gained(box: Box, before: dict[str, int]) -> dict[str, int]:
    """How many more than before.

    Fewer is no fault: when an actor has gone since nothing needs it, its channels are closed a moment later.
    """
    return {role: now - before[role] for role, now in census(box).items() if now > before[role]}


def resident(box: Box) -> dict[str, int]:
    """KiB of memory that each process of a container has written to.

    Also those that forked processes still share: they become its own when the other one ends, and that is no growth.
    """
    found = {}
    for role in ROLES:
        text = read_proc(find(box.anchor, role), "smaps_rollup").decode()
        found[role] = sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Anonymous:"))
    return found


def test_the_ends_of_file_come_at_once(runtime: Runtime, chaos: Chaos) -> None:
    """How soon after the step's end, as the journal tells it: a figure. That nobody else holds them is asserted."""
    late = []
    for number in range(40 if chaos.complete else 4):
        with Witness(runtime, f"eof-{number}", lambda *_: None) as witness:
            box = runtime.running("/bin/sh", "-c", chaos.random.choice(ENDS), id=f"eof-{number}")
            witness.anchor()
            for end in ("out", "err"):
                read(box, end)
            seen = time.time()
            for end in ("out", "err"):
                assert set(holders(os.readlink(f"/proc/self/fd/{box._ends[end]}"), all_pids())) == {os.getpid()}
            box.wait()
            records = journal.read(str(runtime.root / box.id / "journal"))
            ended = next(record.time for record in records if isinstance(record.event, e.StepEnded))
            late.append(max(0.0, seen - ended))
            runtime.ok("delete", box.id)
        forget(runtime, box)
    chaos.most("ms to the end of file", round(max(late) * 1000))
    chaos.figures["ends of file within 100 ms"] += sum(2 for seconds in late if seconds <= 0.1)
    chaos.figures["ends of file"] += 2 * len(late)


def test_no_process_gains_descriptors(runtime: Runtime) -> None:
    """Twenty signals and ten questions later each has as many as before."""
    box = runtime.running("/bin/sh", "-c", ECHO, stdin=True)
    assert read_line(box) == "ready"
    runtime.ok("kill", box.id, "USR1")
    assert read_line(box) == "got"
    box.tree()
    at_rest(runtime, box)
    before = census(box)
    for _ in range(20):
        runtime.ok("kill", box.id, "USR1")
        assert read_line(box) == "got"
    for _ in range(10):
        box.tree()
    at_rest(runtime, box)
    runtime.wait_until(lambda: not gained(box, before), what=f"no more than {before}")
