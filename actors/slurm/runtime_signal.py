"""Signals that the node's OCI runtime keeps to itself, and the way round it.

slurmstepd signals the process that it has started, which is the runtime (``crun run``). The runtime passes on to its
container what it takes for the container's (seen with strace and by a program that counts signals):

=======  ====================================================================================================
17, 28   its child has ended, its terminal has another size: crun and runc take both for their own
32, 33   a C library's own numbers, which no program can hold back: 33 ends crun and 32 runc, and none is passed on
23, 34   those of Go's runtime, too: 34 ends runc, and with 23 its threads wake each other (1.1.5 passes on those, too)
=======  ====================================================================================================

So a plain step beside the container's has the same runtime send these (``crun kill``), as an engine beside it would. It
costs 0.1 s, where scancel needs 0.02.
"""

from actors.programs import program
from proto.exit_codes import CHLD, URG, WINCH

from . import enter

RUNTIMES_OWN = frozenset({CHLD, WINCH, 32, 33})
"""What no runtime passes on."""
GOS_OWN = frozenset({URG, 34})
"""What one that is written in Go does not pass on: every other one than crun, as far as can be known."""
KEPT = RUNTIMES_OWN | GOS_OWN
"""What depends on the runtime: for all others nobody need know which one that is."""

SEND = program("signal.sh")
NO_RUNTIME = "on this node no OCI runtime stays beside the container, and no other way leads there for this signal"


def needed(signum: int, runtime: str) -> bool:
    """Whether only the node's runtime can bring the signal to the program.

    Args:
        signum: the signal.
        runtime: name of the program of RunTimeRun.

    """
    return signum in RUNTIMES_OWN or (signum in GOS_OWN and runtime != "crun")


def on_node(cookie: str, signum: int) -> bytes:
    """The shell's script for the nodes of a container."""
    # Of several nodes of an allocation some may not be the container's.
    head = b'set -- %s\nif [ "$SLURM_NNODES" != 1 ]; then elsewhere=0; fi\n' % cookie.encode()
    return head + enter.find(NO_RUNTIME) + SEND.replace(b"%s", b"%d" % signum)
