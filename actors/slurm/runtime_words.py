"""What a node's OCI runtime says when it could not start a container, in our words.

The runtime's exit status is 1 then, like that of many a program, and its words come through the container's standard
error like a program's. A container with a program that is not there tells the two apart (``Step`` starts one): it says
127 where the runtime can do its work. Texts of crun 1.8 to 1.28 and runc 1.1 to 1.3.
"""

from .messages import clean

_OF_SLURM = ("srun: ", "slurmstepd", "slurmd")
TELLS_MORE = "; scrun doctor --nodes tells more"

TABLE: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("id_map", "newuidmap", "newgidmap"),
        (
            "the node could not map the user's subordinate ids: it needs newuidmap and newgidmap (package uidmap) and "
            "the user's lines in /etc/subuid and /etc/subgid, or id_mapping = single in scrun.toml"
        ),
    ),
    (
        ("unshare", "clone3", "user namespace"),
        "the node lets no user make a user namespace (user.max_user_namespaces and its like, see sysctl(8))",
    ),
)
"""Texts of which one must be in what the runtime said, and our sentence."""


def sentence(said: str) -> str:
    """One sentence about a runtime that failed; empty if it said nothing.

    Args:
        said: what srun and the runtime said, mixed.

    """
    lines = [line.strip() for line in said.splitlines()]
    words = [line for line in lines if line and not line.startswith(_OF_SLURM)]
    if not words:
        return ""
    text = " ".join(words)
    for marks, ours in TABLE:
        if any(mark in text for mark in marks):
            return f"{ours} (the runtime: {clean(words[-1])})"
    return f"the node's OCI runtime did not start the container: {clean(words[-1])}{TELLS_MORE}"
