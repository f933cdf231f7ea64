"""``scrun run``: create, start and wait, as one command for people and tests; engines never call it."""

import os
import signal

from proto.errors import ScrunError, UnsupportedError
from proto.paths import ContainerPaths
from scrun import creating
from scrun.commands import create, start
from scrun.commands.delete import delete
from scrun.container import find
from scrun.main import root_of
from scrun.packages import use_packages
from scrun.parsing import Line

RELAYED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def run(line: Line) -> int:
    """Run a container; return its program's exit status, 128 and the signal's number if it died of one."""
    use_packages()
    paths = ContainerPaths(root_of(line), line.id)
    creation, bundle = creating.prepare(line, paths.root)
    detached = line.own.flag("detach")
    if bundle.terminal and not detached:
        raise UnsupportedError("run has no terminal to offer: use --detach with --console-socket, or podman run -t")
    anchors: list[int] = []
    create.make_container(paths, creation, bundle, anchors.append)
    if not detached:
        for number in RELAYED:
            signal.signal(number, lambda number, _: _relay(anchors[0], number))
    try:
        start.start(find(paths.root, paths.id))
    except BaseException:
        _delete(paths)
        raise
    if detached:
        return 0
    _, status = os.waitpid(anchors[0], 0)
    if not line.own.flag("keep"):
        _delete(paths)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _relay(anchor: int, number: int) -> None:
    try:
        os.kill(anchor, number)
    except ProcessLookupError:
        pass


def _delete(paths: ContainerPaths) -> None:
    try:
        delete(paths, force=True)
    except ScrunError:
        pass  # the program's end, or the reason why it did not start, is what is reported
