"""What all tests share: waiting without sleeping, leak checks, and the way to the test cluster.

The test process is a child subreaper: whatever a test starts and loses (an anchor, a guard, conmon)
becomes its child and is found. So a process that has ended, and whose parent has, stays a zombie until
the end of the test: ask ``alive(pid)`` rather than whether ``/proc/PID`` exists.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import functools
import gc
import os
import pathlib
import shlex
import signal
import subprocess
import threading
import time
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

T = TypeVar("T")

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent
FOLDER_MARKS = ("unit", "process", "slurm", "oci", "conformance")
# A shell starts what is in the background deaf to SIGINT, and whatever the tests start would be deaf, too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long what a test started may take to end after the test has.
GRACE = 2.0

PR_SET_CHILD_SUBREAPER = 36


def pytest_configure() -> None:
    # An example may take as long as it takes: the machine may be busy with something else.
    hypothesis.settings.register_profile("scrun", deadline=None)
    hypothesis.settings.load_profile("scrun")
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test in tests/slurm is a slurm test, and so on."""
    for item in items:
        folder = item.path.relative_to(CHECKOUT).parts[1]
        if folder in FOLDER_MARKS:
            item.add_marker(folder)


def pytest_collection_finish() -> None:
    """What 5,000 tests are made of stays: collections of garbage need not look at it (a tenth of the time)."""
    gc.collect()
    gc.freeze()


# --- waiting ----------------------------------------------------------------


def wait_until(predicate: Callable[[], T], deadline: float = 10.0, *, interval: float = 0.01, what: str = "") -> T:
    """Poll until the predicate is true, and return what it returned; fail after ``deadline`` seconds."""
    end = time.monotonic() + deadline
    while True:
        result = predicate()
        if result:
            return result
        if time.monotonic() >= end:
            pytest.fail(f"not within {deadline:g} s: {what or getattr(predicate, '__name__', predicate)}")
        time.sleep(interval)


class WaitUntil(Protocol):
    def __call__(
        self, predicate: Callable[[], T], deadline: float = ..., *, interval: float = ..., what: str = ...
    ) -> T: ...


@pytest.fixture(name="wait_until")
def wait_until_fixture() -> WaitUntil:
    return wait_until


# --- processes and descriptors -----------------------------------------------


def read_proc(pid: int | str, name: str) -> bytes:
    """``/proc/PID/NAME``; empty when the process is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def state_and_parent(pid: int | str) -> tuple[str, int]:
    """Its state letter (X when it is gone) and its parent."""
    stat = read_proc(pid, "stat").rpartition(b")")[2].split()
    return (stat[0].decode(), int(stat[1])) if stat else ("X", 0)


def alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    return state_and_parent(pid)[0] not in "XZ"


def all_pids() -> list[int]:
    """Of this machine, without those of another release's beside it (``tests/releases``)."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if b"/scrun-release-" not in read_proc(pid, "cgroup")]


def children() -> set[int]:
    """Pids of this process's children, zombies included."""
    try:
        tasks = os.listdir("/proc/self/task")
        return {int(pid) for task in tasks for pid in read_proc("self", f"task/{task}/children").split()}
    except OSError:
        return {pid for pid in all_pids() if state_and_parent(pid)[1] == os.getpid()}


def describe(pid: int) -> str:
    command = read_proc(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
    return f"{pid} ({state_and_parent(pid)[0]}) {command or read_proc(pid, 'comm').decode().strip()}"


def is_pause_process(pid: int) -> bool:
    """Rootless podman keeps one for its user namespace; it belongs to nobody."""
    return read_proc(pid, "cmdline").startswith(b"catatonit\0-P")


def descriptors() -> dict[int, str]:
    """Open descriptors of this process and what they are open on."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        # The descriptor of the listing itself is closed by now.
        with contextlib.suppress(OSError):
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return found


@dataclasses.dataclass(frozen=True)
class Census:
    """What the test process had at one moment."""

    children: set[int]
    descriptors: dict[int, str]
    threads: set[threading.Thread]
    directory: str

    @classmethod
    def take(cls) -> Census:
        return cls(children(), descriptors(), set(threading.enumerate()), os.readlink("/proc/self/cwd"))

    def leaked_since(self, allowed: frozenset[str]) -> list[str]:
        """What there is now and was not then. Zombies are reaped, for they are what adoption left us."""
        leaks = []
        if "children" not in allowed:
            for pid in children() - self.children:
                if state_and_parent(pid)[0] == "Z":
                    with contextlib.suppress(ChildProcessError):
                        os.waitpid(pid, os.WNOHANG)
                elif not is_pause_process(pid):
                    leaks.append(f"process {describe(pid)}")
        if "descriptors" not in allowed:
            new = sorted(set(descriptors().items()) - set(self.descriptors.items()))
            # The first three are pytest's: after Ctrl-C it has its own again while a test is still torn down.
            leaks += [f"descriptor {fd} on {target}" for fd, target in new if fd > 2]
        if "threads" not in allowed:
            leaks += [f"thread {thread.name}" for thread in set(threading.enumerate()) - self.threads]
        # Later tests run "python3 -m" by it.
        if (now := os.readlink("/proc/self/cwd")) != self.directory:
            leaks.append(f"the working directory {now}")
        return leaks


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test leaves a process, descriptor, thread or another working directory (see the mark ``may_leave``)."""
    marker = request.node.get_closest_marker("may_leave")
    allowed = frozenset(str(what) for what in marker.args) if marker else frozenset()
    before = Census.take()
    yield
    leaks = before.leaked_since(allowed)
    if leaks:
        gc.collect()
        end = time.monotonic() + GRACE
        while (leaks := before.leaked_since(allowed)) and time.monotonic() < end:
            time.sleep(0.01)
    for pid in children() - before.children if leaks else ():
        # The next test shall not suffer from it.
        if "children" not in allowed and alive(pid) and not is_pause_process(pid):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    os.chdir(before.directory)
    if leaks:
        pytest.fail("left behind: " + "; ".join(leaks))


def pid_namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def scrun_processes() -> set[int]:
    """Every process in this pid namespace that is some part of a scrun; another one's cluster is not ours."""
    ours = pid_namespace(os.getpid())
    return {
        pid
        for pid in all_pids()
        if alive(pid)
        and pid_namespace(pid) == ours
        and (read_proc(pid, "comm").startswith(b"scrun") or b"/scrun/__main__.py\0" in read_proc(pid, "cmdline"))
    }


@pytest.fixture(scope="session", autouse=True)
def no_scrun_left() -> Iterator[None]:
    """At the end of all tests no part of a scrun runs that did not run before them."""
    before = scrun_processes()
    yield
    end = time.monotonic() + GRACE
    while (left := scrun_processes() - before) and time.monotonic() < end:
        time.sleep(0.05)
    if left:
        pytest.fail("still running after all tests: " + "; ".join(describe(pid) for pid in sorted(left)))


# --- the cluster ----------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Cluster:
    """What ``make cluster-up`` made."""

    variables: Mapping[str, str]

    @property
    def slurm_conf(self) -> str:
        return self.variables["SLURM_CONF"]

    @property
    def user(self) -> str:
        return self.variables["SCRUN_TEST_USER"]

    @property
    def uid(self) -> int:
        return int(self.variables["SCRUN_TEST_UID"])

    @property
    def scrun_root(self) -> pathlib.Path:
        """The test user's state directory of scrun."""
        return pathlib.Path(self.variables["SCRUN_ROOT"])

    @property
    def checkout(self) -> pathlib.Path:
        """The checkout as the test user sees it, perhaps a mount of it."""
        return pathlib.Path(self.variables["SCRUN_TEST_CHECKOUT"])

    @property
    def squashed(self) -> pathlib.Path:
        """A directory of the test user's where root is nobody, as on NFS with root_squash."""
        return pathlib.Path(self.variables["SCRUN_TEST_SQUASHED"])

    def runner(self, wrapper: str) -> Runner:
        return Runner(CHECKOUT / ".cluster" / wrapper)


@functools.cache
def read_cluster() -> Cluster | str:
    """The cluster, or why there is none."""
    advice = "the test cluster is not up: make cluster-up"
    try:
        lines = (CHECKOUT / ".cluster/env").read_text().splitlines()
    except OSError as error:
        return f"{advice} ({error})"
    words = [word for line in lines for word in shlex.split(line, comments=True) if word != "export"]
    cluster = Cluster(dict(word.split("=", 1) for word in words))
    environment = {"PATH": cluster.variables["PATH"], "SLURM_CONF": cluster.slurm_conf}
    ping = ["scontrol", "ping"]
    answer = subprocess.run(ping, env=environment, capture_output=True, text=True, timeout=30, check=False)
    if answer.returncode:
        return f"{advice} ({answer.stdout.strip() or answer.stderr.strip()})"
    return cluster


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    found = read_cluster()
    if isinstance(found, str):
        pytest.fail(found, pytrace=False)
    return found


@pytest.fixture(autouse=True)
def cluster_is_up(request: pytest.FixtureRequest) -> None:
    """Tests that need the cluster fail without one; they are never skipped."""
    if any(request.node.get_closest_marker(mark) for mark in ("slurm", "oci", "conformance")):
        request.getfixturevalue("cluster")


class Runner:
    """Runs commands as somebody, in the clean environment of the test cluster."""

    def __init__(self, wrapper: pathlib.Path) -> None:
        self.wrapper = str(wrapper)

    def __call__(
        self, argv: Sequence[str], input: str | None = None, timeout: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end; without input, standard input is ``/dev/null``."""
        done = self.raw(argv, None if input is None else input.encode(), timeout)
        output, error = (stream.decode(errors="backslashreplace") for stream in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, output, error)

    def raw(
        self, argv: Sequence[str], input: bytes | None = None, timeout: float = 60.0
    ) -> subprocess.CompletedProcess[bytes]:
        """The same in bytes."""
        stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
        with self.start(argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                output, error = process.communicate(input, timeout)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess(list(argv), process.returncode, output, error)

    def start(
        self,
        argv: Sequence[str],
        *,
        stdin: int | IO[Any] | None = subprocess.DEVNULL,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        """Only start it, as the leader of a process group; its pid is the command's own."""
        return subprocess.Popen(
            [self.wrapper, *argv],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=pass_fds,
            process_group=0,
        )


@pytest.fixture
def as_user(cluster: Cluster) -> Runner:
    """Run a command as the unprivileged test user."""
    return cluster.runner("as-user")


@pytest.fixture
def as_root(cluster: Cluster) -> Runner:
    """Run a command as root, with a podman of its own."""
    return cluster.runner("as-root")


@pytest.fixture
def user_settings(as_user: Runner) -> Iterator[Callable[[str], None]]:
    """Write the test user's own scrun.toml; it is gone after the test."""

    def write(toml: str) -> None:
        done = as_user(["/bin/sh", "-c", "mkdir -p ~/.config/scrun && cat >~/.config/scrun/scrun.toml"], toml)
        assert done.returncode == 0, done.stderr

    yield write
    as_user(["/bin/sh", "-c", "rm ~/.config/scrun/scrun.toml"])


@pytest.fixture
def squashed(cluster: Cluster, as_user: Runner, user_settings: Callable[[str], None]) -> Iterator[pathlib.Path]:
    """The test user's containers are staged where root is nobody, as on NFS with root_squash."""
    path = cluster.squashed / "scrun"
    user_settings(f'[staging]\ndirectory = "{path}"\n')
    yield path
    as_user(["rm", "-rf", str(path)])


@pytest.fixture(params=["home", "squashed"])
def staged_anywhere(request: pytest.FixtureRequest) -> None:
    """The test holds for both: containers are staged in the home, a local directory, or where root is nobody."""
    if request.param == "squashed":
        request.getfixturevalue("squashed")
