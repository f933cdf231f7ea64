"""Times and sizes that the prose of the documents tells: each beside the constant that it comes from."""

from __future__ import annotations

import math

import pytest

from actors.allocation.attempts import PAUSES
from actors.allocation.job import HOLD_WAIT
from actors.allocation.step import YOUNG
from actors.guard import clean_up
from actors.process import peer, sinks, supervision
from actors.slurm.step_options import SEVERAL_TASKS
from actors.state import callers, clocks, early_words, intents, tap
from proto.life import journal
from proto.life.settings import Settings
from proto.wire.envelope import FRAME_LIMIT
from scrun.commands import events
from scrun.create import settings
from tests.unit.docs import markdown

WORDS = {0.5: "half a", 2: "two", 5: "five", 8: "eight", 10: "ten", 16: "sixteen", 3600: "an hour"}


def word(number: float) -> str:
    return WORDS[number]


def series(numbers: tuple[float, ...]) -> str:
    *first, last = (f"{number:g}" for number in numbers)
    return f"{', '.join(first)} and then {last} s"


TOLD = (
    (
        "protocol",
        f"its words are kept for {word(early_words.SECONDS)} seconds, {word(early_words.WORDS)} of each process",
    ),
    ("protocol", f"A frame may have {FRAME_LIMIT >> 20} MiB"),
    ("protocol", f"again after {series(intents.PAUSES)}"),
    ("protocol", f"It repeats after {series(peer.REPEATS)}"),
    ("protocol", f"or after {callers.SIGNAL_WAIT} s (KILL: {word(callers.KILL_WAIT)} second)"),
    ("operations", f"The log stops at {sinks.LOG_LIMIT >> 20} MiB"),
    ("operations", f"a sample every {events.DEFAULT.removesuffix('s')} s (`--interval`)"),
    ("operations", f"SIGTERM first, SIGKILL after {word(clocks.GRACE)} seconds"),
    ("tap", f"the listener did not read while some {tap.QUEUE} waited for it"),
    ("tap", f"that does not read some {tap.QUEUE} messages are kept"),
    ("tap", f"A subscription may have {tap.TOPIC_LIMIT} bytes"),
    ("tap", f"the {FRAME_LIMIT >> 20} MiB of the hub's frames"),
    ("lua", f"killed again after {clean_up.HURRY:g} s"),
    ("options", f"Before Slurm {SEVERAL_TASKS[0]}.{SEVERAL_TASKS[1]:02} a node runs one"),
    ("install", f"the first that is there of {', '.join(f'`{path}`' for path in settings.SLURM_CONFS)}"),
    ("architecture", f"At `create` {journal.ROOM >> 10} KiB are reserved"),
    ("architecture", f"after pauses that grow from {PAUSES[0]:g} to {PAUSES[-1]:g} s"),
    ("architecture", f"`start` goes on for {word(len(PAUSES) + 1)} attempts"),
    ("architecture", f"or after {callers.SIGNAL_WAIT} s (KILL: {word(callers.KILL_WAIT)} second)"),
    ("architecture", f"within `kill_wait` ({Settings().scrun.kill_wait:g} s) after SIGKILL"),
    ("architecture", f"gives it {clean_up.HURRY:g} s"),
    ("architecture", f"{word(HOLD_WAIT)} seconds after the exit status was written scrun cancels the job"),
    ("architecture", f"A step that ends with 1 within {word(YOUNG)} seconds"),
    (
        "reliability",
        f"the lease ({supervision.LEASE:g} s; {supervision.LEASES[-1]:g} s where nothing has happened for a while)",
    ),
    ("reliability", f"restarts in a row wait {series(supervision.BACK_OFF)} each"),
    ("reliability", f"One that fails by itself {word(supervision.GIVE_UP + 1)} times in a row"),
    ("reliability", f"after {word(supervision.STILLBORN + 1)} deaths of any kind"),
    ("reliability", f"which is {math.ceil(sum(supervision.BACK_OFF[: supervision.STILLBORN]) * 10) / 10} s"),
    ("reliability", f"after `start_limit` ({word(Settings().scrun.start_limit)})"),
    ("reliability", f"or fails after {clocks.REQUEST_LIMIT:g} s"),
    ("reliability", f"the guard waits up to {word(clean_up.PATIENCE)} for the script"),
)


@pytest.mark.parametrize(("document", "words"), TOLD, ids=lambda part: part[:40])
def test_the_prose_tells_the_number_of_the_code(document: str, words: str) -> None:
    assert words in markdown.flat(f"docs/{document}.md")
