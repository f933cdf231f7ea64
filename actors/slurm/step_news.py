"""What the launcher of a step tells of it, and how. On the way of ``exec``."""

from proto.value import Value

STDERR = 6
"""Descriptor of a step's command that carries the container's stderr; its own descriptor 2 is the launcher's."""

WINDOW_AGAIN = 0.5
"""Seconds after which a window size is told again: srun forgets one that comes just before it begins to wait."""


class StepNews(Value):
    """What the step's launcher has said so far.

    Attributes:
        started: the nodes have reported that every task runs.
        wait_status: of the program as ``wait`` would give it; ``None`` until every task has ended. Of several
            tasks the worst one, but for those that srun has ended because of another.
        step_id: ``JOB.STEP``, or empty while unknown; of several parts of a heterogeneous job each one's, with commas.
        nodes: the step's nodes, with commas.
        messages: what a person may want to know, cleaned; errors only.
        failure: why the step could not start, one sentence, or empty.
        away: whether the controller has not heard the request for a step, so that it may be made again: nothing was
            started.
        abandoned: the launcher gave the step up, so its own exit status says nothing.
        out_of_memory: the kernel or Slurm killed a task for memory.
        node_failure: a node of the step was lost.

    """

    started: bool = False
    wait_status: int | None = None
    step_id: str = ""
    nodes: str = ""
    messages: tuple[str, ...] = ()
    failure: str = ""
    away: bool = False
    abandoned: bool = False
    out_of_memory: bool = False
    node_failure: bool = False
