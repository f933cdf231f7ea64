"""``scrun exec``: run another program in a container that runs."""

import os

from actors.oci import config_file
from actors.oci.id_maps import config_id_map
from actors.oci.node_process import node_process
from actors.slurm import entering_for, oci_conf
from actors.staging.home import with_home
from actors.stdio.null import is_null, mend
from proto import exit_codes as signals
from proto.errors import ScrunError, UsageError, WrongStateError
from proto.exit_codes import of_wait_status
from proto.host.paths import ContainerPaths
from proto.life import brief
from proto.life.brief import Brief
from proto.value import replace
from scrun.box.box import Box, find
from scrun.cli.given import absolute, refuse_descriptors
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.exec import process as exec_process
from scrun.exec.launcher import Launcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from scrun.exec.process import Process

TOLD_SECONDS = 0.2
"""How long the state actor may take to hear of a program that runs."""


def run(line: Line) -> int:
    """Run the program; return its exit status, or 0 as soon as it runs with ``--detach``."""
    mend()
    refuse_descriptors(line)
    box = find(root_of(line), line.id)
    container = _brief(box, ignore_paused=line.own.flag("ignore-paused"))
    process = _process(line, box.paths)
    terminal = bool(process.get("terminal"))
    detached = line.own.flag("detach")
    console = absolute(line.own.text("console-socket"))
    _check_console(console, terminal=terminal, detached=detached)
    launcher = _launcher(box.paths, container, process, terminal=terminal)
    size = exec_process.console_size(process)
    if detached:
        _leave_behind(line, box, launcher, _terminal(console, size) if console else None)
        return 0
    launcher.pass_signals_on()
    if not terminal:
        from scrun.exec.carrier import Carrier

        return Carrier(launcher).run(lambda: _tell(line, box, os.getpid()))
    from scrun.exec.own_terminal import OwnTerminal

    with OwnTerminal() as own:
        slave = _terminal(own.path, size)
        own.attach()
        pid = _leave_behind(line, box, launcher, slave)
        own.copy(pid)
    return of_wait_status(os.waitpid(pid, 0)[1])


def _terminal(console: str, size: tuple[int, int] | None) -> int:
    from proto.host.terminal import open_terminal

    return open_terminal(console, size)


def _leave_behind(line: Line, box: Box, launcher: Launcher, slave: int | None) -> int:
    """Leave a process to the program, and tell the caller of it as soon as the program runs; return its pid."""
    from scrun.exec.carrier import leave_behind

    pid = leave_behind(launcher, slave)
    launcher.handle = os.pidfd_open(pid)
    try:
        if slave is not None:
            # With the slave open here, who has the master would never see the end.
            os.close(slave)
        launcher.wait_running()
        _tell(line, box, pid)
    except BaseException:
        launcher.signal(signals.KILL)
        raise
    return pid


def _brief(box: Box, *, ignore_paused: bool) -> Brief:
    """The container, if its program runs.

    Raises:
        WrongStateError: its program does not run yet, or any more, or is paused.
        InternalError: its journal cannot be read.

    """
    status = box.status
    if status == "stopped":
        raise WrongStateError("cannot exec in a stopped container: container is not running")
    if status == "paused" and not ignore_paused:
        raise WrongStateError("cannot exec in a paused container (use --ignore-paused to override)")
    found = brief.read(box.paths.journal, box.paths.id)
    if found.step != "running":
        when = "any more" if found.step == "ended" else "yet"
        raise WrongStateError(f"cannot exec in a container that is not running {when}")
    return found


def _process(line: Line, paths: ContainerPaths) -> "Process":
    if path := line.own.text("process"):
        return exec_process.read(path)
    return exec_process.from_options(config_file.read(paths.config)["process"], line.arguments[1:], line.own)


def _check_console(console: str, *, terminal: bool, detached: bool) -> None:
    """The words are runc's, whose tests look for them.

    Raises:
        UsageError: terminal, console socket and ``--detach`` do not go together.

    """
    if console and not (detached and terminal):
        raise UsageError("cannot use console socket if scrun will not detach or allocate tty")
    if detached and terminal and not console:
        raise UsageError("cannot allocate tty if scrun will detach without setting console socket")


def _launcher(paths: ContainerPaths, container: Brief, process: "Process", *, terminal: bool) -> Launcher:
    """What puts the program into the container, with the mark by which the guard finds it."""
    linux = _staged(container).get("linux") or {}
    id_maps = (config_id_map(linux.get(name) or ()) for name in ("uidMappings", "gidMappings"))
    crun = oci_conf.load(container.slurm_conf).runs_crun
    description = config_file.encode(node_process(with_home(process, container.rootfs), *id_maps, crun=crun))
    null_input = not terminal and is_null(0)
    entering = entering_for(container, description, terminal=terminal, null_input=null_input)
    command = replace(entering.command, env=(*entering.command.env, paths.mark))
    return Launcher(replace(entering, command=command))


def _staged(container: Brief) -> "Process":
    """config.json of the node; empty where it cannot be seen from here."""
    try:
        config: Process = config_file.read(f"{container.bundle}/config.json")
    except (OSError, ValueError):
        return {}
    return config


def _tell(line: Line, box: Box, pid: int) -> None:
    """Give the caller the process that stands for the program, and tell the tap of it."""
    if path := absolute(line.own.text("pidfd-socket")):
        from scrun.box import pidfd

        pidfd.send(path, pid)
    if path := absolute(line.own.text("pid-file")):
        from scrun.box import pidfile

        pidfile.write(path, pid)
    from scrun.hub.client import ask  # when srun is on its way

    try:
        ask(box, "note", {"event": "exec-started", "data": {"pid": str(pid)}}, TOLD_SECONDS)
    except ScrunError:
        pass  # of a container that is ending nobody would hear it
