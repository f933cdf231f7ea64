"""Where a container's files are: one directory for each container below the root.

``ROOT/ID/`` is mode 0700 and holds

===================  ====================================================================================
``state.json``       what ``scrun state`` prints; written by rename, derived from the journal
``state.json.next``  empty, with room for the next one; the one before, if no fresh file could be made
``state.json.last``  empty, with room for the one that tells the end
``journal``          the container's events, the one truth (``proto.life.journal``)
``lock``             ``flock``ed by every process of the container: free means that none is left
``config.json``      the bundle's config.json as it was at ``create``
``hooks``            the hooks of ``start`` and ``delete`` (``scrun.hooks.moments``); only if there are any
``sources``          what of this host it has copies of (``scrun.create.neighbours``); only if there is any
``hub``, ``tap``     the two listening sockets
``job.log``          what salloc said
``job.env``          the job's environment, for scrun.lua
``step.log``         what srun itself said (the container's own stderr never goes there)
``log``              scrun's own log of this container
``spool/``           scratch directory of scrun.lua
``found``            empty: a ``create`` has found it dead (``scrun.create.remains``)
``unstaged``         why staging out failed: ``delete`` tries again; only if it did
===================  ====================================================================================

Beside the containers is how others ended (``proto.life.ends``).

The root must follow from uid and environment alone, because podman tells ``start``, ``kill`` and ``delete``
nothing but ``XDG_RUNTIME_DIR`` (man page, ``--root``). On the path of the hot verbs: imports ``os`` only.
"""

import os

from proto.errors import SettingsError, UsageError, reason

ID_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-")
ID_LIMIT = 255
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH where none is set, here and in containers."""
DIRECTORY_MODE = 0o700
SYSTEM = (range(1000), range(60000, 65000))
"""Ids of the system's accounts: below login.defs' UID_MIN, and those that Debian gives away (slurm is 64030)."""
NOBODY = 65534
"""The kernel's overflow id: of all who are not mapped into a user namespace."""


def check_id(container_id: str) -> str:
    """Return the id if it may name a directory.

    The alphabet is runc's (``libcontainer/factory_linux.go``): letters, digits and ``_+.-``.

    Raises:
        UsageError: empty, ``.``, ``..``, longer than 255 characters, or with a character outside the alphabet.

    """
    if not container_id or container_id in {".", ".."} or not ID_ALPHABET.issuperset(container_id):
        msg = f"invalid container id {container_id[:80]!r}: use letters, digits and _+.- only"
        raise UsageError(msg)
    if len(container_id) > ID_LIMIT:
        msg = f"invalid container id: {len(container_id)} characters, at most {ID_LIMIT} are allowed"
        raise UsageError(msg)
    return container_id


def real_uid() -> int:
    """The user's id outside every user namespace (inside podman's, ``getuid()`` is 0)."""
    return _outside(os.getuid(), "/proc/self/uid_map")


def real_gid() -> int:
    """The same for the group."""
    return _outside(os.getgid(), "/proc/self/gid_map")


def _outside(number: int, id_map: str) -> int:
    try:
        with open(id_map, "rb") as file:
            for line in file:
                inside, outside, count = (int(word) for word in line.split())
                if inside <= number < inside + count:
                    return outside + number - inside
    except OSError:
        pass
    return number


def default_root(environ: dict[str, str]) -> str:
    """The root directory when ``--root`` is not given.

    ``$XDG_RUNTIME_DIR/scrun``; for root ``/run/scrun``; else ``/run/user/UID/scrun`` or, where there is no
    such directory, ``/tmp/scrun-UID``. UID is the one outside every user namespace.
    """
    uid = real_uid()
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):
        return os.path.join(runtime, "scrun")
    if uid == 0:
        return "/run/scrun"
    if os.access(f"/run/user/{uid}", os.W_OK | os.X_OK):
        return f"/run/user/{uid}/scrun"
    return f"/tmp/scrun-{uid}"  # noqa: S108 - owner and mode are checked by make_root


def make_root(root: str) -> None:
    """Make the root directory, or check the one that is there.

    Raises:
        SettingsError: it belongs to another user, others may write into it or put another one in its place, or it
            cannot be made.

    """
    mask = os.umask(0o077)  # for the directories above it, too
    try:
        os.makedirs(root, DIRECTORY_MODE, exist_ok=True)
        status = os.lstat(root)
    except OSError as error:
        msg = f"cannot make the state directory {root}: {reason(error)}; choose another one with --root"
        raise SettingsError(msg) from None
    finally:
        os.umask(mask)
    if status.st_uid != os.getuid() or status.st_mode & 0o170000 != 0o040000:
        msg = f"the state directory {root} is not yours; choose another one with --root"
        raise SettingsError(msg)
    if status.st_mode & 0o022 and not status.st_mode & 0o1000:
        msg = f"others may write into the state directory {root}; take that right away, or choose another with --root"
        raise SettingsError(msg)
    for above in dict.fromkeys((*above_it(root), *above_it(os.path.realpath(root)))):
        if _strange(os.lstat(above)):
            msg = f"the state directory {root} is below {above}, which others control; choose another one with --root"
            raise SettingsError(msg)


def above_it(path: str) -> list[str]:
    """Every directory (or link) on the way to a path."""
    found = []
    while (parent := os.path.dirname(path)) != path:
        found.append(parent)
        path = parent
    return found


def _strange(status: os.stat_result) -> bool:
    """Whether another user may put something else in place of what is in a directory, or of what a link names.

    Accounts of the system may (a daemon's run directory is often its own), and whoever a user namespace has no name
    for: of those root is one. A group that may write is trusted: that is what project directories are for.
    """
    unmapped = status.st_uid == NOBODY and real_uid() != os.getuid()
    system = any(status.st_uid in ids for ids in SYSTEM)
    if not system and status.st_uid != os.getuid() and not unmapped:
        return True
    directory = status.st_mode & 0o170000 == 0o040000
    return directory and bool(status.st_mode & 0o002) and not status.st_mode & 0o1000


def fd_path(number: int) -> str:
    """The path of an open file by its descriptor here: it leads there even when the file's own path is gone."""
    return f"/proc/self/fd/{number}"


class ContainerPaths:
    """The paths of one container, as text."""

    __slots__ = (
        "config",
        "directory",
        "found",
        "hooks",
        "hub",
        "id",
        "job_env",
        "job_log",
        "journal",
        "lock",
        "log",
        "root",
        "sources",
        "spool",
        "state",
        "step_log",
        "tap",
        "unstaged",
    )  # fmt: skip

    def __init__(self, root: str, container_id: str) -> None:
        self.root = root
        self.id = check_id(container_id)
        self.directory = directory = f"{root}/{container_id}"
        self.state = f"{directory}/state.json"
        self.journal = f"{directory}/journal"
        self.lock = f"{directory}/lock"
        self.config = f"{directory}/config.json"
        self.hooks = f"{directory}/hooks"
        self.sources = f"{directory}/sources"
        self.hub = f"{directory}/hub"
        self.tap = f"{directory}/tap"
        self.job_log = f"{directory}/job.log"
        self.job_env = f"{directory}/job.env"
        self.step_log = f"{directory}/step.log"
        self.log = f"{directory}/log"
        self.spool = f"{directory}/spool"
        self.found = f"{directory}/found"
        self.unstaged = f"{directory}/unstaged"

    @property
    def mark(self) -> bytes:
        """The variable, ``K=V``, in the environment of every command, by which the guard finds those left over."""
        return f"SCRUN_SOCKET={self.hub}".encode()
