"""Every error that scrun shows to a user or an engine, as one tree.

::

    ScrunError
    ├── UsageError              the command line cannot be understood
    ├── NotFoundError           no container of that id
    ├── AlreadyExistsError      the id is in use
    ├── WrongStateError         the container is not in a state that allows this
    ├── BundleError             the bundle or its config.json cannot be used
    │   ├── ProgramNotFoundError
    │   └── ProgramNotExecutableError
    ├── SettingsError           scrun.toml, an option or an annotation is wrong
    ├── SchedulerError          Slurm said no
    │   └── SchedulerUnavailableError   Slurm said nothing (trying again can help)
    ├── StagingError            scrun.lua or the built-in stager failed
    ├── LaunchError             the step did not start
    ├── HookError               a hook of config.json failed
    ├── UnsupportedError        a container on another machine cannot have or do this
    ├── DeadlineError           no answer in time (trying again can help)
    ├── StorageError            the state directory, or standard output, cannot be written (trying again can help)
    ├── ExhaustedError          this host has no room for another process or file (trying again can help)
    ├── ProtocolError           a frame or a record that cannot be read
    └── InternalError           a fault of scrun's own

Each carries one sentence for the user, an exit code and whether trying again can help. The module is on the
path of the hot verbs: it imports nothing.
"""


class ScrunError(Exception):
    """Root of the tree.

    Attributes:
        code: the word by which the error travels in messages and on the tap.
        exit_code: exit status of the command that fails with it; runc and crun know no other one than 1.
        transient: whether the same request may succeed later without any change.

    """

    code = "error"
    exit_code = 1
    transient = False

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class UsageError(ScrunError):
    """The command line cannot be understood."""

    code = "usage"


class NotFoundError(ScrunError):
    """There is no container of that id."""

    code = "not-found"


class AlreadyExistsError(ScrunError):
    """The id is in use."""

    code = "already-exists"


class WrongStateError(ScrunError):
    """The container is not in a state that allows the request."""

    code = "wrong-state"


class BundleError(ScrunError):
    """The bundle or its config.json cannot be used."""

    code = "bundle"


class ProgramNotFoundError(BundleError):
    """The program is not in the image; engines turn the wording into exit status 127."""

    code = "program-not-found"


class ProgramNotExecutableError(BundleError):
    """The program may not be executed; engines turn the wording into exit status 126."""

    code = "program-not-executable"


class SettingsError(ScrunError):
    """A setting of the site, an option or an annotation is wrong."""

    code = "settings"


class SchedulerError(ScrunError):
    """Slurm refused the request or ended the job."""

    code = "scheduler"


class SchedulerUnavailableError(SchedulerError):
    """Slurm did not answer: controller, munge or network."""

    code = "scheduler-unavailable"
    transient = True


class StagingError(ScrunError):
    """The container could not be brought to the node, or back."""

    code = "staging"


class LaunchError(ScrunError):
    """The step did not start."""

    code = "launch"


class HookError(ScrunError):
    """A hook of config.json failed."""

    code = "hook"


class UnsupportedError(ScrunError):
    """A container on another machine cannot have this, or a proxy for it cannot do it."""

    code = "unsupported"


class DeadlineError(ScrunError):
    """There was no answer in time."""

    code = "deadline"
    transient = True


class StorageError(ScrunError):
    """The state directory, or standard output, cannot be written: it is full, or closed."""

    code = "storage"
    transient = True


class ExhaustedError(ScrunError):
    """There is no room on this host for another process or open file."""

    code = "exhausted"
    transient = True


class ProtocolError(ScrunError):
    """A frame or a record that cannot be read."""

    code = "protocol"


class AnchorGoneError(ScrunError):
    """The anchor has ended without an answer, and the container with it."""

    code = "anchor-gone"


class InternalError(ScrunError):
    """A fault of scrun's own."""

    code = "internal"


def _leaves(cls: type[ScrunError]) -> list[type[ScrunError]]:
    found = [cls]
    for sub in cls.__subclasses__():
        found += _leaves(sub)
    return found


BY_CODE: dict[str, type[ScrunError]] = {cls.code: cls for cls in _leaves(ScrunError)}


_REASONS = {
    1: "the system does not allow it",  # EPERM
    2: "it is not there",  # ENOENT
    8: "it is no program",  # ENOEXEC
    9: "it is not open for that",  # EBADF
    11: "there was no answer in time",  # EAGAIN
    13: "you may not",  # EACCES
    17: "it is there already",  # EEXIST
    20: "a part of the path is a file",  # ENOTDIR
    21: "it is a folder",  # EISDIR
    23: "too many files are open",  # ENFILE
    24: "too many files are open",  # EMFILE
    28: "the file system is full",  # ENOSPC
    30: "the file system is read-only",  # EROFS
    36: "the name is too long",  # ENAMETOOLONG
    40: "its links make a loop",  # ELOOP
    88: "it is no socket",  # ENOTSOCK
    91: "it is a socket of another kind",  # EPROTOTYPE
    111: "nobody listens there",  # ECONNREFUSED
    122: "your quota is used up",  # EDQUOT
}


def reason(error: OSError) -> str:
    """Why a call failed, in words of our own.

    podman and docker search error texts for "permission denied" and "no such file or directory" and take them for a
    fault of the user's program (exit status 126 or 127).
    """
    number = error.errno or 0
    return _REASONS.get(number) or f"error {number} of the system"


_EXHAUSTED = {
    11: "this host allows the user no more processes",  # EAGAIN, of fork
    12: "this host has no memory for another process",  # ENOMEM
    23: "this host allows no more open files",  # ENFILE
    24: "a process may not have as many open files as it needs",  # EMFILE
}


def exhausted(error: BaseException) -> ExhaustedError | None:
    """What is to be said of an error by which a limit of this host shows."""
    words = _EXHAUSTED.get(error.errno or 0) if isinstance(error, OSError) else None
    return ExhaustedError(f"{words}; scrun doctor says how many there may be, and what raises that") if words else None


def unwritable(root: str, error: OSError) -> StorageError:
    """Why something could not be written below the state directory."""
    return StorageError(f"the state directory {root} cannot be written: {reason(error)}; mend that and try again")


def from_wire(code: str, sentence: str) -> ScrunError:
    """Turn the two words of an error reply back into the error (an unknown code gives the root)."""
    return BY_CODE.get(code, ScrunError)(sentence)
