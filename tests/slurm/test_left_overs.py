"""What worse days leave: ``scrun gc`` clears it up, and keeps its hands off everything else."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from actors.slurm import origin
from proto.life import events as e
from proto.life.journal import Journal, read
from proto.value import replace
from tests.census import descriptors
from tests.chaos.ordeal import staging_of
from tests.conftest import CHECKOUT, Runner, alive, all_pids, read_proc

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.slurm.runtime import Box, Runtime


def wipe_out(runtime: Runtime, box: Box) -> None:
    """Kill all that belongs to a container, so that nobody is left who could clear up."""
    lock = str(runtime.root / box.id / "lock")
    os.kill(box.anchor, signal.SIGSTOP)  # or it would replace its guard
    mark = f"SCRUN_SOCKET={runtime.root / box.id}/hub".encode()

    def family() -> list[int]:
        found = []
        for pid in all_pids():
            with contextlib.suppress(OSError):
                if alive(pid) and (lock in descriptors(pid).values() or mark in read_proc(pid, "environ")):
                    found.append(pid)
        return found

    # The anchor goes last: the guard would hear of its death.
    for pid in sorted(family(), key=lambda pid: pid == box.anchor):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    runtime.wait_until(lambda: not family(), what=f"the end of {family()}")


@pytest.fixture
def orphan(runtime: Runtime) -> Iterator[Box]:
    box = runtime.running("/bin/sleep", "600")
    wipe_out(runtime, box)
    assert not runtime.released(box.job()), "the job lives on: that is the point"
    yield box
    runtime.runner(["scancel", f"--name={box.id}"])


def said(runtime: Runtime, *words: str) -> str:
    done = runtime("gc", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def about(runtime: Runtime, container_id: str, job: int) -> list[str]:
    """What is said of a container and its job; the user may have others."""
    lines = said(runtime).splitlines()
    return [line for line in lines if line.startswith((f"{container_id}:", f"job {job} "))]


def rewrite(path: pathlib.Path, **private: object) -> None:
    """Change what scrun noted for itself in a state file; the layout stays."""
    head, _, tail = path.read_text().rpartition('\n  "scrun": ')
    noted = json.loads(tail.rstrip().removesuffix("}"))
    path.write_text(f'{head}\n  "scrun": {json.dumps(noted | private)}\n}}\n')


def test_a_directory_whose_processes_are_dead(runtime: Runtime, orphan: Box) -> None:
    job = orphan.job()
    assert orphan.state()["status"] == "stopped"
    assert f"{orphan.id}: its processes were killed" in said(runtime, "--dry-run")
    assert not runtime.released(job)
    assert f"{orphan.id}: its processes were killed" in said(runtime)
    runtime.wait_until(lambda: runtime.released(job))
    assert "scrun's anchor process" in orphan.annotations()["scrun.end-reason"]
    assert not about(runtime, orphan.id, job)
    runtime.ok("delete", orphan.id)
    assert runtime.left(orphan.id) == []


@pytest.mark.parametrize("boot", ["", "00000000-0000-4000-8000-000000000000"], ids=["recycled pid", "earlier boot"])
def test_an_anchor_whose_pid_is_somebody_else_s(runtime: Runtime, orphan: Box, boot: str) -> None:
    job = orphan.job()
    stranger = runtime.runner.start(["/bin/sleep", "600"])
    try:
        started = int(read_proc(stranger.pid, "stat").rpartition(b")")[2].split()[19])
        # After a start of the machine even the start time may be the same.
        noted = {"boot": boot, "starttime": started} if boot else {}
        rewrite(runtime.root / orphan.id / "state.json", anchor=stranger.pid, **noted)
        assert orphan.state()["status"] == "stopped"
        assert runtime.fails("kill", orphan.id, "KILL")
        assert f"{orphan.id}: its processes were killed" in said(runtime)
        runtime.wait_until(lambda: runtime.released(job))
        runtime.ok("delete", "--force", orphan.id)
        assert stranger.poll() is None, "a stranger was killed"
    finally:
        stranger.kill()
        stranger.wait()


def test_a_job_whose_container_is_gone(runtime: Runtime, orphan: Box) -> None:
    """Found by its mark; it was asked for in this very place, so nobody else can miss it."""
    job = orphan.job()
    shutil.rmtree(runtime.root / orphan.id)
    line = f"job {job} was asked for here, and neither a container nor a process knows it: it is cancelled"
    assert f"{line} (not done)" in said(runtime, "-n")
    assert not runtime.released(job)
    assert staging_of(orphan.id)
    assert line in said(runtime)
    runtime.wait_until(lambda: runtime.released(job))
    assert not staging_of(orphan.id)


def test_what_lives_is_not_touched(runtime: Runtime) -> None:
    """Neither a container, nor a job whose directory is gone and whose processes are not."""
    box = runtime.running("/bin/cat", stdin=True)
    job = box.job()
    away = runtime.directory / "away"
    assert not about(runtime, box.id, job)
    (runtime.root / box.id).rename(away)
    try:
        assert f"job {job} has no container in {runtime.root}, but processes of this host" in said(runtime)
    finally:
        away.rename(runtime.root / box.id)
    assert runtime.job_state(job) == "RUNNING"
    box.write(b"still there\n")
    assert box.read_line() == "still there"


def marked(runtime: Runtime, at: str) -> int:
    """A job with a cookie that nobody knows, asked for at that origin."""
    comment = f"scrun:{os.urandom(8).hex()}" + (f" scrun-at:{at}" if at else "")
    runtime.runner(["mkdir", "-p", "-m", "700", str(runtime.root)])
    done = runtime.runner(["salloc", "--no-shell", f"--comment={comment}", "--job-name=foreign"])
    return int((re.search(r"allocation (\d+)", done.stderr) or ["", "0"])[1])


def test_a_job_from_before_the_machine_s_last_start(runtime: Runtime) -> None:
    """The state directory went with /run, and whoever could hold the job with the processes of that time."""
    boot, _, same = origin.here(str(runtime.root)).partition(".")
    job = marked(runtime, f"{boot[::-1]}.{same}")
    try:
        assert f"job {job} was asked for here before this machine was started anew" in said(runtime, "-n")
        assert runtime.job_state(job) == "RUNNING"
        assert "it is cancelled" in said(runtime)
        runtime.wait_until(lambda: runtime.released(job))
    finally:
        runtime.runner(["scancel", str(job)])


@pytest.mark.parametrize("where", ["another process table", "another root", "another host", "an earlier version"])
def test_jobs_of_other_places_are_only_named(runtime: Runtime, where: str) -> None:
    boot, table, root, machine = origin.here(str(runtime.root)).split(".")
    other = {
        "another process table": f"{boot}.1.{root}.{machine}",
        "another root": origin.here(str(runtime.directory)),
        "another host": f"{boot[::-1]}.{table}.{root}.{machine[::-1]}",
        "an earlier version": "",
    }[where]
    job = marked(runtime, other)
    try:
        assert f"cancel it: scancel {job}" in said(runtime)
        assert runtime.job_state(job) == "RUNNING"
    finally:
        runtime.runner(["scancel", str(job)])


def test_a_container_of_another_host_is_only_named(runtime: Runtime, orphan: Box) -> None:
    journal = runtime.root / orphan.id / "journal"
    saved = journal.read_bytes()
    records = read(str(journal))
    begun = records[0].event
    assert isinstance(begun, e.CreateBegun)
    assert begun.creation.host == os.uname().nodename
    journal.unlink()
    book = Journal(str(journal))
    for event in (replace(begun, creation=replace(begun.creation, host="elsewhere")), *(r.event for r in records[1:])):
        book.append(event)
    book.close()
    shutil.chown(journal, *runtime_owner(runtime))
    assert f"{orphan.id}: a container of host elsewhere" in said(runtime)
    assert not runtime.released(orphan.job())
    journal.write_bytes(saved)
    assert "its job is given back" in said(runtime)


def runtime_owner(runtime: Runtime) -> tuple[int, int]:
    status = runtime.directory.stat()
    return status.st_uid, status.st_gid


def test_another_user_s_state_directory(runtime: Runtime) -> None:
    """Not even root touches one."""
    runtime.runner(["mkdir", "-p", "-m", "700", str(runtime.root / "~x.1")])
    scrun = runtime.runner(["/bin/sh", "-c", "command -v scrun"]).stdout.strip()
    as_root = Runner(CHECKOUT / ".cluster/as-root")
    done = as_root([scrun, "--root", str(runtime.root), "gc"])
    assert done.returncode == 1
    assert "is not yours" in done.stderr
    assert as_root([scrun, "--root", str(runtime.root), "list", "-q"]).returncode == 0
    assert os.listdir(runtime.root) == ["~x.1"]
    assert runtime("list", "-q").returncode == 0
    assert os.listdir(runtime.root) == []


@pytest.mark.parametrize("verb", ["create", "list"])
def test_what_is_cheap_is_done_in_passing(runtime: Runtime, verb: str) -> None:
    script = f"mkdir -p -m 700 {runtime.root} && cd {runtime.root} && mkdir -p ~x.1/y young .local-runtime"
    assert runtime.runner(["/bin/sh", "-c", script.replace("~", "'~'")]).returncode == 0
    if verb == "create":
        runtime.box("/bin/true", id="new")
    else:
        assert runtime("list", "-q").stdout == ""
    # A young one may be a create at work, and one with a point is the scheduler's "local".
    new = ["new"] if verb == "create" else []
    assert sorted(os.listdir(runtime.root)) == [".local-runtime", *new, "young"]


def collectors(root: str) -> list[int]:
    """The processes of ``gc`` that clear up in a state directory."""
    words = ["--root", root, "gc"]
    return [pid for pid in all_pids() if read_proc(pid, "cmdline").decode().split("\0")[-4:-1] == words]


@pytest.mark.parametrize("found", [False, True], ids=["new", "found before"])
def test_the_next_create_has_a_dead_container_cleared_up(runtime: Runtime, orphan: Box, found: bool) -> None:
    """Once: what cannot be cleared up shall cost no other ``create`` anything."""
    job = orphan.job()
    if found:
        assert runtime.runner(["touch", str(runtime.root / orphan.id / "found")]).returncode == 0
    runtime.box("/bin/true", id="next")
    if found:
        assert collectors(str(runtime.root)) == []
        assert not runtime.released(job)
        return
    runtime.wait_until(lambda: runtime.released(job), what="the end of the orphan's job")
    runtime.wait_until(lambda: collectors(str(runtime.root)) == [], what="the end of gc")
    assert "scrun's anchor process" in orphan.annotations()["scrun.end-reason"]
    assert not staging_of(orphan.id)


def test_the_first_create_after_a_start_of_the_machine_gives_back_what_was_held_before(runtime: Runtime) -> None:
    """The user's own state directory is made anew; jobs are all that is left."""
    home = runtime.directory / "run"
    runtime.root = home / "scrun"  # the default one
    boot, _, same = origin.here(str(runtime.root)).partition(".")
    job = marked(runtime, f"{boot[::-1]}.{same}")
    shutil.rmtree(home)
    bundle = str(runtime.bundle("/bin/true"))
    environ = ["/usr/bin/env", f"XDG_RUNTIME_DIR={home}"]
    try:
        assert runtime.runner(["mkdir", "-m", "700", str(home)]).returncode == 0
        words = [*environ, "scrun", "create", "--bundle", bundle, "first"]
        assert runtime.runner.start(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait(60) == 0
        runtime.wait_until(lambda: runtime.released(job), what="the end of the job of before")
        runtime.wait_until(lambda: collectors(str(runtime.root)) == [], what="the end of gc")
    finally:
        runtime.runner(["scancel", str(job)])
        runtime.runner([*environ, "scrun", "delete", "--force", "first"])
