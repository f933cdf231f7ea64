"""Which nodes the doctor can visit, by what sinfo says of them."""

from typing import NamedTuple

FORMAT = "%N|%T|%R|%a|%v"
READY = frozenset(("idle", "idle-", "mixed", "mixed-", "planned"))
"""Planned for another job, by the backfill scheduler, is free until that one begins (sinfo(1), NODE STATE CODES)."""


class Node(NamedTuple):
    """One node.

    Attributes:
        name: of the node.
        partition: in which a job gets there.
        state: as sinfo writes it, if a job would not start there now; else empty.
        version: of its slurmd.

    """

    name: str
    partition: str
    state: str = ""
    version: str = ""


def read_nodes(text: str, preferred: str = "") -> list[Node]:
    """Read ``sinfo -h -N -o FORMAT``, which has a line for each node and partition.

    Args:
        text: what sinfo said.
        preferred: the partition of the settings, which is taken where a node is in it.

    """
    found: dict[str, Node] = {}
    for line in text.splitlines():
        words = line.strip().split("|")
        if len(words) != 5 or words[3] != "up":
            continue
        name, state, partition, _, version = words
        if name not in found or partition == preferred:
            # An appended mark says that the node does not answer, sleeps, restarts …
            found[name] = Node(name, partition, "" if state in READY else state, version)
    return list(found.values())


def missing(hostnames: str, nodes: list[Node]) -> list[str]:
    """Those that were asked for, one a line, and are not among the nodes."""
    known = {node.name for node in nodes}
    return [name for name in hostnames.split() if name not in known]
