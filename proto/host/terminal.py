"""The container's terminal: a pty whose master the engine gets, and whose slave becomes srun's.

The engine listens on the console socket and expects one message: some text (the slave's name) and the master
as SCM_RIGHTS. Afterwards this side keeps the slave only; with the master open here, neither anchor nor srun
would ever see the hang-up.

The slave is 0 and 1 of ``srun --pty``, and no byte passes through a process of ours. Its 2 should be a file, for
its own messages. It is the controlling terminal of the anchor, not of srun (see ``actors.anchor.window``). What
follows (Slurm 22.05, measured):

* The program has the right size from the beginning; each TIOCSWINSZ of the engine reaches it as SIGWINCH.
* The slave is raw: ^C travels as a byte, and the terminal that the node's runtime makes (see ``actors.oci.streams``)
  makes SIGINT of it.
* All output comes through the terminal, standard error too; ``--error`` and ``--output`` are refused.
* srun's exit status is the program's, and no output is lost when srun ends.
* When the last master is closed (the engine died), the kernel sends SIGHUP to the anchor, and the anchor to srun,
  which kills the step at once and exits with 137.
"""

import fcntl
import os
import socket
import struct
import termios
import tty

from proto.errors import LaunchError, reason

from .sockets import Address

CONSOLE_TIMEOUT = 10.0
_SIZE_LIMIT = 0xFFFF


def open_terminal(console_socket: str, size: tuple[int, int] | None = None) -> int:
    """Open a pty pair, hand the master to the engine, and return the slave (CLOEXEC).

    Args:
        console_socket: path of the engine's socket; any length.
        size: rows and columns (``process.consoleSize``), or None to leave them 0 until the engine sets them.

    Raises:
        LaunchError: there is no pty, or the engine cannot be reached.

    """
    try:
        master, slave = os.openpty()
    except OSError as error:
        raise LaunchError(f"cannot open a terminal: {reason(error)}") from None
    try:
        if size is not None:
            set_window_size(slave, *size)
        _send(console_socket, master, os.ttyname(slave))
    except OSError as error:
        os.close(slave)
        raise LaunchError(f"cannot use the console socket {console_socket}: {reason(error)}") from None
    finally:
        os.close(master)
    return slave


def take(slave: int) -> None:
    """Make the slave the controlling terminal of this session, and raw.

    srun makes it raw, too, but later: a ^C typed before would be a signal for the anchor.

    Raises:
        LaunchError: this process leads no session, has a controlling terminal already, or the engine hung up.

    """
    try:
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        tty.setraw(slave, termios.TCSANOW)
    except (OSError, termios.error) as error:
        number = error.args[0]  # termios.error is no OSError
        raise LaunchError(f"cannot take the terminal: {reason(OSError(number, ''))}") from None


def window_size(fd: int) -> tuple[int, int]:
    """Rows and columns of a terminal; ``(0, 0)`` if it has none or is hung up."""
    try:
        rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8)))
    except OSError:
        return 0, 0
    return rows, columns


def set_window_size(fd: int, rows: int, columns: int) -> None:
    """Set rows and columns; the kernel sends SIGWINCH to the terminal's foreground group if they differ.

    Raises:
        OSError: it is no terminal.

    """
    rows, columns = (min(max(number, 0), _SIZE_LIMIT) for number in (rows, columns))
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _send(path: str, master: int, name: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer, Address(path) as address:
        # Not settimeout(): a non-blocking connect to a busy listener fails at once, with EAGAIN.
        seconds, rest = divmod(CONSOLE_TIMEOUT, 1)
        limit = struct.pack("ll", int(seconds), int(rest * 1_000_000))
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        peer.connect(address)
        socket.send_fds(peer, [os.fsencode(name)], [master])
