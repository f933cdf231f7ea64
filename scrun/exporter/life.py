"""What a container says changes which numbers: one container from its first hello to its end. Pure.

A container may say anything if its owner wills, and root listens to all: each word and number is checked.
"""

from collections.abc import Iterator
from typing import Any

from scrun.tap.crowd import number

from .metrics import BY_NAME, OTHER, UNKNOWN, Change

Data = dict[str, Any]

SPANS = {
    "job-granted": ("scrun_queue_seconds", "created"),
    "staged-in": ("scrun_staging_seconds", "job-granted"),
    "step-started": ("scrun_launch_seconds", "launch-requested"),
}
"""A fact, the histogram that it is for, and what the time runs from: a fact, or the container's creation."""
STARTS = {start for _, start in SPANS.values()}
STAGINGS = {"staged-in": "ready", "staging-failed": "failed"}
MOMENTS = STARTS.union(SPANS, STAGINGS)
"""Facts of which a hello tells enough: that they were, and when."""


class Life:
    """One container.

    What was before the exporter is no change: counters begin with it. What a gap has swallowed, or the moment from the
    container's birth to its first hello, is not guessed; but the times in it are in the hello, and the bytes and
    restarts in the next count.
    """

    def __init__(self, since: float) -> None:
        """Args:
        since: when the exporter began, in seconds since the epoch.
        """
        self._since = since
        self._begin(0)

    def _begin(self, created: float) -> None:
        self._created = created
        self._phase = ""
        self._ended = False
        self._moments = {"created": created}
        self._counts: dict[tuple[str, str], float] = {}
        self._part: Any = None

    def hear(self, topic: str, body: Data) -> Iterator[Change]:
        """What a message changes; to be used up before the next one.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: it is none of the tap's contract.

        """
        layer, _, word = topic.partition(".")
        word, data = word.rpartition(".")[2], body["data"]
        if layer == "hello":
            yield from self._state(data["state"])
            for child in data["processes"]:
                yield from self._child(child)
            yield from self._unheard(data.get("moments") or {})  # a container of an older scrun does not say them
        elif not self._created:
            return  # what comes before the first hello is in it
        elif layer == "state":
            yield from self._state(data)
        elif layer == "child":
            yield from self._child(data)
        elif layer == "request":
            yield Change("scrun_requests_total", _known("scrun_requests_total", word))
        elif layer == "fact":
            yield from self._fact(word, number(body["time"]), data)
        elif layer == "note":
            yield from self._note(word, data)

    def leave(self) -> Iterator[Change]:
        """It is there no more."""
        if self._created:
            yield from self._enter("")
            yield from self._end(UNKNOWN)

    def _state(self, state: Data) -> Iterator[Change]:
        created = number(state["created"])
        if created != self._created:  # the first time, or the id was used again
            yield from self.leave()
            self._begin(created)
            yield Change("scrun_containers_seen_total")
        stopped = state["phase"] == "stopped"
        yield from self._enter("" if stopped else _known("scrun_containers", state["phase"]))
        if stopped:
            ending = state["ending"]
            yield from self._end(ending["kind"] if ending else UNKNOWN)

    def _enter(self, phase: str) -> Iterator[Change]:
        if phase != self._phase:
            if self._phase:
                yield Change("scrun_containers", self._phase, -1)
            if phase:
                yield Change("scrun_containers", phase)
            self._phase = phase

    def _end(self, kind: str) -> Iterator[Change]:
        if not self._ended:
            self._ended = True
            yield Change("scrun_container_ends_total", _known("scrun_container_ends_total", kind))

    def _child(self, child: Data) -> Iterator[Change]:
        actor = _known("scrun_actor_restarts_total", child["actor"])
        yield from self._grow("scrun_actor_restarts_total", actor, child["restarts"])

    def _note(self, word: str, data: Data) -> Iterator[Change]:
        if word == "moved":
            yield from self._moved(data)
        elif word == "exec-started":
            yield Change("scrun_execs_total")
        elif word == "command-ended":
            kind = data["name"].partition("-")[0]
            yield Change("scrun_slurm_commands_total", _known("scrun_slurm_commands_total", kind))

    def _unheard(self, moments: Data) -> Iterator[Change]:
        for time, word in sorted((number(moments[word]), word) for word in MOMENTS & moments.keys()):
            if time >= self._since:
                yield from self._fact(word, time, {})
            else:
                self._moments[word] = time

    def _fact(self, word: str, time: float, data: Data) -> Iterator[Change]:
        if word in self._moments:
            return
        if word in MOMENTS:
            self._moments[word] = time
        metric, start = SPANS.get(word, ("", ""))
        if start in self._moments:
            yield Change(metric, "", max(0.0, time - self._moments[start]))
        if word in STAGINGS:
            yield Change("scrun_stagings_total", STAGINGS[word])
        if word == "staged-in":
            yield from self._trees(data.get("trees") or {})  # a container of an older scrun does not say it
        elif word == "staging-progress":
            yield from self._copied(data["part"], data["size"])
        elif word == "output-drained":
            yield from self._moved(data)

    def _trees(self, trees: Data) -> Iterator[Change]:
        for origin in BY_NAME["scrun_image_trees_total"].words:
            if count := number(trees.get(origin, 0)):
                yield Change("scrun_image_trees_total", origin, count)
        if size := number(trees.get("size", 0)):
            yield Change("scrun_image_imported_bytes_total", "", size)

    def _copied(self, part: object, size: float) -> Iterator[Change]:
        if self._part not in {None, part}:  # of the next tree it is told from nothing
            self._counts["scrun_staging_copied_bytes_total", ""] = 0
        self._part = part
        yield from self._grow("scrun_staging_copied_bytes_total", "", size)

    def _moved(self, counts: Data) -> Iterator[Change]:
        for stream in BY_NAME["scrun_stdio_bytes_total"].words:
            if stream in counts:
                yield from self._grow("scrun_stdio_bytes_total", stream, int(counts[stream]))

    def _grow(self, metric: str, word: str, count: float) -> Iterator[Change]:
        """A count that the container keeps; one that falls has begun anew, as Prometheus takes it, too."""
        count = number(count)
        key = (metric, word)
        before = self._counts.get(key, 0 if self._created >= self._since else count)
        self._counts[key] = count
        more = count - before if count >= before else count
        if more:
            yield Change(metric, word, more)


def _known(metric: str, word: str) -> str:
    return word if word in BY_NAME[metric].words else OTHER
