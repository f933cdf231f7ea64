"""Judges the limits of this host: how many containers of the user can wait here for their jobs.

Threads count wherever processes do: for RLIMIT_NPROC (setrlimit(2)), for pids.max of a control group, for the kernel.
"""

import os
import resource
from typing import NamedTuple

from scrun.host import Host
from scrun.tap.births import Births

from .finding import SHELL, Finding, fault, ok, warning

TASKS = 32
"""Threads that a container may have on this host: 14 of scrun's own, 17 while it stages; the rest are salloc's, srun's
and those of a command that asks or signals. The engine's own are not among them."""
FILES = 256
"""Descriptors that one process of a container may have; 30 at most are seen, more while files are copied."""
PIPES = 98
"""Pages in the pipes of a container that runs with all three streams: 16 in each of ours and of the engine's, and 1 in
each of two that carry a byte now and then (fcntl(2), F_GETPIPE_SZ)."""
FEW = 64
"""Containers below which a host is worth a word: as many as one script may well start."""

WATCHES = ("instances = 1024", "watches = 65536")
"""Of inotify(7): both have defaults that a desktop or a few editors use up."""

USERS = "/etc/security/limits.d/scrun.conf"
SECTIONS = {".slice": "[Slice]", ".scope": "[Scope]", ".service": "[Service]"}


class Limit(NamedTuple):
    """One limit.

    Attributes:
        name: as people call it.
        most: threads that it allows.
        used: that there are.
        place: the file in which it is raised.
        lines: what raises it.

    """

    name: str
    most: int
    used: int
    place: str
    lines: tuple[str, ...]

    @property
    def containers(self) -> int:
        """How many more it allows."""
        return max(self.most - self.used, 0) // TASKS


def limits(host: Host) -> Finding:
    """How many containers have room on this host?"""
    user = host.caller.user
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < FILES:
        sentence = f"a process may have {files} open files (ulimit -n); one of a container's may need {FILES}"
        return warning(sentence, USERS, f"{user} - nofile 4096")
    most, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    own = []
    if host.caller.uid and most != resource.RLIM_INFINITY:
        own = [Limit("ulimit -u", most, tasks_of(host.caller.uid), USERS, (f"{user} - nproc 65536",))]
    return judge_limits([*own, *group_limits(host), *kernel_limits(host)])


def judge_limits(found: list[Limit]) -> Finding:
    """Judge the tightest one."""
    if not found:
        return ok("nothing limits the number of processes")
    limit = min(found, key=lambda each: each.containers)
    sentence = (
        f"room for about {limit.containers} more containers of the user: {limit.name} allows {limit.most} processes "
        f"and threads, and there are {limit.used}"
    )
    if limit.containers >= FEW:
        return ok(sentence)
    return (warning if limit.containers else fault)(sentence, limit.place, *limit.lines)


def pipes(host: Host) -> Finding:
    """For how many containers of a user are there pipes of the usual size?"""
    most = to_number(host.read("/proc/sys/fs/pipe-user-pages-soft") or "")
    return judge_pipes(most if host.caller.uid else 0)


def judge_pipes(most: int) -> Finding:
    """Judge what all pipes of one user may hold in pages, 0 for anything (pipe(7), ``pipe-user-pages-soft``)."""
    if not most:
        return ok("nothing limits the size of pipes")
    count = most // PIPES
    sentence = (
        f"with more than about {count} containers a user's new pipes hold 8 KiB in place of 64, and output is slower"
    )
    if count >= FEW:
        return ok(sentence)
    return warning(sentence, "/etc/sysctl.d/scrun.conf", "fs.pipe-user-pages-soft = 262144")


def watches(_: Host) -> Finding:
    """Does the kernel tell this user of new containers at once?"""
    births = Births("/")
    found = births.descriptor >= 0
    births.close()
    if found:
        return ok("inotify has a watch left")
    sentence = "inotify has no watch left for the user: tap --all and exporter look for new containers twice a second"
    return warning(sentence, "/etc/sysctl.d/scrun.conf", *(f"fs.inotify.max_user_{name}" for name in WATCHES))


def kernel_limits(host: Host) -> list[Limit]:
    """What the kernel allows all users together (proc(5): the fourth word of loadavg is RUNNING/ALL)."""
    used = to_number((host.read("/proc/loadavg") or "").partition("/")[2].partition(" ")[0])
    found = []
    for name in ("pid_max", "threads-max"):
        if most := to_number(host.read(f"/proc/sys/kernel/{name}") or ""):
            line = f"kernel.{name} = 4194304"
            found.append(Limit(f"kernel.{name}", most, used, "/etc/sysctl.d/scrun.conf", (line,)))
    return found


def group_limits(host: Host) -> list[Limit]:
    """pids.max of our control groups: the session's, that of the user's slice, and so on up to the root."""
    found = []
    for directory in group_directories(host.read("/proc/self/cgroup") or ""):
        if most := to_number(host.read(f"{directory}/pids.max") or ""):
            used = to_number(host.read(f"{directory}/pids.current") or "")
            found.append(Limit(f"control group {os.path.basename(directory)}", most, used, *raising(directory)))
    return found


def raising(directory: str) -> tuple[str, tuple[str, ...]]:
    """File and lines that give a control group more processes, by whose it is."""
    unit = os.path.basename(directory)
    section = SECTIONS.get(os.path.splitext(unit)[1])
    if not section:
        return SHELL, (f"echo 65536 >{directory}/pids.max",)
    return f"/etc/systemd/system/{unit}.d/scrun.conf", (section, "TasksMax=65536")


def group_directories(text: str) -> list[str]:
    """The directories of /proc/self/cgroup's groups that may limit processes, from ours upwards (cgroups(7))."""
    found = []
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "pids" not in controllers.split(","):
            continue
        base = "/sys/fs/cgroup/pids" if controllers else "/sys/fs/cgroup"
        while path.strip("/"):
            found.append(base + path)
            path = os.path.dirname(path)
    return found


def to_number(text: str) -> int:
    """A number of the kernel's; 0 for "max", and if there is none."""
    word = text.strip()
    return int(word) if word.isascii() and word.isdigit() else 0


def tasks_of(uid: int) -> int:
    """How many threads a user has."""
    count = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{name}").st_uid == uid:
                count += len(os.listdir(f"/proc/{name}/task"))
        except OSError:  # it has ended
            continue
    return count
