"""What a site and a user may set: the contents of ``scrun.toml``, with their defaults."""

from typing import Literal

from proto.value import Value

SchedulerName = Literal["slurm", "pyslurm", "local"]
StagingMode = Literal["auto", "overlay", "overlays", "copy", "shared"]
RootSquash = Literal["auto", "yes", "no"]
IdMapping = Literal["auto", "full", "single"]
HookRule = Literal["run", "skip", "refuse"]
BindRule = Literal["keep", "copy", "discard", "drop"]

HOOK_RULES: tuple[tuple[str, HookRule], ...] = (
    # dockerd's own: it would put the network namespace of the anchor into docker's network.
    ("libnetwork-setkey", "skip"),
    # These put devices and libraries of this host into the container's mount namespace.
    ("nvidia-container-runtime-hook", "skip"),
    ("nvidia-container-toolkit", "skip"),
)
"""Hooks that look for the container's namespaces behind the pid that they are told. The container is on another
machine, so they could only fail or change this host."""


class Scrun(Value):
    """``[scrun]``.

    Attributes:
        scheduler: who runs the container; ``pyslurm`` takes the place of Slurm's commands where it has a call.
        create_wait: seconds that ``create`` waits for a queued job and for staging before it returns.
        start_wait: seconds that ``start`` waits for a queued job and for staging before it returns; 0 for ever.
        start_limit: seconds for which a created container keeps its job, or its place in the queue, although the
            engine does not start it; 0 for ever.
        kill_wait: seconds after ``kill KILL`` until the container counts as dead whatever Slurm says.
        slurm_conf: path of slurm.conf, or empty for Slurm's own default.
        lua: path of scrun.lua; empty for the one beside slurm.conf; ``none`` for the built-in stager.
        id_mapping: ``full`` maps the user's subordinate ids, ``single`` one id, ``auto`` decides by the caller's
            own mapping, and by whether the staging directory keeps owners.
        entry: whether the program is entered through scrun's own entry file, which refuses to run on a node
            that would run the command outside any container.
        runtime: OCI runtime of the ``local`` scheduler; empty for oci.conf's, else crun or runc.

    """

    scheduler: SchedulerName = "slurm"
    create_wait: float = 20.0
    start_wait: float = 0.0
    start_limit: float = 3600.0
    kill_wait: float = 3.0
    slurm_conf: str = ""
    lua: str = ""
    id_mapping: IdMapping = "auto"
    entry: bool = True
    runtime: str = ""


class Staging(Value):
    """``[staging]``.

    Attributes:
        mode: ``shared`` uses the rootfs where it is, ``overlay`` mounts the image's shared trees, with the changes on
            the node, where the node can do that, ``overlays`` one for each top directory, ``copy`` copies it; ``auto``
            is ``shared`` on a network file system, else ``overlay``.
        directory: where this user's copies go; the nodes must see it under the same path. Empty: ``~/.scrun``.
        changes: directory on the nodes for what containers change in their root file systems.
        root_squash: whether root of a node must be taken for nobody in the staging directory, as on an NFS export with
            root_squash; ``auto``: wherever that is a network file system.
        time_limit: seconds that a stage-in or stage-out may take; 0 for no limit.
        sync_back: whether changes in a copied rootfs are copied back at stage-out (never with ``--rm``).
        images: directories with the trees of images that all users share, filled by an administrator.
        cache_size: GiB of a user's own trees of images that are kept although no container uses them.
        cache_age: days for which such a tree is kept.
        volume_limit: MiB that a file or directory may have which only this host has and which is copied to the nodes
            and back; 0 for no limit.
        binds: pairs of path prefix and ``keep``, ``copy``, ``discard`` or ``drop``, for bind mounts of config.json.

    """

    mode: StagingMode = "auto"
    directory: str = ""
    changes: str = "/tmp"  # noqa: S108 - of the node, in a directory of the container's own
    root_squash: RootSquash = "auto"
    time_limit: float = 0.0
    sync_back: bool = True
    images: tuple[str, ...] = ()
    cache_size: int = 40
    cache_age: int = 14
    volume_limit: int = 1024
    binds: tuple[tuple[str, str], ...] = ()


class JobRule(Value):
    """What a site lets a job option be: a line of ``[forced]`` or ``[limits]``.

    Attributes:
        option: its name, as the file has it.
        values: the value that is forced, the most that is allowed, or all that are allowed.
        choice: they are all that are allowed.
        partition: for jobs of this one only; empty for all.
        file: that says so.

    """

    option: str
    values: tuple[str, ...]
    choice: bool = False
    partition: str = ""
    file: str = "scrun.toml"


class Settings(Value):
    """A field for each section, and in it one for each key: a path in ``scrun.toml`` is a path of fields here.

    ``docs/install.md`` describes them for administrators.

    Attributes:
        scrun, staging: see there.
        hooks: pairs of pattern and ``run``, ``skip`` or ``refuse``, for the hooks of config.json that run on this
            host (prestart, createRuntime, poststart, poststop). The pattern is a shell's; it is held against the
            path, the file name and each argument of the hook. The first that fits counts, else the hook runs.
            ``refuse`` fails ``create``. What a file says goes before ``HOOK_RULES``.
        job: defaults of job options, by option name.
        forced: values of job options that nobody can change.
        limits: what job options may be. Of both, what the site says is first, and a user's file can only add to it.

    """

    scrun: Scrun = Scrun()
    staging: Staging = Staging()
    hooks: tuple[tuple[str, str], ...] = HOOK_RULES
    job: dict[str, str] = {}
    forced: tuple[JobRule, ...] = ()
    limits: tuple[JobRule, ...] = ()
