"""Signals that do not reach the program by way of slurmstepd, and the way round it.

slurmstepd signals the process that it has started. That is the node's runtime (``crun run``), which passes on to its
container what it takes for the container's (seen with strace and by a program that counts signals):

=======  ====================================================================================================
17, 28   its child has ended, its terminal has another size: crun and runc take both for their own
32, 33   a C library's own numbers, which no program can hold back: 33 ends crun and 32 runc, and none is passed on
23, 34   those of Go's runtime, too: 34 ends runc, and with 23 its threads wake each other (1.1.5 passes on those, too)
=======  ====================================================================================================

Where the line of oci.conf does not begin with ``exec``, it is the shell that runs the line, if that is dash: a signal
ends it, and slurmstepd kills the rest before the program has heard anything (22.05, 24.11 and 26.05).

So a plain step beside the container's signals the program itself. It costs 0.1 s, where scancel needs 0.02.

SIGKILL goes that way first, too. Slurm kills the runtime with the program: the runtime is gone at once, the program
only when its namespaces and its memory are (10 ms for sleep(1) of busybox), and slurmstepd, which looks 2 ms after the
runtime's end, finds it still there and looks again after a second. A runtime that lives on ends when its program has:
0.35 s from ``scrun kill`` to the anchor's end where it was 1.3 s.
"""

from actors.programs import program
from proto.exit_codes import CHLD, CONT, KILL, STOP, URG, WINCH

from . import enter
from .oci_conf import OciConf

RUNTIMES_OWN = frozenset({CHLD, WINCH, 32, 33})
"""What no runtime passes on."""
GOS_OWN = frozenset({URG, 34})
"""What one that is written in Go does not pass on: every other one than crun, as far as can be known."""
THE_STEPS = frozenset({KILL, STOP, CONT})
"""What Slurm does to all processes of the step. (SIGKILL, if the program could not be killed alone.)"""

SEND = program("signal.sh")


def needed(signum: int, conf: OciConf) -> bool:
    """Whether slurmstepd cannot bring the signal to the program.

    Args:
        signum: the signal.
        conf: the site's oci.conf; of one that is not on this host nothing is known.

    """
    if signum in THE_STEPS:
        return False
    return not conf.replaces_shell or signum in RUNTIMES_OWN or (signum in GOS_OWN and conf.runtime_name != "crun")


def on_node(cookie: str, signum: int) -> bytes:
    """The shell's script for the nodes of a container."""
    # Of several nodes of an allocation some may not be the container's.
    head = b'set -- %s\nelsewhere=\nif [ "$SLURM_NNODES" != 1 ]; then elsewhere=0; fi\n' % cookie.encode()
    return head + enter.PROCESSES + SEND.replace(b"%s", b"%d" % signum)
