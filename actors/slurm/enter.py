"""How another program gets into a container that runs: by the OCI runtime that runs it, on its node.

The container's runtime (``crun … run … ID``) stays beside it as the parent of its program, and says in its own
command line where it keeps its state and by what id it knows the container. So a shell on the node looks for it and
calls the same runtime with ``exec``. Namespaces, capabilities and the system call filter are the runtime's affair then,
as they were when the container was made. With nsenter(1) they would be ours, and the program would have every
capability of the user namespace.

The program is described by a ``process`` object as config.json has one. It travels in the environment, where no
other user can read it, and never as a word of a command line; nothing is left behind that would have to be removed.
"""

from actors.programs import program
from proto.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.process.command import Command

    from .step_news import StepNews

VARIABLE = "SCRUN_EXEC_"
PART = 96 << 10
"""Bytes of the description in one variable; execve(2) takes 128 KiB in all (MAX_ARG_STRLEN)."""
NO_RUNTIME = "exec failed: on this node no OCI runtime stays beside the container; RunTimeRun must be one that can exec"

PROCESSES = program("job_processes.sh") + program("container_processes.sh")
"""With the cookie as $1: how to look for the container's processes on a node."""
FIND = PROCESSES + program("find_runtime.sh").replace(b"%s", NO_RUNTIME.encode())
"""The same, and the runtime's words up to its verb become "$@", the container's id $id."""
HERE = program("given_runtime.sh")
"""The same with the id as $1 and the runtime's words after it: a container of this machine."""
FOLLOW = program("follow_size.sh")
PIPED, TERMINAL = program("exec_piped.sh"), program("exec_terminal.sh")
STATUS, LEFT = program("exec_status.sh"), program("exec_left.sh")
MARK = b"ended=$2\n"
NULL_INPUT = b"exec </dev/null\n"
"""slurmstepd gives a task a pipe, whatever ``--input`` says."""
PLAIN_EXEC = program("plain_exec.sh")


class Entering(Value):
    """How another program gets into a container.

    Attributes:
        command: runs it, and ends as it does.
        read: makes sense of what the command itself has said so far.
        mark: begins what the command says in its streams where the program has ended and the command lives on (see
            ``scrun.exec.end_mark``); empty if its streams are the program's own, which it does not look into.

    """

    command: "Command"
    read: "Callable[[str], StepNews]"
    mark: bytes = b""


def variables(process: bytes) -> list[bytes]:
    """The description of the program as variables, ``K=V``."""
    parts = [process[at : at + PART] for at in range(0, len(process), PART)]
    return [b"%s%d=%s" % (VARIABLE.encode(), number, part) for number, part in enumerate(parts)]


def names(entries: list[bytes]) -> list[str]:
    """Names of the variables."""
    return [entry.partition(b"=")[0].decode() for entry in entries]


def on_node(entries: list[bytes], *, terminal: bool, null_input: bool) -> bytes:
    """The shell's script for a node, whose arguments are the container's cookie and a mark of ``Entering``."""
    before = MARK + (NULL_INPUT if null_input else b"")
    return before + FIND + (FOLLOW if terminal else b"") + adding(entries, terminal=terminal)


def adding(entries: list[bytes], *, terminal: bool) -> bytes:
    """What follows when the runtime and the container's id are known."""
    return reading(TERMINAL if terminal else PIPED, entries) + STATUS + LEFT


def here(entries: list[bytes]) -> bytes:
    """The same on this machine; its id and the runtime's words are the arguments."""
    return HERE + reading(PLAIN_EXEC, entries)


def reading(script: bytes, entries: list[bytes]) -> bytes:
    """A script with the variables that the runtime shall read, in the line that is for them."""
    return script.replace(b"\n%s\n", b"\n" + b"".join(b"$" + name.encode() for name in names(entries)) + b"\n")
