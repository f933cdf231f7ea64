"""What srun runs on the node before and after the container, for the changes that lie there.

``prolog`` makes the directories that the overlays need, ``collect`` brings what was changed to the shared file system
and clears up; both are ``actors/programs/node_changes.sh``.
"""

import os
import shlex
from collections.abc import Iterable
from typing import Any

from actors.oci.id_maps import IdMap
from actors.oci.overlay import Top
from actors.programs import program
from actors.staging.bundle import make_directory, write_file
from actors.staging.commands import Commands
from actors.staging.loglevel import Level, Log

from .mount_points import imitate

PROLOG, COLLECT = "prolog", "collect"
CHANGES, FAILURE = "changes.tar", "failure"
_MODE = 0o700


class NodePrograms:
    """The directory of the programs in a bundle.

    Args:
        directory: where it is.

    """

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def install(self, place: str, ids: str, *, keep: bool, task_prolog: str) -> None:
        """Make the directory.

        Args:
            place: absolute path on the node of the directory for the changes.
            ids: three lines, see ``ids_text``.
            keep: whether changes are wanted.
            task_prolog: path of the user's own ``--task-prolog``, which ours calls; or empty.

        """
        make_directory(self.directory, _MODE)
        write_file(self._path(PROLOG), b"#!/bin/sh\n" + program("node_changes.sh"), _MODE)
        os.symlink(PROLOG, self._path(COLLECT))
        write_file(self._path("place"), os.fsencode(f"{place}\n"), 0o600)
        write_file(self._path("ids"), ids.encode(), 0o600)
        if keep:
            write_file(self._path("keep"), b"", 0o600)
        if task_prolog:
            os.symlink(task_prolog, self._path("task-prolog"))

    def outline(self, root: str, tops: Iterable[Top], *, owners: bool) -> None:
        """Make what the prolog copies to the node: an upper and a work directory for each top directory.

        The upper one has the owner and mode of the image's, since an overlay shows those.
        """
        skeleton = self._path("skeleton")
        for path in (skeleton, f"{skeleton}/u", f"{skeleton}/w"):
            make_directory(path, _MODE)
        for top in tops:
            upper = f"{skeleton}/u/{top.name}"
            make_directory(f"{skeleton}/w/{top.name}", _MODE)
            make_directory(upper, _MODE)
            imitate(f"{root}/{top.name}", upper, owners=owners)
            status = os.lstat(upper)
            if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                write_file(self._path("owners"), b"", 0o600)

    def collect(self, run: Commands, log: Log) -> str:
        """See to it that nothing is left on the node.

        Returns:
            The path of the archive with the changes, or empty if there is none.

        """
        if self._has("begun") and not self._has("cleared"):
            command = b"exec /bin/sh " + os.fsencode(shlex.quote(self._path(COLLECT)))
            result = run.remote(command)
            if result.status:
                log(Level.INFO, f"the node could not be cleared up: {result.text}")
        archive = self._path(CHANGES)
        return archive if os.path.exists(archive) else ""

    @property
    def lost(self) -> bool:
        """Whether the node has been at work and has not said that it is done."""
        return self._has("begun") and not self._has("cleared")

    @property
    def place(self) -> str:
        """The directory on the node."""
        with open(self._path("place"), encoding="utf-8", errors="surrogateescape") as file:
            return file.readline().rstrip("\n")

    @property
    def failure(self) -> str:
        """Why the container could not be started, as a sentence, if it is for the prolog."""
        try:
            with open(self._path(FAILURE), encoding="utf-8", errors="backslashreplace") as file:
                why = file.readline(1000).strip()
        except OSError:
            return ""
        return (
            f"the node could not make {self.place} for what the container changes: {why}; set changes of [staging] in "
            "scrun.toml to another directory of the nodes"
        )

    def _has(self, name: str) -> bool:
        return os.path.exists(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self.directory}/{name}"


def after_container(directory: str) -> dict[str, Any]:
    """The hook of config.json by which the runtime has the node cleared up, while the step still lasts."""
    return {"path": "/bin/sh", "args": ["sh", f"{directory}/{COLLECT}"]}


def ids_text(uid_map: IdMap, gid_map: IdMap) -> str:
    """How the programs become root of the container's ids.

    Args:
        uid_map: of the engine's namespace if the container has several ids, of the container if it has one; nothing
            for a job of root.
        gid_map: the same.

    """
    if not uid_map:
        return "root\n\n\n"
    if sum(entry.size for entry in uid_map) == 1:
        return "own\n\n\n"
    lines = (" ".join(f"{entry.container} {entry.host} {entry.size}" for entry in each) for each in (uid_map, gid_map))
    return "mapped\n" + "".join(f"{line}\n" for line in lines)
