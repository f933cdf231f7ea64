"""Options whose value is a list, and what may stand for the commas of such a list in an annotation.

podman takes ``--annotation scrun.nodelist=node1,node2`` for two annotations. So in an annotation a list may have other
signs than commas in it, as far as Slurm gives those no meaning in this option. A semicolon has none in any of them; a
plus sign has one in ``dependency`` (after:JOB+MINUTES) and ``tres-bind``, and an administrator may have it in a name.
Sources: salloc(1) and srun(1) of 22.05 to 26.05.
"""

BOTH_SIGNS = "+;"
"""For numbers, names of hosts, and words of Slurm's own."""
SEMICOLON = ";"
"""For names that an administrator has given, and where a plus sign means something."""

LISTS: dict[str, str] = {
    "acctg-freq": BOTH_SIGNS,
    "clusters": SEMICOLON,
    "cpu-bind": BOTH_SIGNS,
    "dependency": SEMICOLON,
    "distribution": BOTH_SIGNS,
    "exclude": BOTH_SIGNS,
    "gpu-bind": BOTH_SIGNS,
    "gpu-freq": BOTH_SIGNS,
    "gpus": SEMICOLON,
    "gpus-per-node": SEMICOLON,
    "gpus-per-socket": SEMICOLON,
    "gpus-per-task": SEMICOLON,
    "gres": SEMICOLON,
    "gres-flags": BOTH_SIGNS,
    "het-group": BOTH_SIGNS,
    "licenses": SEMICOLON,
    "mail-type": BOTH_SIGNS,
    "mem-bind": BOTH_SIGNS,
    "network": BOTH_SIGNS,
    "nodelist": BOTH_SIGNS,
    "nodes": BOTH_SIGNS,
    "partition": SEMICOLON,
    "profile": BOTH_SIGNS,
    "propagate": BOTH_SIGNS,
    "qos": SEMICOLON,
    "reservation": SEMICOLON,
    "resources": SEMICOLON,
    "tres-bind": SEMICOLON,
    "tres-per-task": SEMICOLON,
}


def with_commas(name: str, text: str) -> str:
    """The value of an option as Slurm wants it, out of an annotation's."""
    for sign in LISTS.get(name, ""):
        text = text.replace(sign, ",")
    return text
