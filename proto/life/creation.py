"""What ``scrun create`` found out, handed to the anchor and kept as the first record of the journal."""

from proto.value import Value

from .settings import Settings


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
        uid, gid: the user's ids outside every user namespace.
        user, group, home: their names and home directory.
        namespaced: whether ``create`` ran inside a user namespace that hides the real uid (rootless podman).
        environ: environment for Slurm's commands, ``K=V``.
        cwd: working directory of ``create``.
        pid_file, console_socket: paths given to ``create``, or empty.
        log, log_format: ``--log`` (a path is absolute) and ``--log-format``.
        log_level: level of the container's own log, ``error`` to ``debug5``.
        slurm_conf: slurm.conf in force, or empty.
        scheduler: ``slurm``, ``pyslurm`` or ``local``, after ``auto`` was decided.
        job_id: existing allocation to use (``SLURM_JOB_ID``), or 0.
        job_options: resolved job options, option name to value, for the job and for the step.
        lua: scrun.lua to run, or empty for the built-in stager.
        settings: the site's and the user's settings.
        file_level, syslog_level: what the container's processes write to ``log`` and to syslog; ``quiet``: nothing.
        host: name of the machine; empty in the journals of earlier versions.

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
    uid: int
    gid: int
    user: str
    group: str
    home: str
    namespaced: bool
    environ: tuple[bytes, ...]
    cwd: str
    pid_file: str
    console_socket: str
    log: str
    log_format: str
    log_level: str
    slurm_conf: str
    scheduler: str
    job_id: int
    job_options: dict[str, str]
    lua: str
    settings: Settings
    file_level: str = "quiet"
    syslog_level: str = "quiet"
    host: str = ""
