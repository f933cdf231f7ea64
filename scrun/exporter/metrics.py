"""The metrics of ``scrun exporter``, a row each. Pure.

No label says which container, job or user: the words of each label are known here, and so is how many series there
can be. Numbers of all users together can be shown to anybody.
"""

import typing

from actors.process import command
from proto.life.ending import EndKind
from proto.value import Value

Kind = typing.Literal["gauge", "counter", "histogram", "info"]

OTHER = "other"
"""For a word that this version does not know; the tap may get new ones."""
PHASES = ("none", "requested", "queued", "staging in", "created", "launching", "running", "paused", "ending")
"""Of ``scrun state``, but ``stopped``: such a container is over."""
ACTORS = ("state", "allocation", "staging", "stdio", "signals")
UNKNOWN = "unknown"
"""The kind of an end that was not heard: the guard has seen to it, or the exporter has a gap."""
BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400)
"""Seconds."""


class Metric(Value):
    """A row of the table.

    Attributes:
        name: as Prometheus shows it.
        kind: its type there.
        help: what it is, for people.
        source: topics of the tap that it comes from; empty: the exporter knows it by itself.
        label: name of its label, or empty.
        words: what the label may say, besides ``other``.

    """

    name: str
    kind: Kind
    help: str
    source: str = ""
    label: str = ""
    words: tuple[str, ...] = ()


METRICS = (
    Metric("scrun_containers", "gauge", "Containers that have not ended", "hello, state", "phase", PHASES),
    Metric("scrun_containers_seen_total", "counter", "Containers that the exporter has heard of", "hello"),
    Metric(
        "scrun_container_ends_total", "counter", "Containers that have ended, by what ended them", "state", "kind",
        (*typing.get_args(EndKind), UNKNOWN),
    ),
    Metric("scrun_queue_seconds", "histogram", "From create until the job has its nodes", "hello, fact job-granted"),
    Metric("scrun_staging_seconds", "histogram", "From then until the image is there", "fact job-granted, staged-in"),
    Metric(
        "scrun_launch_seconds", "histogram", "From the request of a step until its tasks run",
        "fact launch-requested, step-started",
    ),
    Metric(
        "scrun_stagings_total", "counter", "Stagings of an image that are over", "fact staged-in, staging-failed",
        "result", ("ready", "failed"),
    ),
    Metric(
        "scrun_staging_copied_bytes_total", "counter", "Bytes of images copied, as far as it was told",
        "fact staging-progress",
    ),
    Metric(
        "scrun_image_trees_total", "counter",
        "Trees of images that were in the cache or a site's store, or were imported", "fact staged-in", "origin",
        ("found", "imported"),
    ),
    Metric("scrun_image_imported_bytes_total", "counter", "Bytes of the trees that were imported", "fact staged-in"),
    Metric(
        "scrun_stdio_bytes_total", "counter", "Bytes that scrun has passed on; none where an engine gives a file",
        "note moved, fact output-drained", "stream", ("stdin", "stdout", "stderr"),
    ),
    Metric(
        "scrun_requests_total", "counter", "Requests of engines and users", "request", "request",
        ("start", "kill", "delete"),
    ),
    Metric("scrun_execs_total", "counter", "Programs that exec has started in containers", "note exec-started"),
    Metric(
        "scrun_slurm_commands_total", "counter", "Commands of Slurm that have ended, by what they were for",
        "note command-ended", "command", command.KINDS,
    ),
    Metric(
        "scrun_actor_restarts_total", "counter", "Actors that had to be replaced", "hello, child", "actor", ACTORS,
    ),
    Metric(
        "scrun_tap_gaps_total", "counter", "Times that something was said and not heard", "any", "why",
        ("slow", "replaced", "unheard"),
    ),
    Metric("scrun_tap_lost_messages_total", "counter", "Messages known to be lost", "any"),
    Metric("scrun_tap_refused_messages_total", "counter", "Messages of another version of the tap, or nonsense", "any"),
    Metric("scrun_exporter_containers_followed", "gauge", "Containers that are listened to"),
    Metric("scrun_exporter_build_info", "info", "Versions of scrun and of the tap"),
)  # fmt: skip
BY_NAME = {metric.name: metric for metric in METRICS}


class Change(Value):
    """What a message changes.

    Attributes:
        metric: its name.
        word: of its label; empty if it has none.
        amount: is added, or observed by a histogram.

    """

    metric: str
    word: str = ""
    amount: float = 1
