"""The demands of engines on processes, descriptors and files (the 26-point list), measured on a live container."""

from __future__ import annotations

import collections
import contextlib
import os
import pathlib
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.census import holders
from tests.chaos.ordeal import read
from tests.chaos.witness import find
from tests.conftest import alive, all_pids, read_proc, state_and_parent

if TYPE_CHECKING:
    from tests.slurm.runtime import Box, Runtime


def descriptors(pid: int) -> dict[int, str]:
    folder = pathlib.Path(f"/proc/{pid}/fd")
    found = {}
    for entry in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # a file that was open for a moment only
            target = os.readlink(entry)
            if "/libffi.so" not in target:  # 3.5 (forky) keeps its own file open, for its trampolines
                found[int(entry.name)] = target
    return found


def family(box: Box) -> list[int]:
    """The anchor and all that descends from it."""
    found = [box.anchor]
    for pid in found:
        found += [int(word) for word in read_proc(pid, f"task/{pid}/children").split()]
    return found


def waiting(runtime: Runtime) -> Box:
    return runtime.running("/bin/cat", stdin=True)


def test_point_04_the_anchor_belongs_to_the_caller_and_leads_a_session(runtime: Runtime) -> None:
    box = waiting(runtime)
    # The test is the subreaper, as conmon is: "create" has gone and nobody of scrun's is in between.
    assert state_and_parent(box.anchor)[1] == os.getpid()
    assert os.getsid(box.anchor) == os.getpgid(box.anchor) == box.anchor
    assert os.readlink(f"/proc/{box.anchor}/cwd") == "/"


def test_point_04_no_descriptor_of_the_caller_is_kept(runtime: Runtime) -> None:
    # docker's shim leaks its descriptor 3 into "create".
    leaked, other = os.pipe()
    words = runtime.words("create", "--bundle", str(runtime.bundle("/bin/cat")), "leaky")
    runtime.ids.append("leaky")
    process = runtime.runner.start(words, pass_fds=[other], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert process.wait(timeout=60) == 0
    os.close(other)
    # The end of the file comes at once, although the container lives.
    assert os.read(leaked, 1) == b""
    os.close(leaked)
    assert runtime("state", "leaky").returncode == 0


def test_only_stdio_holds_the_engine_s_pipes(runtime: Runtime) -> None:
    box = waiting(runtime)
    tree = box.tree()
    pipe = os.readlink(f"/proc/self/fd/{box._ends['out']}")
    holders = {pid for pid in family(box) if pipe in descriptors(pid).values()}
    assert holders <= {box.anchor, tree.get("stdio", (0, 0))[0]}
    assert holders


def test_point_05_pid_file_is_atomic_and_digits_only(runtime: Runtime) -> None:
    path = runtime.pid_file("box0")
    box = runtime.begin("/bin/true")
    process = runtime.creating[box.id]
    seen: set[bytes] = set()
    while process.poll() is None:
        seen |= {path.read_bytes()} if path.exists() else set()
    box.anchor = int(path.read_bytes())
    assert process.returncode == 0
    assert path.read_bytes().isdigit()
    # Whoever looked too early saw nothing at all.
    assert seen <= {path.read_bytes()}
    assert [entry.name for entry in path.parent.glob("*.pid*")] == [path.name]


def test_point_06_and_07_success_is_silent(runtime: Runtime) -> None:
    # "ok" looks at standard error and at the log after each.
    box = runtime.running("/bin/sh", "-c", 'trap "exit 9" USR1; echo ready; while :; do sleep 0.1; done')
    assert box.read_line() == "ready"
    for words in (["kill", box.id, "0"], ["kill", box.id, "WINCH"], ["kill", box.id, "USR1"]):
        runtime.ok(*words)
    assert box.wait() == 9
    runtime.ok("delete", box.id)
    assert (box.read(), box.read("err")) == ("", "")


def test_point_09_verbs_work_with_no_environment(runtime: Runtime) -> None:
    scrun = runtime.runner(["/bin/sh", "-c", "command -v scrun"]).stdout.strip()
    bare = ["/usr/bin/env", "-i", f"XDG_RUNTIME_DIR=/run/user/{os.stat(runtime.directory).st_uid}", scrun]
    box = runtime.box("/bin/sleep", "600")
    for words, code in [
        (["start", box.id], 0), (["state", box.id], 0), (["kill", box.id, "KILL"], 0),
        (["delete", "--force", box.id], 0), (["delete", "--force", box.id], 0), (["state", box.id], 1),
    ]:  # fmt: skip
        done = runtime.runner([*bare, "--root", str(runtime.root), *words])
        assert done.returncode == code, f"{words}: {done.stderr}"


def test_point_10_and_16_some_answers_need_no_slurm_and_no_hub(runtime: Runtime) -> None:
    box = waiting(runtime)
    hub = runtime.root / box.id / "hub"
    actors = [pid for actor, (pid, _) in box.tree().items() if actor != "anchor"]
    hub.rename(hub.with_name("away"))
    try:
        dead = {"SLURM_CONF": "/nonexistent"}
        for words in (["kill", box.id, "0"], ["kill", "--all", box.id, "0"]):
            runtime.ok(*words, environ=dead)
        assert runtime("state", box.id, environ=dead).returncode == 0
        assert box.state()["status"] == "running"
    finally:
        hub.with_name("away").rename(hub)
    assert all(map(alive, actors))


def test_point_11_kill_9_works_while_slurm_does_not_answer(runtime: Runtime) -> None:
    box = waiting(runtime)
    job = box.job()
    actors = [pid for actor, (pid, _) in box.tree().items() if actor in {"signals", "allocation"}]
    for pid in actors:
        os.kill(pid, signal.SIGSTOP)
    # podman gives five seconds.
    began = time.monotonic()
    runtime.ok("kill", box.id, "KILL")
    box.wait(5 - (time.monotonic() - began))
    runtime.wait_until(lambda: runtime.released(job), 10)
    runtime.ok("delete", "--force", box.id)


def test_point_13_stopped_is_recorded_before_the_anchor_goes(runtime: Runtime) -> None:
    box = runtime.running("/bin/sh", "-c", "exit 3")
    # Not reaped: its end is seen by its state letter.
    runtime.wait_until(lambda: not alive(box.anchor), 30)
    assert b'"status": "stopped"' in (runtime.root / box.id / "state.json").read_bytes()
    runtime.ok("delete", box.id)
    assert runtime.left(box.id) == []
    assert box.wait() == 3


def test_point_15_delete_force_in_any_state(runtime: Runtime) -> None:
    runtime.ok("delete", "--force", "nobody")
    for number in range(2):
        box = runtime.box("/bin/sleep", "600", id="again")
        job = box.job()
        if number:
            runtime.ok("start", box.id)
        runtime.ok("delete", "--force", box.id)
        assert runtime.left(box.id) == []
        assert runtime.released(job)
        box.wait()
        box.close()
        runtime.boxes.remove(box)


def test_point_22_start_kill_and_delete_do_not_keep_their_streams(runtime: Runtime) -> None:
    box = runtime.box("/bin/cat", stdin=True)
    # "communicate" reads to the end of both: it would hang if anything of the container had inherited them.
    for words in (["start", box.id], ["kill", box.id, "TERM"], ["kill", box.id, "KILL"]):
        with runtime.runner.start(runtime.words(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.communicate(timeout=20)[0] == b""
    box.wait()


def test_end_of_file_comes_with_the_end(runtime: Runtime) -> None:
    box = runtime.running("/bin/sh", "-c", "echo last; exit 0")
    assert box.read() == "last\n"
    assert box.read("err") == ""
    assert box.wait() == 0


def test_no_secret_is_left_on_the_command_line(runtime: Runtime) -> None:
    box = runtime.running("/bin/cat", stdin=True, env=["PATH=/bin", "SECRET=x-secret-x"])
    for pid in family(box):
        assert b"x-secret-x" not in read_proc(pid, "cmdline")
    mode = os.stat(runtime.root / box.id).st_mode
    assert mode & 0o077 == 0


# --- the golden table -------------------------------------------------------------------------------------------

COMMON = "null*3 lock log"
LOGS = "job.log step.log"
BOOK = f"journal {LOGS}"
LOOP = "eventfd*5 eventpoll*2"  # of libzmq's context and socket, and of the inbox
PHASES = ("created", "running", "at rest", "stdin closed")
NOBODY = "no process"
GOLDEN = {
    # What each process has open; "socket" is one without a name: a pair's end, or the hub's client.
    "anchor": (
        f"{COMMON} {BOOK} engine*3 step*6 hold wakeup*2 hub*2 tap socket*3",
        f"{COMMON} {BOOK} engine*3 step*3 hold wakeup*2 hub*2 tap socket*4",
        f"{COMMON} {BOOK} engine*3 step*3 hold wakeup*2 hub*2 tap socket*2",
        f"{COMMON} {BOOK} engine*2 step*2 hold wakeup*2 hub*2 tap socket*3",
    ),
    "state": tuple(
        f"{COMMON} journal*2 eventfd*6 eventpoll*2 {hub} tap*2 socket" for hub in ("hub*3", "hub*4", "hub*2", "hub*3")
    ),
    "allocation": (
        f"{COMMON} {LOOP} {LOGS} hub hold socket*2", f"{COMMON} {LOOP} {LOGS} hub hold socket*2", NOBODY, NOBODY,
    ),
    "signals": (NOBODY,) * 4,
    "stdio": (
        NOBODY, f"{COMMON} {LOOP} hub engine*3 step*3 socket*2", NOBODY,
        f"{COMMON} {LOOP} hub engine*2 step*2 socket*2",
    ),
    "guard": ("null*2 lock journal hold socket",) * 4,
}  # fmt: skip


def named(box: Box, pipes: dict[str, str], pid: int) -> str:
    """The descriptors of a process in the words of the table, most of them first by place of the word."""
    with open("/proc/net/unix", encoding="ascii") as file:
        paths = {words[6]: words[7] for words in map(str.split, file) if len(words) == 8}
    found: collections.Counter[str] = collections.Counter()
    for target in descriptors(pid).values():
        kind, _, rest = target.partition(":")
        if kind == "pipe":
            name = pipes.get(target, "pipe")
        elif kind == "socket":
            name = os.path.basename(paths.get(rest.strip("[]"), "socket"))
        elif kind == "anon_inode":
            name = rest.strip("[]")
        else:
            name = os.path.basename(target)
        found[name] += 1
    return " ".join(sorted(f"{name}*{count}" if count > 1 else name for name, count in found.items()))


def pipe_names(runtime: Runtime, box: Box) -> dict[str, str]:
    """The engine's pipes are known by this side's ends, the job's by salloc; of the others one is both ends here."""
    names = {os.readlink(f"/proc/self/fd/{end}"): "engine" for end in box._ends.values()}
    salloc = next(pid for pid in family(box) if b"salloc" in read_proc(pid, "cmdline"))
    names[descriptors(salloc)[0]] = "hold"
    for number, target in descriptors(box.anchor).items():
        if target.startswith("pipe:") and target not in names:
            names[target] = "wakeup" if flags(box.anchor, number) & os.O_NONBLOCK else "step"
    return names


def flags(pid: int, number: int) -> int:
    """Of the open file description behind a descriptor."""
    return int(read_proc(pid, f"fdinfo/{number}").split(b"flags:")[1].split()[0], 8)


def test_each_process_has_in_each_phase_what_the_golden_table_says(runtime: Runtime) -> None:
    box = runtime.box("/bin/sh", "-c", "while read x; do :; done; echo end; sleep 600", stdin=True)
    pipes = pipe_names(runtime, box)

    def wrong(phase: int) -> list[str]:
        found = []
        for role, phases in GOLDEN.items():
            pid = find(box.anchor, role)
            have = named(box, pipes, pid) if pid else NOBODY
            if have != (golden := " ".join(sorted(phases[phase].split())) if phases[phase] != NOBODY else NOBODY):
                found.append(f"{role}: {have} instead of {golden}")
        return found

    def check(phase: str) -> None:
        # Somebody may just be reading or writing a file.
        try:
            runtime.wait_until(lambda: not wrong(PHASES.index(phase)), 30)
        except pytest.fail.Exception:
            pytest.fail(f"{phase}: {'; '.join(wrong(PHASES.index(phase)))}")

    runtime.wait_until(lambda: not find(box.anchor, "staging"), what="the end of stage-in")
    check("created")
    runtime.ok("start", box.id)
    check("running")
    check("at rest")
    box.close_stdin()
    assert box.read_line() == "end"
    check("stdin closed")
    runtime.ok("kill", box.id, "KILL")
    assert box.wait() == 137


SLOW = """
function slurm_scrun_stage_in(id, bundle, spool_dir, config_file, jobid, user_id, group_id, job_env)
    return slurm.SUCCESS
end
function slurm_scrun_stage_out(id, bundle, orig_bundle, root, orig_root, spool_dir, config_file, jobid, uid, gid)
    slurm.allocator_command("until [ -e {flag} ]; do sleep 0.05; done")
    return slurm.SUCCESS
end
return slurm.SUCCESS
"""


def test_the_ends_of_file_do_not_wait_for_what_comes_after(runtime: Runtime) -> None:
    """Staging out may take long; once the output is through, nobody but the reader holds the pipes."""
    flag = runtime.directory / "flag"
    script = runtime.directory / "scrun.lua"
    script.write_text(SLOW.format(flag=flag))
    script.chmod(0o644)
    environ = runtime.site(f'[scrun]\nlua = "{script}"\n')
    box = runtime.running("/bin/sh", "-c", "echo last; exit 3", environ=environ)
    try:
        assert (read(box, "out"), read(box)) == ("last\n", "")
        assert alive(box.anchor)
        for name in ("out", "err"):
            assert set(holders(os.readlink(f"/proc/self/fd/{box._ends[name]}"), all_pids())) == {os.getpid()}
    finally:
        flag.touch()
    assert box.wait() == 3


def of_the_job(box: Box) -> dict[str, int]:
    """The processes of its job on its node, by name; a runtime that runs from a sealed copy of itself is ``crun``."""
    found = {}
    for pid in all_pids():
        if f"/job_{box.job()}/".encode() in read_proc(pid, "cgroup"):
            name = read_proc(pid, "comm").decode().strip()
            found["crun" if name.startswith("memfd:crun") else name] = pid
    return found


def kinds(pid: int) -> list[str]:
    """What a process has open beside its first three descriptors, without numbers."""
    return sorted(name.partition(":")[0] for number, name in descriptors(pid).items() if number > 2)


def test_what_is_on_the_node_and_what_it_holds(runtime: Runtime) -> None:
    box = runtime.running("/bin/sleep", "1000")
    runtime.wait_until(lambda: "sleep" in of_the_job(box), 30)
    found = of_the_job(box)
    assert sorted(found) == ["cat", "crun", "sh", "sleep"]
    assert kinds(found["sleep"]) == []
    output = descriptors(found["crun"])[1]
    assert output.startswith("/dev/pts/")
    assert [name for name, pid in sorted(found.items()) if output in descriptors(pid).values()] == ["cat", "crun", "sh"]
    pipe = descriptors(found["cat"])[0]
    assert set(descriptors(found["cat"]).values()) == {pipe, output, os.devnull}


def test_what_an_exec_holds(runtime: Runtime) -> None:
    box = runtime.running("/bin/sleep", "1000")
    file = runtime.pid_file("exec")
    leaked, other = os.pipe()
    words = ("exec", "--detach", "--pid-file", str(file), box.id, "/bin/sleep", "2000")
    with open(os.devnull, "r+b") as null:
        process = runtime.runner.start(runtime.words(*words), stdin=null, stdout=null, stderr=null, pass_fds=[other])
        assert process.wait(30) == 0
    os.close(other)
    assert os.read(leaked, 1) == b""
    os.close(leaked)
    pid = int(file.read_text())
    # What srun says, srun itself, its leash, and of each of two streams the end that is not srun's.
    held = ["/memfd", "anon_inode", "pipe", "pipe", "pipe"]
    runtime.wait_until(lambda: kinds(pid) == held, 10, what=str(kinds(pid)))
    runtime.wait_until(lambda: "sleep" in of_the_job(box), 30)
    os.kill(pid, signal.SIGKILL)
