"""What is left of containers whose processes were all killed, and jobs that have no container: ``scrun gc``.

Whoever is killed here has a guard, and whoever kills the guard, too, is cleared up after by ``delete``, which every
engine calls. This is for what no engine calls ``delete`` for any more, and for machines that went down.

A job is never cancelled because nobody here knows it: its comment names the container's cookie, not the host or the
state directory, so it may well be that of a container somewhere else.
"""

import os
import time

from actors.allocation.queue_format import FOUND
from actors.allocation.slurm import COMMENT
from proto import journal, lifecycle
from proto.errors import ScrunError
from proto.paths import ContainerPaths

from . import diagnostics, directory
from .commands.delete import clear_up, unfinished
from .container import find
from .doctor.host import Host

YOUNG = 60.0
"""Seconds for which a directory without a container may be a ``create`` that has not locked it yet."""


def collect(root: str, host: Host, *, dry: bool) -> None:
    """Clear up in a state directory, or say what would be; one line for each thing."""
    cookies = set()
    for name in sorted(os.listdir(root)) if os.path.isdir(root) else []:
        try:
            paths = ContainerPaths(root, name)
        except ScrunError:
            if name.startswith(directory.DOOMED):
                _say(f"{root}/{name}: what a killed delete left is removed", dry=dry)
                if not dry:
                    directory.remove_tree(f"{root}/{name}")
            continue
        cookies.add(cookie(paths))
        _container(paths, dry=dry)
    for job in strangers(_queue(host), cookies):
        _say(
            f"job {job} was asked for by scrun, and no container in {root} knows it; if none on another host or in "
            f"another state directory does, cancel it: scancel {job}"
        )


def _say(sentence: str, *, dry: bool = False) -> None:
    diagnostics.write(1, f"{sentence}{' (not done)' if dry else ''}\n")


def _container(paths: ContainerPaths, *, dry: bool) -> None:
    """Clear one directory up, if no process of it is left and something is left to do."""
    if not os.path.isdir(paths.directory) or paths.id.startswith("."):
        return
    made = os.path.exists(paths.state) or os.path.exists(paths.journal)
    if not unfinished(paths) if made else time.time() - os.stat(paths.directory).st_ctime < YOUNG:
        return
    lock = directory.try_lock(paths)
    if lock is None:
        return
    try:
        if not made:
            _say(f"{paths.id}: what a killed create left is removed", dry=dry)
            if not dry:
                directory.remove(paths)
        elif unfinished(paths):  # still, now that it is locked
            _say(f"{paths.id}: its processes were killed; its job is given back and its end recorded", dry=dry)
            if not dry:
                clear_up(paths)
                _check(paths)
    finally:
        os.close(lock)


def _check(paths: ContainerPaths) -> None:
    try:
        over = not os.path.isdir(paths.directory) or find(paths.root, paths.id).recorded == "stopped"
    except ScrunError:
        over = False
    if not over:
        _say(f"{paths.id}: its journal does not tell how; delete it with --force")


def cookie(paths: ContainerPaths) -> str:
    """The cookie of a container's job, or empty."""
    try:
        creation = lifecycle.replay(journal.read(paths.journal)).creation
    except (OSError, ScrunError):
        return ""
    return creation.cookie if creation is not None else ""


def _queue(host: Host) -> str:
    """The user's jobs that live, in the format ``queue_format.FOUND``; nothing where Slurm does not answer."""
    if not host.conf or host.settings.scheduler == "local":
        return ""
    answer = host.run("squeue", "-h", "-o", FOUND.decode(), "-u", str(host.caller.uid))
    return answer.text if answer.status == 0 else ""


def strangers(queue: str, cookies: set[str]) -> list[int]:
    """Jobs that carry scrun's mark with a cookie that nobody knows."""
    found = []
    for line in queue.splitlines():
        number, _, rest = line.partition("|")
        words = rest.partition("|")[2].replace(",", " ").split()
        marks = [word.removeprefix(COMMENT) for word in words if word.startswith(COMMENT)]
        if number.isdigit() and marks and not cookies.intersection(marks):
            found.append(int(number))
    return found
