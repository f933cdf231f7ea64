"""How a container ends: one word for the kind, one exit status, one sentence."""

from typing import Literal

from proto.value import Value

EndKind = Literal[
    "exited", "signalled", "time-limit", "preempted", "node-failure", "cancelled", "out-of-memory",
    "launch-failed", "refused", "staging-failed", "lost", "killed",
]  # fmt: skip


class Ending(Value):
    """Why and how the container, its step or its job ends.

    Attributes:
        kind: see ``actors.slurm.ending`` and ``docs/operations.md``.
        exit_code: what the engine sees, 0 to 255.
        signal: the signal that killed the program, or 0.
        sentence: for ``state``, the log and the tap; empty if the program just ended.
        code: error code (``proto.errors``) for a caller who waits for something that will not happen.

    """

    kind: EndKind
    exit_code: int
    signal: int = 0
    sentence: str = ""
    code: str = "launch"
