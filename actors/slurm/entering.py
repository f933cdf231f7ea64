"""Another program for a container that runs: the step that has its node's runtime add it. On the way of ``exec``.

See ``enter`` for what that step does on the node.
"""

import os

from . import enter
from .client import Client, encode
from .enter import Entering
from .step_news import STDERR, StepNews

TYPE_CHECKING = False
if TYPE_CHECKING:
    from proto.life.brief import Brief


def entering(brief: "Brief", process: bytes, *, terminal: bool, null_input: bool) -> Entering:
    """A step of one task, outside any container; see ``actors.slurm.entering_for``.

    Raises:
        SchedulerError: a command is not installed.

    """
    client = Client(
        brief.environ,
        brief.slurm,
        slurm_conf=brief.slurm_conf,
        clusters=brief.clusters,
        # (a person's shell is in no such namespace, and unshare(1) takes some milliseconds)
        namespaced=brief.namespaced and os.getuid() != brief.uid,
        uid=brief.uid,
        gid=brief.gid,
    )
    entries = enter.variables(process)
    words = (
        "--verbose",
        f"--jobid={brief.job_id}",
        # The first node is one of the first part's.
        f"--het-group={_first(brief.het_group)}" if brief.het_group else "",
        "--overlap",
        "--nodes=1",
        "--ntasks=1",
        f"--nodelist={brief.nodes.partition(',')[0]}",
        "--mpi=none",
        "--unbuffered",
        "--quit-on-interrupt",
        "--job-name=scrun-exec",
        f"--export={','.join(enter.names(entries))}",
        "--pty" if terminal else f"--error=/proc/self/fd/{STDERR}",
    )
    mark = os.urandom(16).hex().encode()
    script = enter.on_node(entries, terminal=terminal, null_input=null_input)
    shell = (b"/bin/sh", b"-c", script, b"scrun-exec", brief.cookie.encode(), mark)
    return Entering(client.command((*client.srun(), *encode(words), b"--", *shell), entries), _read, mark)


def _first(groups: str) -> int:
    """The first part that ``--het-group`` names; ``create`` has seen to it that it names some."""
    return min(int(word.partition("-")[0]) for word in groups.split(","))


def _read(text: str) -> StepNews:
    """See ``step_log``, which is not needed before srun is on its way."""
    from . import step_log

    return step_log.read(text)
