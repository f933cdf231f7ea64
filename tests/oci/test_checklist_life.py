"""The list of what engines demand of a runtime, points 3, 4, 11 to 15, 22 and 25: processes, signals and ends."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import subprocess
from typing import TYPE_CHECKING

from tests.conftest import alive, read_proc, state_and_parent

if TYPE_CHECKING:
    from tests.conftest import Cluster
    from tests.oci.podman import Filler
    from tests.slurm.runtime import Box, Runtime


def all_of(box: Box) -> list[int]:
    """Every process that has the container's lock or descends from the anchor: anchor, guard, actors, commands."""
    lock = str(box.runtime.root / box.id / "lock")
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(fd) == lock for fd in (entry / "fd").iterdir()):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_point_03_create_does_not_wait_in_the_queue(runtime: Runtime, filler: Filler) -> None:
    filler.fill("node2")
    site = runtime.site("[scrun]\ncreate_wait = 1\n")
    waits = {"scrun.nodelist": "node2", "scrun.cpus-per-task": "16"}
    box = runtime.box("/bin/sh", "-c", "exit 6", annotations=waits, environ=site)
    assert box.state()["status"] == "created"
    assert runtime.job_state(box.job()) == "PENDING"
    filler.empty()
    runtime.ok("start", box.id)
    assert box.wait() == 6


def test_point_04_the_anchor_is_the_caller_s_and_holds_nothing_of_it(runtime: Runtime) -> None:
    ours, theirs = os.pipe()
    words = runtime.words("create", "--bundle", str(runtime.bundle("/bin/cat")), "x")
    runtime.ids.append("x")
    null = subprocess.DEVNULL
    assert runtime.runner.start(words, pass_fds=[theirs], stdout=null, stderr=null).wait(60) == 0
    os.close(theirs)
    assert os.read(ours, 1) == b""
    os.close(ours)
    anchor = json.loads(runtime("state", "x").stdout)["pid"]
    assert state_and_parent(anchor)[1] == os.getpid()
    assert os.getsid(anchor) == anchor


def test_point_11_kill_9_ends_it_while_the_controller_is_down(runtime: Runtime, cluster: Cluster) -> None:
    # A slurm.conf of its own for this container, so that nobody else's controller is away.
    text = pathlib.Path(cluster.slurm_conf).read_text()
    site = runtime.site("", text)
    box = runtime.running("/bin/cat", stdin=True, environ=site)
    job = box.job()
    runtime.site("", re.sub(r"SlurmctldPort=\d+", "SlurmctldPort=1", text))
    runtime.ok("kill", box.id, "9")
    # (Its own exit status, or that of somebody who had to be killed: 137 to the engine either way.)
    assert box.wait(5) in {137, -9}
    runtime.site("", text)
    runtime.wait_until(lambda: runtime.released(job), 30, what="the job's end")
    runtime.wait_until(lambda: not all_of(box), 30, what="the guard's end")


def test_point_12_the_job_is_cancelled_when_the_anchor_is_killed(runtime: Runtime) -> None:
    box = runtime.running("/bin/cat", stdin=True)
    job = box.job()
    os.kill(box.anchor, signal.SIGKILL)
    runtime.wait_until(lambda: runtime.released(job), 20)
    assert box.wait() == -9
    runtime.wait_until(lambda: not all_of(box), 20)
    assert box.state()["status"] == "stopped"


def test_point_13_stopped_is_recorded_when_the_anchor_goes(runtime: Runtime) -> None:
    box = runtime.running("/bin/true")
    runtime.wait_until(lambda: not alive(box.anchor), 30)
    # As containerd does: without --force, at once, and before anybody has reaped it.
    runtime.ok("delete", box.id)
    assert runtime.left(box.id) == []


def test_point_14_a_start_that_fails_leaves_no_anchor_and_no_job(runtime: Runtime) -> None:
    box = runtime.box("/bin/true")
    job = box.job()
    # What the node is to run is away.
    assert runtime.runner(["sh", "-c", f"rm -r ~/.scrun/{box.id}~*"]).returncode == 0
    assert runtime.fails("start", box.id)
    assert box.wait(20) != 0
    runtime.wait_until(lambda: runtime.released(job), 20)


def test_point_15_delete_force_in_any_state_and_the_id_is_free(runtime: Runtime) -> None:
    runtime.ok("delete", "--force", "nobody")
    box = runtime.box("/bin/cat", stdin=True, id="again")
    runtime.ok("delete", "--force", "again")
    box.wait()
    box.close()
    runtime.boxes.remove(box)
    second = runtime.running("/bin/cat", stdin=True, id="again")
    runtime.ok("delete", "--force", "again")
    assert second.wait() == 137
    assert runtime.left("again") == []


def test_point_22_start_kill_and_delete_leave_nobody_on_their_streams(runtime: Runtime) -> None:
    box = runtime.box("/bin/cat", stdin=True)
    for words in (["start", box.id], ["kill", box.id, "KILL"], ["delete", "--force", box.id]):
        # The call waits for the end of both pipes: it would hang if anything had inherited them.
        done = runtime(*words, timeout=30)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    box.wait()


def test_point_25_what_outlived_its_processes_is_found(runtime: Runtime) -> None:
    lost, old = runtime.running("/bin/cat", stdin=True), runtime.box("/bin/cat", stdin=True)
    job = lost.job()
    for pid in all_of(lost):
        os.kill(pid, signal.SIGSTOP)
    for pid in all_of(lost):
        os.kill(pid, signal.SIGKILL)
    runtime.wait_until(lambda: not all_of(lost))
    assert lost.state()["status"] == "stopped"
    # The state of an earlier boot: the number is somebody's now, who was born at another time.
    script = f"""cd {runtime.root} && mkdir -m 700 boot && sed 's/"starttime": [0-9]*/"starttime": 1/' \
        {old.id}/state.json >boot/state.json"""
    assert runtime.runner(["sh", "-c", script]).returncode == 0
    runtime.ids.append("boot")
    state = json.loads(runtime("state", "boot").stdout)
    assert (state["status"], state["pid"]) == ("stopped", 0)
    # A job that carries scrun's mark and is no container's.
    name = f"stray-{os.getpid()}"
    words = ["salloc", "--quiet", "--no-shell", f"--job-name={name}", "--comment=scrun:feedfeedfeedfeed"]
    assert runtime.runner(words).returncode == 0
    stray = runtime.runner(["squeue", "--noheader", f"--name={name}", "--format=%i"]).stdout.strip()
    said = runtime("gc").stdout
    runtime.runner(["scancel", f"--name={name}"])
    assert f"{lost.id}: its processes were killed; its job is given back and its end recorded" in said
    assert f"cancel it: scancel {stray}\n" in said
    assert f"{old.id}:" not in said
    runtime.wait_until(lambda: runtime.released(job), 20)
    assert lost.wait() == -9
    assert read_proc(old.anchor, "comm")
