"""Containers that want to share a namespace with another one: ``--pid=container:X`` and the like, and pods.

config.json then has a path, ``/proc/PID/ns/ipc``, of a process of this host: the other one's anchor, whose namespaces
are this host's and not those of its program. That program is on a node, in another job, so there is nothing to join.
One case needs no joining: two containers of the same job on its only node have the same network.

A network namespace of an engine's own making has a name below a directory ``netns``. Every container with a network has
one, and the network of the nodes takes its place.
"""

import json
import os
import re
from typing import Any

from proto.errors import ScrunError
from proto.life.creation import Creation
from scrun.box.box import find

_OTHERS = re.compile(r"/proc/([0-9]+)/ns/")
_OPTIONS = {"user": "userns", "cgroup": "cgroupns"}
_POD = "io.kubernetes.cri-o.SandboxID"


def refusal(creation: Creation, config: dict[str, Any]) -> str:
    """What a container asks to share and cannot, in one sentence; empty if there is nothing.

    Args:
        creation: the container.
        config: its config.json.

    """
    wanted = [
        (entry["type"], entry["path"])
        for entry in (config.get("linux") or {}).get("namespaces") or ()
        if entry.get("path") and not _engines(entry["path"])
    ]
    kinds = [_OPTIONS.get(kind, kind) for kind, path in wanted if not (kind == "network" and _is_here(creation, path))]
    if not kinds:
        return ""
    if creation.annotations.get(_POD):
        return (
            f"containers of one pod cannot share {' and '.join(kinds)}: each is a job of its own, perhaps on another "
            "node; create the pod with --share=none, or run the containers without one"
        )
    if not all(_OTHERS.match(path) for _, path in wanted):
        return f"the namespace {wanted[0][1]} is one of this host, and the container runs on a node"
    options = " and ".join(f"--{kind}=container:…" for kind in kinds)
    return (
        f"another container's namespace cannot be shared ({options}): each container is a job of its own, perhaps on "
        "another node; leave it out, or run both programs in one container"
    )


def _engines(path: str) -> bool:
    return os.path.basename(os.path.dirname(path)) == "netns"


def _is_here(creation: Creation, path: str) -> bool:
    """Whether it is the network of a container that runs on the only node of the same job."""
    other = _OTHERS.match(path)
    if not (other and creation.job_id):
        return False
    for name in os.listdir(creation.root) if os.path.isdir(creation.root) else ():
        try:
            box = find(creation.root, name)
        except ScrunError:
            continue
        if box.anchor == int(other[1]) and box.alive():
            told = json.loads(box.state())["annotations"]
            single_node = not set(",[") & set(told.get("scrun.nodes", ","))
            return single_node and told.get("scrun.job-id") == str(creation.job_id)
    return False
