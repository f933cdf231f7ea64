"""Which nodes can have overlays: found out once a day for each, and remembered in the staging directory.

What decides is the kernel, the OCI runtime of oci.conf, where changes lie, and how the container's ids are had. A node
that is seen for the first time is asked in a step of some 50 ms, in which the mount is tried.
"""

import json
import os
import re
import shlex
import time
from typing import Any

from actors.programs import program
from actors.staging.commands import Commands
from actors.staging.files import make_directory, write_file
from actors.staging.loglevel import Level, Log
from proto.value import Value

RUNTIMES: dict[str, tuple[int, int]] = {"crun": (1, 22), "runc": (1, 2)}
"""Runtimes that mount overlays, and before which version they take what a hook has put over their root.

runc 1.2 keeps the root that it has opened. crun 1.28 makes mounts read-only after the hooks, and those that it has made
itself: in what a hook has put over its root, ``/proc/sys`` and volumes with ``:ro`` could be written. 1.21 is well.
"""
MEMORY = "node-kinds.json"
MEMORY_LIMIT = 1 << 20
AGE = 86400.0
"""Seconds for which a node is believed to be what it was: kernels come with a reboot."""
_SAID = {"kernel": str, "works": bool, "why": str, "hooks": bool, "volatile": bool}
_FORM = {**_SAID, "time": float}
PROGRAM = program("probe_overlay.sh")
"""Wants the directory for changes, one of the staging directory with a directory ``d`` in it, ``Needs.ids``,
and ``Needs.runtime``."""


class Verdict(Value):
    """What a node has said.

    Attributes:
        kernel: ``uname -srm``; empty if it has not answered.
        works: whether the overlay could be mounted and does what it must.
        why: one sentence or the kernel's word if not.
        hooks: whether a hook can put one over the runtime's root.
        volatile: whether the kernel knows an overlay of which nothing need be on a disk (5.10).

    """

    kernel: str
    works: bool
    why: str = ""
    hooks: bool = True
    volatile: bool = False


def read_verdict(text: str) -> Verdict:
    """Read what ``probe_overlay.sh`` says."""
    lines = [line.partition("=")[::2] for line in text.splitlines()]
    said = dict(lines)
    missing = [value for name, value in lines if name == "missing"]
    if said.get("end") != "yes":
        return Verdict("", works=False, why=f"the node gave no answer: {text.strip()[:200]}")
    kernel = said.get("kernel", "")
    if missing:
        return Verdict(kernel, works=False, why=f"the node lacks {', '.join(missing)}")
    runtime = said.get("runtime", "")
    if not runtime:
        return Verdict("", works=False, why="the node's OCI runtime does not say what it is")
    hooks = takes_hooks(runtime)
    if hooks is None:
        return Verdict(kernel, works=False, why=f"its OCI runtime is not known to serve: {runtime}")
    return Verdict(kernel, said.get("overlay") == "yes", said.get("why", ""), hooks, said.get("volatile") == "yes")


def takes_hooks(version: str) -> bool | None:
    """Whether an OCI runtime takes what a hook has put over its root; ``None`` if it is not known to mount overlays.

    Args:
        version: the first line of its ``--version``.

    """
    found = re.match(r"(\w+) version v?(\d+)\.(\d+)", version)
    if not found or found[1] not in RUNTIMES:
        return None
    return (int(found[2]), int(found[3])) < RUNTIMES[found[1]]


class Needs(Value):
    """What decides besides the node.

    Attributes:
        runtime: the program that oci.conf names.
        place: directory for changes on the node.
        ids: ``root``, ``mapped`` or ``own``, see ``node_programs.ids_text``.

    """

    runtime: str
    place: str
    ids: str


class Kinds:
    """What is known of nodes.

    Args:
        staging: the staging directory, in whose cache it is remembered.

    """

    def __init__(self, staging: str) -> None:
        self._path = f"{staging}/cache/{MEMORY}"

    def ask(self, node: str, needs: Needs, place: str, run: Commands, log: Log) -> Verdict:
        """The verdict about a node, from memory or from the node.

        Args:
            node: its name, the only one of the job.
            needs: what else decides.
            place: a directory of the staging file system, of the container's own: what a death leaves goes with it.
            run: runs a command there.
            log: is told.

        """
        key = f"{node} {needs.runtime} {needs.place} {needs.ids}"
        known = self._known(key)
        if known is not None:
            return known
        lower = f"{place}/probe"
        make_directory(lower, 0o700)
        make_directory(f"{lower}/d", 0o700)
        try:
            words = b" ".join(os.fsencode(shlex.quote(word)) for word in (needs.place, lower, needs.ids, needs.runtime))
            result = run.remote(b"set -- " + words + b"\n" + PROGRAM)
        finally:
            os.rmdir(f"{lower}/d")
            os.rmdir(lower)
        verdict = read_verdict(result.text)
        log(Level.INFO, f"node {node} ({verdict.kernel}): overlays {'work' if verdict.works else verdict.why}")
        if verdict.kernel:
            self._remember(key, verdict)
        return verdict

    def forget(self, node: str) -> None:
        """The node was not what was remembered: ask it again the next time."""
        memory = self._load()
        others = {key: entry for key, entry in memory.items() if not key.startswith(f"{node} ")}
        if others != memory:
            self._save(others)

    def _known(self, key: str) -> Verdict | None:
        entry = self._load().get(key)
        return Verdict(*(entry[name] for name in _SAID)) if entry else None

    def _remember(self, key: str, verdict: Verdict) -> None:
        said = {name: getattr(verdict, name) for name in _SAID}
        self._save({**self._load(), key: {**said, "time": time.time()}})

    def _load(self) -> dict[str, dict[str, Any]]:
        try:
            with open(self._path, "rb") as file:
                memory = json.loads(file.read(MEMORY_LIMIT))
        except (OSError, ValueError):
            return {}
        now = time.time()
        entries = memory.items() if isinstance(memory, dict) else ()
        return {key: entry for key, entry in entries if _has_form(entry) and now - entry["time"] < AGE}

    def _save(self, memory: dict[str, dict[str, Any]]) -> None:
        # Two containers may write at once: the last one counts, and the other node is asked once more.
        os.makedirs(os.path.dirname(self._path), 0o700, exist_ok=True)
        new = f"{self._path}~{os.urandom(4).hex()}"
        write_file(new, json.dumps(memory).encode(), 0o600)
        os.rename(new, self._path)


def _has_form(entry: object) -> bool:
    return isinstance(entry, dict) and {name: type(value) for name, value in entry.items()} == _FORM
