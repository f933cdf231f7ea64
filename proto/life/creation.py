"""What ``scrun create`` found out, handed to the anchor and kept as the first record of the journal."""

from proto.exit_codes import WINCH
from proto.value import Value

from .settings import Settings

STOP_SIGNAL = "org.opencontainers.image.stopSignal"
"""Annotation of podman's: the number of the signal by which it stops the container."""


class Caller(Value):
    """The user outside every user namespace.

    Attributes:
        uid, gid: ids.
        user, group, home: their names and home directory.
        namespaced: whether ``create`` ran inside a user namespace that hides the real uid (rootless podman).

    """

    uid: int
    gid: int
    user: str
    group: str
    home: str
    namespaced: bool


class Log(Value):
    """Where it is written down what happens, and how much: levels are ``quiet`` to ``debug5``.

    Attributes:
        path, format: ``--log`` (a path is absolute, or ``syslog:NAME``, ``journald:NAME``) and ``--log-format``.
        own: level of the container's own log.
        file, syslog: of what the container's processes write to ``path`` and to syslog.

    """

    path: str
    format: str
    own: str
    file: str = "quiet"
    syslog: str = "quiet"


class Creation(Value):
    """Everything that the later verbs cannot find out again.

    podman gives ``start``, ``kill`` and ``delete`` neither ``PATH`` nor ``SLURM_CONF``, so what ``create`` knew
    is all there will ever be.

    Attributes:
        id: container id.
        root: state directory.
        bundle: absolute path of the bundle.
        rootfs: absolute path of the container's root file system, as config.json names it.
        oci_version: ``ociVersion`` of config.json.
        terminal: ``process.terminal``.
        readonly: ``root.readonly``.
        args: ``process.args``; bytes, since arguments need not be UTF-8.
        program: path in the container that ``args[0]`` resolves to, or empty if that could not be found out.
        annotations: ``annotations`` of config.json.
        created: wall-clock seconds since the epoch.
        cookie: word by which the job can be found again in Slurm (its comment begins with ``scrun:COOKIE``).
        caller: whose container it is.
        environ: environment for Slurm's commands, ``K=V``.
        cwd: working directory of ``create``.
        pid_file, console_socket: paths given to ``create``, or empty.
        log: what is written where.
        job_id: existing allocation to use (``SLURM_JOB_ID``), or 0.
        settings: the site's and the user's, decided: ``slurm_conf`` is the one
            in force, or empty, ``lua`` the script to run, or empty for the built-in stager, ``job`` the resolved
            options of job and step.
        host: name of the machine; empty in the journals of earlier versions.
        entry_directory: directory in the container where the entry file is.
        null_input: standard input is /dev/null, and is that in the container, too (slurmstepd would make it a pipe).
        name, image: what the engine calls the container and its image, or empty.
        slurm: version of Slurm's commands on this host; (0, 0) if it is not known.

    """

    id: str
    root: str
    bundle: str
    rootfs: str
    oci_version: str
    terminal: bool
    readonly: bool
    args: tuple[bytes, ...]
    program: bytes
    annotations: dict[str, str]
    created: float
    cookie: str
    caller: Caller
    environ: tuple[bytes, ...]
    cwd: str
    pid_file: str
    console_socket: str
    log: Log
    job_id: int
    settings: Settings
    host: str = ""
    entry_directory: str = "/dev"
    null_input: bool = False
    name: str = ""
    image: str = ""
    slurm: tuple[int, int] = (0, 0)

    @property
    def window(self) -> bool:
        """Whether WINCH says no more than that its terminal has another size, which the terminal itself tells.

        Engines send one for each size; but one by which podman stops the container is for the program.
        """
        return self.terminal and self.annotations.get(STOP_SIGNAL) != str(WINCH)

    @property
    def is_roots(self) -> bool:
        """Whether its job is root's, who needs no map of ids and has what config.json asks for."""
        caller = self.caller
        return caller.uid == 0 and not caller.namespaced and self.settings.scrun.id_mapping != "single"
