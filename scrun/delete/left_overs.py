"""What is left of containers whose processes were all killed, and jobs that have no container: ``scrun gc``.

Whoever is killed here has a guard, and whoever kills the guard, too, is cleared up after by ``delete``, which every
engine calls. This is for what no engine calls ``delete`` for any more, and for machines that went down.

A job is cancelled only if it was asked for in this very place (``actors.slurm.origin``), perhaps before the
machine's last start, no container of the state directory knows it, and no process holds it. Others are named: they may
well be those of a container on another host, or in another state directory. Directories of another host's containers
are named, too.
"""

import os

from actors.slurm import origin
from actors.slurm.accounting import COOKIE
from actors.slurm.queue_format import FOUND
from actors.slurm.replies import released
from actors.staging.directory import staged_with
from actors.staging.reach import place_of
from proto.errors import ScrunError, SettingsError
from proto.host.machine import host as this_host
from proto.host.paths import ContainerPaths
from proto.host.trees import remove_tree
from proto.life import journal, lifecycle
from proto.life.creation import Creation
from proto.value import Value
from scrun.box import directory
from scrun.box.box import find
from scrun.cli.root import is_own
from scrun.host import Host
from scrun.report.lines import one_line, write

from .removal import clear_up, unfinished


class Stranger(Value):
    """A living job with scrun's mark that no container knows. ``place``: empty in jobs of earlier versions."""

    job_id: int
    cookie: str
    place: str


def collect(root: str, host: Host, *, dry: bool) -> None:
    """Clear up in a state directory, or say what would be; one line for each thing.

    Raises:
        SettingsError: the directory is another user's.

    """
    if os.path.isdir(root) and not is_own(root):
        raise SettingsError(f"the state directory {root} is not yours; let its owner call scrun gc")
    # The jobs first: a container's journal is there before its job, so what is listed later knows all of them.
    queue = _queue(host)
    cookies = set()
    for name in sorted(os.listdir(root)) if os.path.isdir(root) else []:
        try:
            paths = ContainerPaths(root, name)
        except ScrunError:
            if name.startswith(directory.DOOMED):
                _say(f"{root}/{name}: what a killed delete left is removed", dry=dry)
                if not dry:
                    remove_tree(f"{root}/{name}")
            continue
        creation = _creation(paths)
        if creation is not None:
            cookies.add(creation.cookie)
        if creation is not None and creation.host not in {"", this_host()}:
            _say(f"{name}: a container of host {creation.host}; nothing is done about it here")
            continue
        _container(paths, dry=dry)
    for stranger in strangers(queue, cookies):
        _job(stranger, root, host, dry=dry)


def _job(stranger: Stranger, root: str, host: Host, *, dry: bool) -> None:
    """Cancel a job that no container and no process holds, and name any other."""
    job = stranger.job_id
    earlier = origin.was_here(stranger.place, root)
    if not earlier and (not stranger.place or stranger.place != origin.here(root)):
        _say(
            f"job {job} was asked for by scrun, and no container in {root} knows it; if none on another host or in "
            f"another state directory does, cancel it: scancel {job}"
        )
        return
    if origin.is_held(stranger.cookie):
        _say(f"job {job} has no container in {root}, but processes of this host that hold it; leave it to them")
        return
    asked = "asked for here before this machine was started anew" if earlier else "asked for here"
    _say(f"job {job} was {asked}, and neither a container nor a process knows it: it is cancelled", dry=dry)
    if not dry:
        answer = host.run("scancel", str(job))
        if not released(answer.status, answer.text):
            _say(f"job {job} could not be cancelled: {one_line(answer.text)}")
            return
        for path in staged_with(place_of(host.settings, host.caller.home), stranger.cookie):
            remove_tree(path)


def _say(sentence: str, *, dry: bool = False) -> None:
    # (a full disk is no reason to leave the rest undone)
    write(1, f"{sentence}{' (not done)' if dry else ''}\n")


def _container(paths: ContainerPaths, *, dry: bool) -> None:
    """Clear one directory up, if no process of it is left and something is left to do."""
    if not os.path.isdir(paths.directory) or os.path.islink(paths.directory) or paths.id.startswith("."):
        return
    made = os.path.exists(paths.state) or os.path.exists(paths.journal)
    if not (unfinished(paths) if made else directory.is_half_made(paths)):
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


def _creation(paths: ContainerPaths) -> Creation | None:
    """What the container was created with, if its journal tells."""
    try:
        return lifecycle.replay(journal.read(paths.journal)).creation
    except (OSError, ScrunError):
        return None


def _queue(host: Host) -> str:
    """The user's jobs that live, in the format ``queue_format.FOUND``; nothing where Slurm does not answer."""
    if not host.conf or host.settings.scrun.scheduler == "local":
        return ""
    answer = host.run("squeue", "-h", "-o", FOUND.decode(), "-u", str(host.caller.uid))
    return answer.text if answer.status == 0 else ""


def strangers(queue: str, cookies: set[str]) -> list[Stranger]:
    """Jobs that carry scrun's mark with a cookie that no container has."""
    found = []
    for line in queue.splitlines():
        number, _, rest = line.partition("|")
        state, _, comment = rest.partition("|")
        if state == "COMPLETING":  # on its way out
            continue
        words = comment.replace(",", " ").split()
        marks = [word.removeprefix(COOKIE) for word in words if word.startswith(COOKIE)]
        if number.isdigit() and marks and not cookies.intersection(marks):
            places = [word.removeprefix(origin.MARK) for word in words if word.startswith(origin.MARK)]
            found.append(Stranger(int(number), marks[0], places[0] if len(places) == 1 else ""))
    return found
