"""How Slurm's commands are called for one container: by which path, in whose environment, before what.

On the way of ``exec``.
"""

import os

from actors.process.command import Command

from . import oci_conf, user_namespace
from .commands import environment, look_up, require, search_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .option_table import Version

NAMESPACE_FIT: "Version" = (23, 2)
"""From here on the clients leave the uid to the credential (RELEASE_NOTES), so no nested namespace is needed."""


class Client:
    """Makes commands; nothing is looked up before one needs it.

    Attributes:
        version: of Slurm; (0, 0) if it is not known.
        slurm_conf: path of slurm.conf, or empty for Slurm's own default.
        clusters: the job option, or empty.

    """

    def __init__(
        self,
        environ: tuple[bytes, ...],
        version: "Version",
        *,
        slurm_conf: str,
        clusters: str,
        namespaced: bool,
        uid: int,
        gid: int,
    ) -> None:
        """Keep what the creation knows.

        Args:
            environ: of ``create``, ``K=V``.
            version: see above.
            slurm_conf: see above.
            clusters: see above.
            namespaced: see ``user_namespace``.
            uid: of the user, outside every namespace.
            gid: the same of the group.

        """
        self.version = version
        self.slurm_conf = slurm_conf
        self.clusters = clusters
        self._environ = environ
        self._namespaced, self._uid, self._gid = namespaced, uid, gid
        self._path = search_path(environ)

    def require(self, program: str) -> bytes:
        """Path of one of Slurm's commands.

        Raises:
            SchedulerError: there is none.

        """
        return require(program, self._path)

    def prefix(self) -> tuple[bytes, ...]:
        """What stands before a command whose request carries the caller's uid.

        Raises:
            SchedulerError: unshare(1) is needed, and is not there.

        """
        needed = self._namespaced and self.version < NAMESPACE_FIT
        unshare = look_up("unshare", self._path) if needed else None
        return user_namespace.prefix(needed, self._uid, self._gid, unshare)

    def srun(self) -> tuple[bytes, ...]:
        """Srun, as oci.conf has it."""
        conf = self.oci_conf()
        srun = os.fsencode(conf.srun_path) if conf.srun_path.startswith("/") else self.require("srun")
        return (*self.prefix(), srun, *encode(conf.srun_args))

    def oci_conf(self) -> oci_conf.OciConf:
        """What oci.conf says."""
        return oci_conf.load(self.slurm_conf)

    def simple(self, program: str, *words: bytes, before: tuple[bytes, ...] = ()) -> Command:
        """A command that asks no node for anything, of the job's cluster."""
        clusters = encode([f"--clusters={self.clusters}"]) if self.clusters else ()
        return self.command((*before, self.require(program), *clusters, *words))

    def command(self, argv: tuple[bytes, ...], extra: "Sequence[bytes]" = ()) -> Command:
        """A command line, with these variables besides."""
        entries = list(self._environ)
        if self.slurm_conf:
            entries = [entry for entry in entries if not entry.startswith(b"SLURM_CONF=")]
            entries.append(b"SLURM_CONF=" + os.fsencode(self.slurm_conf))
        return Command(argv, environment(entries, extra))


def encode(words: "Iterable[str]") -> tuple[bytes, ...]:
    """Words of a command line; empty ones are left out."""
    return tuple(os.fsencode(word) for word in words if word)
