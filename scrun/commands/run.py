"""``scrun run``: create, start and wait, as one command for people and tests; engines never call it."""

import os
import signal
from contextlib import ExitStack

from actors.boot import Embryo
from actors.oci.bundle import Bundle
from actors.stdio.null import mend
from proto.errors import BundleError, ScrunError
from proto.exit_codes import of_wait_status
from proto.host.paths import ContainerPaths
from proto.life.creation import Creation
from proto.value import replace
from scrun.box.box import find
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.create import creating
from scrun.delete.removal import delete
from scrun.exec.own_terminal import OwnTerminal
from scrun.packages import use_packages
from scrun.report.diagnostics import warn

from . import create, kill, start

# Not relayed: what runc keeps to itself, what no process can catch, and what says that this process is at fault.
KEPT = frozenset({"CHLD", "PIPE", "URG", "KILL", "STOP", "ILL", "TRAP", "ABRT", "BUS", "FPE", "SEGV", "SYS", "WINCH"})


def run(line: Line) -> int:
    """Run a container; return its program's exit status, 128 and the signal's number if it died of one."""
    use_packages()
    mend()
    paths = ContainerPaths(root_of(line), line.id)
    detached = line.own.flag("detach")
    with Embryo() as anchor:
        creation, bundle = creating.prepare(line, paths.root, check=detached)
        if creation.console_socket and not detached:
            raise BundleError("a console socket is for --detach: run uses its own terminal")
        foreground = _Foreground(paths, line, anchor)
        if detached:
            foreground.begin(creation, bundle)
            return 0
        return foreground.run(creation, bundle)


class _Foreground:
    """The container, and the signals that this process gets for it."""

    def __init__(self, paths: ContainerPaths, line: Line, anchor: Embryo) -> None:
        self._paths = paths
        self._line = line
        self._embryo = anchor
        self._anchor = 0
        self._started = False

    def begin(self, creation: Creation, bundle: Bundle, terminal: OwnTerminal | None = None) -> None:
        """Create and start; the terminal has its size before the program runs."""
        hand_pidfd = create.hand_pidfd(self._line)

        def told(pid: int) -> None:
            self._anchor = pid
            if hand_pidfd:
                hand_pidfd(pid)

        create.make_container(self._paths, creation, bundle, self._embryo, told, starts=True)
        try:
            if terminal:
                terminal.attach()
            start.start(find(self._paths.root, self._paths.id))
        except BaseException:
            self._delete()
            raise

    def run(self, creation: Creation, bundle: Bundle) -> int:
        """The same, and wait for the end."""
        with ExitStack() as stack:
            terminal = None
            if bundle.terminal:
                terminal = stack.enter_context(OwnTerminal())
                creation = replace(creation, console_socket=terminal.path)
            self._catch_signals()
            self.begin(creation, bundle, terminal)
            self._started = True
            if terminal:
                terminal.copy(self._anchor)
            _, status = os.waitpid(self._anchor, 0)
        if not self._line.own.flag("keep"):
            self._delete()
        return of_wait_status(status)

    def _catch_signals(self) -> None:
        for number in signal.valid_signals():
            if number not in {getattr(signal, f"SIG{name}") for name in KEPT}:
                signal.signal(number, lambda number, _: self._relay(number))

    def _relay(self, number: int) -> None:
        """Give the program the signal; before it runs, whatever ends a program ends the container."""
        try:
            if self._started:
                kill.kill(find(self._paths.root, self._paths.id), number)
            elif self._anchor and number in {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}:
                os.kill(self._anchor, signal.SIGINT)
        except (ScrunError, ProcessLookupError):
            pass  # it has ended

    def _delete(self) -> None:
        try:
            for sentence in delete(self._paths, force=True):
                warn(self._line, sentence)
        except ScrunError:
            pass  # the program's end, or the reason why it did not start, is what is reported
