"""Every error that scrun shows to somebody, as one tree.

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
    ├── UnsupportedError        a proxy for a remote container cannot do this
    ├── DeadlineError           no answer in time (trying again can help)
    ├── ProtocolError           a frame or a record that cannot be read
    └── InternalError           a fault of scrun's own

Each carries one sentence for the user, an exit code and whether trying again can help. The module is on the
path of the hot verbs: it imports nothing.
"""


class ScrunError(Exception):
    """Root of the tree.

    Attributes:
        code: the word by which the error travels in messages and on the tap.
        exit_code: exit status of the command that fails with it.
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


class UnsupportedError(ScrunError):
    """A proxy for a container on another machine cannot do this."""

    code = "unsupported"


class DeadlineError(ScrunError):
    """There was no answer in time."""

    code = "deadline"
    transient = True


class ProtocolError(ScrunError):
    """A frame or a record that cannot be read."""

    code = "protocol"


class InternalError(ScrunError):
    """A fault of scrun's own."""

    code = "internal"
    exit_code = 70


def _leaves(cls: type[ScrunError]) -> list[type[ScrunError]]:
    found = [cls]
    for sub in cls.__subclasses__():
        found += _leaves(sub)
    return found


BY_CODE: dict[str, type[ScrunError]] = {cls.code: cls for cls in _leaves(ScrunError)}


def from_wire(code: str, sentence: str) -> ScrunError:
    """Turn the two words of an error reply back into the error (an unknown code gives the root)."""
    return BY_CODE.get(code, ScrunError)(sentence)
