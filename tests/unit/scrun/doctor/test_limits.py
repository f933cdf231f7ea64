"""What the doctor makes of the limits of this host."""

from __future__ import annotations

import pytest

from scrun.cli.parsing import Line
from scrun.doctor import limits
from scrun.doctor.limits import PIPES, TASKS, Limit
from scrun.host import Host

SESSION = "/sys/fs/cgroup/user.slice/user-7.slice/session-1.scope"


def a_limit(most: int, used: int = 0) -> Limit:
    return Limit("ulimit -u", most, used, "/f", ("line",))


@pytest.mark.parametrize(
    ("most", "used", "level", "words"),
    [
        (64 * TASKS, 0, "ok", "room for about 64 more"),
        (64 * TASKS, 1, "warning", "room for about 63 more"),
        (10 * TASKS, 9 * TASKS, "warning", "room for about 1 more"),
        (10 * TASKS, 9 * TASKS + 1, "fault", "room for about 0 more"),
        (10, 20, "fault", "allows 10 processes and threads, and there are 20"),
    ],
)
def test_a_limit(most: int, used: int, level: str, words: str) -> None:
    finding = limits.judge_limits([a_limit(100_000), a_limit(most, used)])
    assert (finding.level, finding.lines) == (level, () if level == "ok" else ("line",))
    assert words in finding.sentence


@pytest.mark.parametrize(
    ("most", "level", "words"),
    [(0, "ok", "nothing"), (16384, "ok", "about 167"), (64 * PIPES, "ok", "about 64"), (1024, "warning", "about 10")],
)
def test_pipes(most: int, level: str, words: str) -> None:
    finding = limits.judge_pipes(most)
    assert (finding.level, bool(finding.lines)) == (level, level == "warning")
    assert words in finding.sentence


def test_no_limit() -> None:
    assert limits.judge_limits([]).level == "ok"


@pytest.mark.parametrize(
    ("text", "directories"),
    [
        ("0::/user.slice/user-7.slice/session-1.scope\n", [SESSION, SESSION[:-16], "/sys/fs/cgroup/user.slice"]),
        ("9:name=systemd:/a\n8:pids:/a/b\n0::/\n", ["/sys/fs/cgroup/pids/a/b", "/sys/fs/cgroup/pids/a"]),
        ("0::/\n", []),
        ("", []),
    ],
)
def test_the_control_groups(text: str, directories: list[str]) -> None:
    assert limits.group_directories(text) == directories


class Made(Host):
    """A host with the files that it is given."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__(Line())
        self.files = files

    def read(self, path: str) -> str | None:
        return self.files.get(path)


def test_the_user_s_slice() -> None:
    user = SESSION[:-16]
    host = Made({
        "/proc/self/cgroup": "0::/user.slice/user-7.slice/session-1.scope\n",
        f"{SESSION}/pids.max": "max\n", f"{user}/pids.max": "10813\n", f"{user}/pids.current": "813\n",
    })  # fmt: skip
    assert limits.group_limits(host) == [
        Limit(
            "control group user-7.slice", 10813, 813, "/etc/systemd/system/user-7.slice.d/scrun.conf",
            ("[Slice]", "TasksMax=65536"),
        )
    ]  # fmt: skip


def test_a_group_of_nobody_s() -> None:
    assert limits.raising("/sys/fs/cgroup/x") == ("shell", ("echo 65536 >/sys/fs/cgroup/x/pids.max",))


def test_the_kernel_s() -> None:
    host = Made({
        "/proc/loadavg": "0.1 0.2 0.3 2/628 4711\n", "/proc/sys/kernel/pid_max": "32768\n",
        "/proc/sys/kernel/threads-max": "100000\n",
    })  # fmt: skip
    found = [(limit.name, limit.most, limit.used) for limit in limits.kernel_limits(host)]
    assert found == [("kernel.pid_max", 32768, 628), ("kernel.threads-max", 100000, 628)]


def test_this_host_s() -> None:
    assert limits.limits(Host(Line())).sentence
    assert limits.tasks_of(0) > 0
