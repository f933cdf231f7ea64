"""The commands that the scheduler library builds, run on the real cluster as the test user.

Once more with pyslurm, where there is one.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from actors.process.command import Command
from actors.slurm.pyslurm import PySlurm
from actors.slurm.slurm import Slurm
from proto.life.creation import Caller, Creation, Log
from proto.life.settings import Scrun, Settings
from tests.conftest import wait_until
from tests.slurm.runtime import WITHOUT_PYSLURM
from tests.unit.creations import changed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actors.slurm.scheduler import JobInfo, JobNews, Query
    from actors.slurm.step_news import StepNews

T = TypeVar("T")


class Site:
    """One container's scheduler on the cluster, with files where the anchor would have them."""

    def __init__(self, cluster: Any, as_user: Any, directory: pathlib.Path, scheduler: type[Slurm]) -> None:
        self.cluster, self.as_user, self.directory, self.scheduler = cluster, as_user, directory, scheduler
        self.jobs: list[int] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        self.job_log = directory / "job.log"
        self.holder: subprocess.Popen[bytes] | None = None

    def creation(self, options: dict[str, str] | None = None, *, namespaced: bool = False, **others: str) -> Creation:
        user = pwd.getpwnam(self.cluster.variables["SCRUN_TEST_USER"])
        words = {name.replace("_", "-"): value for name, value in {**(options or {}), **others}.items()}
        return Creation(
            id="c1", root=str(self.directory), bundle="", rootfs="", oci_version="1.0.2", terminal=False,
            readonly=False, args=(b"true",), program=b"", annotations={}, created=0.0,
            cookie=f"cookie-{self.directory.name}",
            caller=Caller(user.pw_uid, user.pw_gid, user.pw_name, "", user.pw_dir, namespaced=namespaced),
            environ=(b"PATH=" + os.fsencode(self.cluster.variables["PATH"]),), cwd="/", pid_file="", console_socket="",
            log=Log("", "text", "error"), job_id=0,
            settings=Settings(Scrun(scheduler="slurm", slurm_conf=str(self.cluster.slurm_conf)), job=words),
        )  # fmt: skip

    def run(self, command: Command | None, *before: str) -> subprocess.CompletedProcess[str]:
        assert command is not None
        done: subprocess.CompletedProcess[str] = self.as_user([*before, *words(command)], timeout=60)
        return done

    def allocate(self, creation: Creation, *before: str) -> tuple[Slurm, int]:
        """Ask for a job as the anchor does: salloc holds it as long as its standard input is open."""
        slurm = self.scheduler(creation)
        command = slurm.request(creation)
        assert command is not None
        shell = ["/bin/sh", "-c", 'log=$1; shift; exec "$@" 2>"$log"', "sh", str(self.job_log)]
        self.holder = self.as_user.start([*before, *shell, *words(command)], stdin=subprocess.PIPE)
        self.processes.append(self.holder)
        news = wait_until(lambda: self.granted(slurm), 20, what="a grant")
        assert news is not None
        self.jobs.append(news.job_id)
        return slurm, news.job_id

    def granted(self, slurm: Slurm) -> JobNews | None:
        text = self.job_log.read_text() if self.job_log.exists() else ""
        news = slurm.read_request(text, None)
        return news if news.kind == "granted" else None

    def launch(self, command: Command) -> tuple[subprocess.Popen[bytes], pathlib.Path]:
        """Start a step as the anchor does: messages into a file, the container's stderr on descriptor 6."""
        log = self.directory / "step.log"
        shell = ["/bin/sh", "-c", 'log=$1; shift; exec "$@" 2>"$log" 6>"$log.container"', "sh", str(log)]
        process: subprocess.Popen[bytes] = self.as_user.start([*shell, *words(command)], stdout=subprocess.PIPE)
        self.processes.append(process)
        return process, log

    def step(self, slurm: Slurm, job_id: int, bundle: str, *argv: bytes) -> tuple[int, str, StepNews]:
        process, log = self.launch(slurm.step(slurm._creation, job_id, bundle, argv, terminal=False))
        output, _ = process.communicate(timeout=60)
        return wait_status(process.returncode), output.decode(), slurm.read_step(log.read_text())

    def about(self, slurm: Slurm, job_id: int) -> JobInfo | None:
        return self.answer(slurm.inquire(job_id))

    def answer(self, query: Query[T] | None) -> T:
        assert query is not None
        return query.read(self.run(query.command).stdout)

    def asked(self, job_id: int, fields: str) -> str:
        """What squeue says of a job that is there."""
        said: str = self.as_user(["squeue", "-h", "-j", str(job_id), "-o", fields]).stdout
        return said.removesuffix("\n")

    def close(self) -> None:
        if self.holder is not None:
            # At the end of its input salloc's command exits, and salloc gives the job back. A scancel at the same
            # moment makes salloc 22.05 spin for ever: one of its threads has reaped what the other waits for.
            self.holder.communicate(timeout=30)
        if self.jobs:
            self.as_user(["scancel", *map(str, self.jobs)])
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()


def words(command: Command) -> list[str]:
    return ["/usr/bin/env", "-i", *map(os.fsdecode, command.env), *map(os.fsdecode, command.argv)]


def wait_status(returncode: int) -> int:
    return -returncode if returncode < 0 else returncode << 8


@pytest.fixture(params=[Slurm, PySlurm])
def site(request: pytest.FixtureRequest, cluster: Any, as_user: Any) -> Iterator[Site]:
    if request.param is PySlurm and not importlib.util.find_spec("pyslurm"):
        pytest.skip(WITHOUT_PYSLURM)
    made = as_user(["mktemp", "-d", "/tmp/scrun-scheduler-XXXXXX"]).stdout.strip()
    site = Site(cluster, as_user, pathlib.Path(made), request.param)
    yield site
    site.close()
    shutil.rmtree(made)


@pytest.fixture
def bundle(site: Site) -> str:
    """A rootfs of busybox and the config.json that crun writes."""
    script = """set -e; mkdir -p rootfs/bin rootfs/proc rootfs/sys rootfs/dev rootfs/tmp
        cp /bin/busybox rootfs/bin/; for a in sh true sleep cat env; do ln -sf busybox rootfs/bin/$a; done
        crun spec --rootless"""
    done = site.as_user(["/bin/sh", "-c", f"cd {site.directory}; {script}"])
    assert done.returncode == 0, done.stderr
    return str(site.directory)


def test_the_job_ends_with_the_status_that_it_is_given(site: Site) -> None:
    slurm, job_id = site.allocate(site.creation())
    assert site.holder is not None
    site.holder.communicate(b"7\n", timeout=30)
    assert site.holder.returncode == 7
    done = site.as_user(["scontrol", "show", "job", str(job_id)])
    assert "ExitCode=7:0" in done.stdout
    assert site.about(slurm, job_id) is not None


def test_a_job_is_granted_found_described_and_released(site: Site) -> None:
    slurm, job_id = site.allocate(site.creation(nodes="2", job_name="two | nodes", time="5"))
    info = site.about(slurm, job_id)
    assert info is not None
    assert (info.state, info.nodes.count("node"), info.time_limit) == ("RUNNING", 1, "5:00")
    assert "[" in info.nodes
    assert site.asked(job_id, "%D|%j") == "2|two | nodes"
    told = site.answer(slurm.describe(job_id))
    assert told is not None
    assert (told["job"], told["state"], told["node count"], told["time limit"]) == (str(job_id), "RUNNING", "2", "5:00")
    assert {"nodes", "priority", "submitted", "start", "end", "time left", "partition", "cpus"} <= set(told)
    cookie = slurm._creation.cookie
    assert site.answer(slurm.find(cookie)) == [job_id]
    assert site.run(slurm.cancel(job_id)).returncode == 0
    after = site.about(slurm, job_id)
    assert after is not None
    assert not after.active


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"partition": "no-such"}, "there is no such partition"),
        ({"nodes": "99"}, "more CPUs or nodes"),
        ({"mem": "999T"}, "memory"),
        ({"gres": "nonsense:1"}, "no such gres"),
        ({"time": "nonsense"}, "does not understand"),
    ],
)
def test_a_request_is_refused_in_plain_words(site: Site, options: dict[str, str], expected: str) -> None:
    creation = site.creation(options)
    slurm = site.scheduler(creation)
    done = site.run(slurm.request(creation))
    news = slurm.read_request(done.stderr, done.returncode << 8)
    assert (news.kind, news.transient) == ("refused", False)
    assert expected in news.reason


def test_no_value_becomes_an_option_or_a_command(site: Site) -> None:
    creation = site.creation(job_name="--wrap=x; $(touch /tmp/scrun-pwned) `id`")
    _, job_id = site.allocate(creation)
    assert site.asked(job_id, "%j") == creation.settings.job["job-name"]


def test_the_program_s_own_exit_status_comes_back(site: Site, bundle: str) -> None:
    slurm, job_id = site.allocate(site.creation())
    status, output, news = site.step(slurm, job_id, bundle, b"/bin/sh", b"-c", b"echo out; echo err >&2; exit 7")
    assert (output, news.wait_status, news.started) == ("out\n", 7 << 8, True)
    assert news.step_id == f"{job_id}.0"
    assert (site.directory / "step.log.container").read_text() == "err\n"
    ending = slurm.explain(site.about(slurm, job_id), news, status)
    assert (ending.kind, ending.exit_code) == ("exited", 7)


def test_signals_go_to_the_step_only(site: Site, bundle: str, wait_until: Any) -> None:
    slurm, job_id = site.allocate(site.creation())
    trap = b"trap 'exit 5' TERM; sleep 60 & wait"
    process, log = site.launch(slurm.step(slurm._creation, job_id, bundle, (b"/bin/sh", b"-c", trap), terminal=False))
    wait_until(lambda: log.exists() and slurm.read_step(log.read_text()).started)
    steps = site.as_user(["squeue", "-h", "-s", "-o", "%i", "-j", str(job_id)]).stdout.split()
    assert [step for step in steps if not step.endswith("extern")] == [f"{job_id}.0"]

    def delivered() -> bool:
        # The trap is set a moment after the start is reported: the shell must not die before.
        site.run(slurm.signal(f"{job_id}.0", signal.SIGTERM))
        return process.poll() is not None

    wait_until(delivered, interval=0.2)
    process.communicate()
    assert slurm.read_step(log.read_text()).wait_status in {5 << 8, 143 << 8}
    info = site.about(slurm, job_id)
    assert info is not None
    assert info.state == "RUNNING"


def test_a_signal_is_sent_once_though_another_job_is_pending(site: Site, bundle: str, wait_until: Any) -> None:
    slurm, job_id = site.allocate(site.creation())
    process, log = site.launch(slurm.step(slurm._creation, job_id, bundle, (b"/bin/sleep", b"60"), terminal=False))
    wait_until(lambda: log.exists() and slurm.read_step(log.read_text()).started)
    batch = ["sbatch", "--parsable", "--begin=now+1hour", "--output=/dev/null", "--wrap=true"]
    site.jobs.append(int(site.as_user(batch).stdout))
    command = slurm.signal(f"{job_id}.0", signal.SIGURG)
    told = site.run(Command((*command.argv, b"--verbose"), command.env)).stderr
    assert told.count(f"Signal {signal.SIGURG} to step {job_id}.0\n") == 1, told
    # Of a job that is cancelled meanwhile slurmstepd waits for KillWait, now and then, and would be left.
    site.run(slurm.signal(f"{job_id}.0", signal.SIGKILL))
    process.communicate(timeout=10)


def test_kill_ends_the_step_at_once(site: Site, bundle: str, wait_until: Any) -> None:
    slurm, job_id = site.allocate(site.creation())
    process, log = site.launch(slurm.step(slurm._creation, job_id, bundle, (b"/bin/sleep", b"60"), terminal=False))
    wait_until(lambda: log.exists() and slurm.read_step(log.read_text()).started)
    assert site.run(slurm.signal(f"{job_id}.0", signal.SIGKILL)).returncode == 0
    process.communicate(timeout=10)
    news = slurm.read_step(log.read_text())
    ending = slurm.explain(site.about(slurm, job_id), news, wait_status(process.returncode))
    assert (ending.kind, ending.exit_code, ending.signal) == ("signalled", 137, 9)


def test_a_cancelled_job_never_looks_like_a_success(site: Site, bundle: str, wait_until: Any) -> None:
    slurm, job_id = site.allocate(site.creation())
    process, log = site.launch(slurm.step(slurm._creation, job_id, bundle, (b"/bin/sleep", b"60"), terminal=False))
    wait_until(lambda: log.exists() and slurm.read_step(log.read_text()).started)
    site.run(slurm.cancel(job_id))
    process.communicate(timeout=30)
    news = slurm.read_step(log.read_text())
    ending = slurm.explain(site.about(slurm, job_id), news, wait_status(process.returncode))
    assert ending.kind == "cancelled"
    assert ending.exit_code in {137, 143}


def test_a_bundle_that_no_node_sees(site: Site) -> None:
    slurm, job_id = site.allocate(site.creation())
    status, _, news = site.step(slurm, job_id, "/no/such/bundle", b"/bin/true")
    assert not news.started
    ending = slurm.explain(site.about(slurm, job_id), news, status)
    assert ending.kind == "launch-failed"
    assert "does not see the bundle" in ending.sentence
    assert "no such file" not in ending.sentence.lower()


def test_each_node_has_one_container(site: Site, bundle: str) -> None:
    slurm, job_id = site.allocate(site.creation(nodes="2"))
    status, output, news = site.step(slurm, job_id, bundle, b"/bin/sh", b"-c", b"echo x")
    assert (output, news.wait_status, status) == ("x\nx\n", 0, 0)


def test_one_that_fails_ends_the_others(site: Site, bundle: str) -> None:
    slurm, job_id = site.allocate(site.creation(nodes="2"))
    program = b'[ "$SLURM_NODEID" = 1 ] || exit 3; while :; do :; done'
    _, _, news = site.step(slurm, job_id, bundle, b"/bin/sh", b"-c", program)
    assert news.wait_status == 3 << 8


def test_options_of_job_and_step_reach_the_container(site: Site, bundle: str) -> None:
    slurm, job_id = site.allocate(site.creation(cpus_per_task="3", label="yes", cpu_bind="none", open_mode="append"))
    assert site.asked(job_id, "%C") == "3"
    _, output, news = site.step(slurm, job_id, bundle, b"/bin/sh", b"-c", b"echo $SLURM_CPUS_PER_TASK")
    assert (output, news.wait_status) == ("0: 3\n", 0)


def test_a_remote_command_is_no_container(site: Site) -> None:
    slurm, job_id = site.allocate(site.creation(nodes="2"))
    done = site.run(slurm.remote_command(job_id, b"echo $SLURM_STEP_NUM_TASKS; uname -n"))
    assert re.findall(r"^node\d$", done.stdout, re.MULTILINE)
    assert done.stdout.count("2\n") >= 2


def test_inside_the_user_namespace_of_rootless_podman(site: Site, bundle: str) -> None:
    creation = site.creation(namespaced=True)
    slurm, job_id = site.allocate(creation, "unshare", "-Ur")
    command = slurm.step(creation, job_id, bundle, (b"/bin/sh", b"-c", b"exit 4"), terminal=False)
    done = site.as_user(["unshare", "-Ur", "/bin/sh", "-c", 'exec "$@" 6>/dev/null', "sh", *words(command)])
    assert (done.returncode, slurm.read_step(done.stderr).wait_status) == (4, 4 << 8)


def test_a_controller_that_is_away_may_come_back(site: Site) -> None:
    conf = site.directory / "etc/slurm.conf"
    conf.parent.mkdir(mode=0o755)
    text = re.sub(r"SlurmctldPort=\d+", "SlurmctldPort=1", pathlib.Path(site.cluster.slurm_conf).read_text())
    conf.write_text(text)
    creation = changed(site.creation(), settings__scrun__slurm_conf=str(conf))
    slurm = site.scheduler(creation)
    done = site.run(slurm.request(creation))
    news = slurm.read_request(done.stderr, done.returncode << 8)
    assert (news.kind, news.transient) == ("refused", True)
    assert "slurmctld" in news.reason
