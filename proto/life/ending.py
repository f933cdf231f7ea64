"""How a container ends: one word for the kind, one exit status, one sentence."""

from typing import Literal

from proto.value import Value, replace

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


def with_session(ending: Ending, user: str) -> Ending:
    """The same while systemd ends all processes of the user with the last session.

    srun and the job end by that, too, and do not say why; a program that has ended by itself is left alone.
    """
    if ending.kind not in {"signalled", "cancelled", "lost"}:
        return ending
    sentence = (
        f"systemd has ended all processes of {user} with the last session; loginctl enable-linger {user} lets "
        "containers outlive it"
    )
    return replace(ending, kind="cancelled", sentence=sentence)
