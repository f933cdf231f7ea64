"""What runs on the node when a container begins and when it has ended: ``actors/programs/node_overlay.sh``.

``enter``, a hook, makes the root file system of the image's trees, with the container's changes on the node. Where the
runtime mounts it, ``lay``, a part of srun's prolog, makes the directories for these instead. ``collect`` brings them to
the shared file system and clears up.
"""

import os
import shlex
from collections.abc import Iterable

from actors.oci.id_maps import IdMap
from actors.staging.commands import Commands
from actors.staging.files import make_directory, write_file
from actors.staging.loglevel import Level, Log
from actors.staging.node_streams import LAY, write_program

from .mount_points import imitate

ENTER, SHOW, COLLECT = "enter", "show", "collect"
SHOWN = "shown.tar"
BEGUN, CLEARED, CHANGES, FAILURE = "begun", "cleared", "changes.tar", "failure"
_MODE = 0o700


class NodePrograms:
    """The directory of the programs in a bundle.

    Args:
        directory: where it is.

    """

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def install(self, place: str, ids: str, *, keep: bool) -> None:
        """Put there what all ways have.

        Args:
            place: path on the node of the directory for the changes, which does not exist yet; empty for a root file
                system that is only read: a container of whatever rights has nothing then that it could mount writable
                again.
            ids: see ``ids_text``.
            keep: whether changes are wanted.

        """
        write_program(self.directory, COLLECT, "node_overlay.sh")
        os.symlink(COLLECT, self._path(SHOW))
        self._note(place=place, ids=ids)
        if keep:
            write_file(self._path("keep"), b"", 0o600)

    def for_hook(self, root: str, lower: str, mode: str, *, volatile: bool) -> None:
        """Let a hook make one overlay.

        Args:
            root: path of the root directory that the runtime knows.
            lower: see ``actors.oci.overlay.lower_option``.
            mode: octal of the container's ``/``, and its owner, ``UID:GID`` in the container.
            volatile: whether nothing of it need be on a disk.

        """
        make_directory(self._path("point"), _MODE)
        os.symlink(COLLECT, self._path(ENTER))
        self._note(root=root, lower=lower, mode=mode)
        if volatile:
            write_file(self._path("volatile"), b"", 0o600)

    def for_prolog(self, root: str, tops: Iterable[str], *, owners: bool) -> None:
        """Let srun make what the runtime then mounts: an upper and a work directory for each top directory.

        Args:
            root: the root file system on this host: an overlay shows the owner and mode of its upper directory.
            tops: names of the top directories.
            owners: whether files have their owners.

        """
        os.symlink(COLLECT, self._path(LAY))
        skeleton = self._path("skeleton")
        for path in (skeleton, f"{skeleton}/u", f"{skeleton}/w"):
            make_directory(path, _MODE)
        for name in tops:
            upper = f"{skeleton}/u/{name}"
            make_directory(f"{skeleton}/w/{name}", _MODE)
            make_directory(upper, _MODE)
            imitate(f"{root}/{name}", upper, owners=owners)
            status = os.lstat(upper)
            if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                write_file(self._path("owners"), b"", 0o600)

    def _note(self, **lines: str) -> None:
        for name, text in lines.items():
            write_file(self._path(name), os.fsencode(f"{text}\n"), 0o600)

    def collect(self, run: Commands, log: Log) -> str:
        """See to it that nothing is left on the node.

        Returns:
            The path of the archive with the changes, or empty if there is none.

        """
        if self.lost:
            command = b"exec /bin/sh " + os.fsencode(shlex.quote(self._path(COLLECT)))
            result = run.remote(command)
            if result.status:
                log(Level.INFO, f"the node could not be cleared up: {result.text}")
        archive = self._path(CHANGES)
        return archive if os.path.exists(archive) else ""

    def show(self, run: Commands) -> tuple[str, str]:
        """Have the changes of a container written down that goes on.

        Returns:
            The path of the archive, or empty and why there is none.

        """
        result = run.remote(b"exec /bin/sh " + os.fsencode(shlex.quote(self._path(SHOW))))
        archive = self._path(SHOWN)
        return ("", result.text.strip()) if result.status else (archive, "")

    @property
    def lost(self) -> bool:
        """Whether the node has begun and has not said that nothing is left there."""
        return bool(self.place) and self._has(BEGUN) and not self._has(CLEARED)

    @property
    def place(self) -> str:
        """The directory on the node; empty if there is none."""
        try:
            with open(self._path("place"), encoding="utf-8", errors="surrogateescape") as file:
                return file.readline().rstrip("\n")
        except FileNotFoundError:
            return ""

    @property
    def failure(self) -> str:
        """Why the container's program did not begin, as a sentence, if it is for one of these programs."""
        try:
            with open(self._path(FAILURE), encoding="utf-8", errors="backslashreplace") as file:
                why = file.readline(1000).strip()
        except FileNotFoundError:
            return ""
        return self._sentence(why)

    @property
    def killed(self) -> str:
        """Why there is no root file system, as a sentence, if nothing else is known."""
        return self._sentence("its program there was killed")

    def _sentence(self, why: str) -> str:
        return (
            f"the node could not make the container's root file system: {why}; in [staging] of scrun.toml, changes may "
            'name another directory of the nodes, and mode = "copy" is another way'
        )

    def _has(self, name: str) -> bool:
        return os.path.exists(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self.directory}/{name}"


def ids_text(uid_map: IdMap, gid_map: IdMap) -> str:
    """How ``collect`` becomes root of the container's ids.

    Args:
        uid_map: of the engine's namespace if the container has several ids, of the container if it has one; nothing
            for a job of root.
        gid_map: the same.

    """
    if not uid_map:
        return "root"
    if sum(entry.size for entry in uid_map) == 1:
        return "own"
    lines = (" ".join(f"{entry.container} {entry.host} {entry.size}" for entry in each) for each in (uid_map, gid_map))
    return "\n".join(("mapped", *lines))
