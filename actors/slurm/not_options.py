"""Names that look like a job option and are none: what to say of them. Imported when there is something to say."""

import difflib

from .option_table import ALIASES, BY_NAME, EXTRA_VARIABLES, TABLE

STREAMS = "the container's streams are the engine's"
COMMANDS_OWN = "it is about what salloc and srun print"
IMAGE = "the program comes with the image"
SCRUN_LAUNCHES = "scrun launches the step itself, and waits for it"
BUNDLE = "scrun says itself which container is meant"
ENVIRONMENT = "the program has the variables of the image and of the engine"
SIGNALS = "nobody but scrun signals srun; --stop-signal is for the program"

REASONS: dict[str, str] = {
    "async": SCRUN_LAUNCHES,
    "bcast": IMAGE,
    "bcast-exclude": IMAGE,
    "bell": COMMANDS_OWN,
    "compress": IMAGE,
    "container": BUNDLE,
    "container-id": BUNDLE,
    "container-type": BUNDLE,
    "disable-status": SIGNALS,
    "error": STREAMS,
    "export": ENVIRONMENT,
    "external-launcher": "srun gives it to the launchers of MPI by itself",
    "get-user-env": ENVIRONMENT,
    "gid": "a job is its caller's",
    "help": COMMANDS_OWN,
    "ignore-signals": SIGNALS,
    "kill-command": "salloc has no command of the user's here",
    "multi-prog": "each task runs the program of the container",
    "no-allocate": "it is for administrators without a controller",
    "no-bell": COMMANDS_OWN,
    "no-shell": "salloc has no command of the user's here",
    "output": STREAMS,
    "parsable": COMMANDS_OWN,
    "preserve-env": ENVIRONMENT,
    "pty": "a terminal is the engine's to ask for: podman run -t",
    "quiet": COMMANDS_OWN,
    "quit-on-interrupt": SIGNALS,
    "send-libs": IMAGE,
    "test-only": "no job would come of it",
    "uid": "a job is its caller's",
    "usage": COMMANDS_OWN,
    "verbose": COMMANDS_OWN,
    "version": COMMANDS_OWN,
    "x11": "there is no display here that Slurm could forward",
}
"""Options of salloc and srun that a container's job cannot have, and why."""

OTHER_VARIABLES = frozenset(
    {"SCRUN_DEBUG", "SCRUN_STDERR_DEBUG", "SCRUN_SYSLOG_DEBUG", "SCRUN_FILE_DEBUG", "SCRUN_SCHEDULER"}
)
"""Variables that scrun reads and that are no job options."""
TOLD = (
    "SCRUN_ANNOTATION_", "SCRUN_BUNDLE", "SCRUN_CONTAINER_ID", "SCRUN_EXEC_", "SCRUN_GROUP", "SCRUN_LOG_", "SCRUN_OCI_",
    "SCRUN_PID", "SCRUN_ROOT", "SCRUN_SOCKET", "SCRUN_SPOOL_DIR", "SCRUN_SUBMISSION_", "SCRUN_USER",
)  # fmt: skip
"""How those begin that scrun tells others (scrun(1), OUTPUT ENVIRONMENT VARIABLES): a process that has them may have
passed them on (``--env-host``)."""


def about(name: str, prefix: str) -> str:
    """What follows "is not a job option": why not, or what was meant."""
    if name in REASONS:
        return f": {REASONS[name]}"
    near = difflib.get_close_matches(name, [*BY_NAME, *ALIASES], 1, 0.5)
    return f"; did you mean {prefix}{near[0]}?" if near else ""


def about_variable(name: str) -> str | None:
    """The same for a variable that no option has; ``None`` if it is one of scrun's other variables."""
    if name in OTHER_VARIABLES or name.startswith(TOLD):
        return None
    plain = name.removeprefix("SCRUN_").lower().replace("_", "-")
    if plain in REASONS:
        return f": {REASONS[plain]}"
    known = [*(variable for option in TABLE for variable in option.variables), *EXTRA_VARIABLES, *OTHER_VARIABLES]
    near = difflib.get_close_matches(name, known, 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""
