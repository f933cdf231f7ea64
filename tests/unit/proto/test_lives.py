"""What holds in every life of a container, whoever is slow, fails, is replaced or changes his mind.

The actors rely on each of these promises. Some hold whatever is reported, also what cannot be (``ALWAYS``); the others
in all lives that may be (``IN_A_LIFE``). How many lives come to what the promises are about is measured, too.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from proto.life import events as e
from proto.life import intents
from proto.life.container import Container
from proto.life.journal import pack, scan
from proto.life.lifecycle import IllegalEventError, apply, knows, replay
from proto.life.wants import wanted
from proto.wire.registry import Message

from .lives import ENDED, HARD, SOFT, Happened, Life, answers, lives
from .strategies import events

STATUS = {"creating": 0, "created": 1, "running": 2, "paused": 2, "stopped": 3}
JOB = ("none", "requested", "queued", "granted", "over")
STAGE = {"none": 0, "begun": 1, "ready": 2, "failed": 2, "out": 3}
STEP = ("none", "launching", "running", "ended")

REACHES: dict[str, tuple[float, Callable[[Happened], bool]]] = {
    "the program's end": (0.6, lambda now: now.after.ran and now.after.step == "ended"),
    "the very end": (0.9, lambda now: now.after.finished),
    "a launch": (0.6, lambda now: now.after.step == "launching"),
    "a signal under way": (0.05, lambda now: bool(now.after.signals)),
    "two signals under way": (0.05, lambda now: len(now.after.signals) > 1),
    "a pause": (0.05, lambda now: now.after.status == "paused"),
    "the queue": (0.05, lambda now: now.after.job == "queued"),
    "a start that has returned early": (0.05, lambda now: now.after.promised),
    "a failure of staging": (0.05, lambda now: now.after.stage == "failed"),
    "a cancellation": (0.05, lambda now: now.news and now.event == SOFT),
    "a hard cancellation": (0.05, lambda now: now.news and now.event == HARD),
    "giving up": (0.05, lambda now: now.after.given_up),
    "old news": (0.5, lambda now: not now.news),
}

REPLACED = "a state actor that is replaced while the program runs"

Promise = Callable[[Sequence[Happened]], None]


def messages(container: Container) -> list[Message]:
    return [want.message for want in wanted(container)]


def ever_wanted(steps: Sequence[Happened], intent: type[Message]) -> list[bool]:
    return [any(isinstance(message, intent) for message in messages(step.after)) for step in steps]


def never_again(wanted_then: Iterable[bool]) -> bool:
    """Whether what was wanted once, and is not wanted any more, is never wanted again."""
    text = "".join("x" if now else " " for now in wanted_then).strip()
    return " " not in text


# --- whatever is reported ---------------------------------------------------------------------------------------


def nothing_goes_back(steps: Sequence[Happened]) -> None:
    for before, event, after in steps:
        assert STATUS[before.status] <= STATUS[after.status], event
        assert JOB.index(before.job) <= JOB.index(after.job), event
        assert STAGE[before.stage] <= STAGE[after.stage], event
        assert STEP.index(before.step) <= STEP.index(after.step), event


def an_event_that_was_accepted_is_old_news_or_changes_the_state_once(steps: Sequence[Happened]) -> None:
    for _, event, after in steps:
        if not isinstance(event, e.SignalRequested | e.CancelRequested):
            assert knows(after, event) or apply(after, event) == after


def something_is_wanted_until_it_is_over(steps: Sequence[Happened]) -> None:
    for _, _, after in steps:
        waits_for_the_engine = after.ending is None and after.answered and not after.started_by
        assert after.finished or waits_for_the_engine or wanted(after)


def whoever_reads_the_journal_wants_the_same_at_any_moment(steps: Sequence[Happened]) -> None:
    news = [step for step in steps if not knows(step.before, step.event)]
    journal = b"".join(pack(step.event, 1.0) for step in news)
    records = [record for _, record in scan(journal)]
    container = Container()
    for record, step in zip(records, news, strict=True):
        container = apply(container, record.event)
        assert container == step.after
        assert wanted(container) == wanted(step.after)
    assert replay(records) == steps[-1].after


def why_it_ends_never_changes(steps: Sequence[Happened]) -> None:
    for before, event, after in steps:
        if before.ending is not None:
            assert after.ending is not None
            assert (after.ending.kind, after.ending.code) == (before.ending.kind, before.ending.code), event
            assert after.ending.sentence.startswith(before.ending.sentence), event
            if before.step not in {"launching", "running"}:
                assert after.ending.exit_code == before.ending.exit_code, event


def nothing_is_begun_once_it_ends(steps: Sequence[Happened]) -> None:
    for before, event, after in steps:
        if before.ending is not None:
            assert (before.step == "none") == (after.step == "none"), event
            assert (before.stage, after.stage) != ("none", "begun"), event
            assert knows(before, e.LaunchRequested()) or not any(accepted([e.LaunchRequested()], before)), event
        launches = [
            message for message in messages(after) if isinstance(message, intents.LaunchStep | e.LaunchRequested)
        ]
        if after.ending is not None:
            assert all(isinstance(v, intents.LaunchStep) and not v.retry and after.step != "none" for v in launches), (
                event
            )


def a_foreign_job_is_never_released(steps: Sequence[Happened]) -> None:
    for _, _, after in steps:
        assert not after.foreign or not any(isinstance(message, intents.ReleaseJob) for message in messages(after))


ALWAYS: tuple[Promise, ...] = (
    nothing_goes_back,
    an_event_that_was_accepted_is_old_news_or_changes_the_state_once,
    something_is_wanted_until_it_is_over,
    whoever_reads_the_journal_wants_the_same_at_any_moment,
    why_it_ends_never_changes,
    nothing_is_begun_once_it_ends,
    a_foreign_job_is_never_released,
)

# --- in a life that may be ----------------------------------------------------------------------------------------


def one_job_is_asked_for(steps: Sequence[Happened]) -> None:
    assert sum(isinstance(s.event, e.JobRequested) and s.before != s.after for s in steps) <= 1
    assert never_again(ever_wanted(steps, intents.RequestJob))
    for _, _, after in steps:
        if intents.RequestJob in map(type, messages(after)):
            assert after.job in {"requested", "queued"}
            assert after.ending is None


def all_that_is_staged_in_is_staged_out_once(steps: Sequence[Happened]) -> None:
    assert never_again(ever_wanted(steps, intents.StageIn))
    assert never_again(ever_wanted(steps, intents.StageOut))
    last = steps[-1].after
    if last.finished and not last.given_up and any(ever_wanted(steps, intents.StageIn)):
        assert last.stage == "out"
    for _, event, after in steps:
        assert not {intents.StageIn, intents.StageOut} <= set(map(type, messages(after))), event


def nothing_is_taken_from_a_program_that_runs(steps: Sequence[Happened]) -> None:
    for _, event, after in steps:
        if after.step in {"launching", "running"} and not after.given_up:
            assert not {intents.StageOut, intents.ReleaseJob, intents.Drain, e.Finished} & set(
                map(type, messages(after))
            ), event


def its_output_is_through_before_anything_is_cleared_away(steps: Sequence[Happened]) -> None:
    for _, event, after in steps:
        if {intents.StageOut, intents.ReleaseJob} & set(map(type, messages(after))):
            assert after.drained or not (after.ran or after.promised), event


def a_script_has_the_job_as_long_as_it_stages(steps: Sequence[Happened]) -> None:
    for _, event, after in steps:
        if after.creation and after.creation.settings.scrun.lua and intents.ReleaseJob in map(type, messages(after)):
            assert after.stage in {"none", "out"}, event


def a_job_of_ours_is_given_back_or_handed_to_the_guard(steps: Sequence[Happened]) -> None:
    last = steps[-1].after
    assert not last.finished or last.given_up or last.foreign or last.job in {"none", "over"}


def a_signal_is_asked_for_in_its_turn_until_it_is_answered_once(steps: Sequence[Happened]) -> None:
    asked: dict[int, list[bool]] = {}
    for _, _, after in steps:
        numbers = [message.number for message in messages(after) if isinstance(message, intents.RelaySignal)]
        assert numbers == sorted(set(numbers))
        for number in {*asked, *numbers}:
            asked.setdefault(number, []).append(number in numbers)
    assert all(never_again(wanted_then) for wanted_then in asked.values())


def no_signal_that_was_accepted_is_forgotten(steps: Sequence[Happened]) -> None:
    accepted: list[str] = []
    for before, event, after in steps:
        if isinstance(event, e.SignalRequested) and before != after:
            accepted.append(event.request)
        known = [s.request for s in after.signals] + [request for request, _ in after.outcomes]
        assert sorted(known) == sorted(accepted), event


def a_pause_is_what_was_delivered_last(steps: Sequence[Happened]) -> None:
    paused = False
    for before, event, after in steps:
        if isinstance(event, e.SignalDelivered):
            signum = next((s.signal for s in before.signals if s.number == event.number), 0)
            paused = {19: True, 18: False}.get(signum, paused)
        assert (after.status == "paused") == (paused and after.step == "running" and not after.finished), event


def create_returns_when_it_is_ready_or_has_waited_for_a_job_that_slurm_knows(steps: Sequence[Happened]) -> None:
    for before, event, after in steps:
        if isinstance(event, e.CreateAnswered) and before != after:
            assert before.stage == "ready" or (before.create_wait_over and before.job in {"queued", "granted"}), event
            assert before.ending is None


def what_is_wanted_can_be_had(steps: Sequence[Happened]) -> None:
    for _, event, after in steps:
        for want in wanted(after):
            if not isinstance(want.message, intents.WatchJob):
                fact = met(want.message, after)
                assert not knows(after, fact), (event, want)
                assert want not in wanted(apply(after, fact)), (event, want)


IN_A_LIFE: tuple[Promise, ...] = (
    one_job_is_asked_for,
    all_that_is_staged_in_is_staged_out_once,
    nothing_is_taken_from_a_program_that_runs,
    its_output_is_through_before_anything_is_cleared_away,
    a_script_has_the_job_as_long_as_it_stages,
    a_job_of_ours_is_given_back_or_handed_to_the_guard,
    a_signal_is_asked_for_in_its_turn_until_it_is_answered_once,
    no_signal_that_was_accepted_is_forgotten,
    a_pause_is_what_was_delivered_last,
    create_returns_when_it_is_ready_or_has_waited_for_a_job_that_slurm_knows,
    what_is_wanted_can_be_had,
)


@settings(max_examples=120)
@given(lives())
def test_whatever_becomes_of_a_container_every_promise_is_kept(life: Life) -> None:
    for promise in (*ALWAYS, *IN_A_LIFE):
        promise(life.steps)


@given(lives(), st.data(), st.lists(events, max_size=20))
def test_what_is_always_promised_is_kept_whatever_is_reported(
    life: Life, data: st.DataObject, wild: list[Message]
) -> None:
    cut = data.draw(st.integers(1, len(life.steps)))
    steps = list(accepted([*life.events[:cut], *wild]))
    for promise in ALWAYS:
        promise(steps)


def accepted(reported: Iterable[Message], container: Container = Container()) -> Iterator[Happened]:  # noqa: B008 - frozen
    """Those events that can happen when they are reported, as the state actor goes through them."""
    for event in reported:
        try:
            after = apply(container, event)
        except IllegalEventError:
            continue
        yield Happened(container, event, after)
        container = after


@settings(max_examples=50)
@given(lives(), st.data())
def test_an_ending_container_ends_in_whatever_order_its_wants_are_met(life: Life, data: st.DataObject) -> None:
    container = life.steps[data.draw(st.integers(0, len(life.steps) - 1))].after
    if not container.finished:
        container = apply(container, HARD)
    for _ in range(10):
        wants = messages(container)
        if not wants:
            break
        container = apply(container, met(data.draw(st.sampled_from(wants)), container))
    assert container.status == "stopped"


def met(message: Message, container: Container) -> Message:
    """The fact that arrives when an intent was carried out to its end."""
    return ENDED[0] if isinstance(message, intents.LaunchStep) else answers(message, container)[0]


def test_the_lives_reach_what_the_promises_are_about() -> None:
    lived: list[Life] = []

    @settings(max_examples=30, database=None, phases=[Phase.generate])
    @given(lives())
    def live(life: Life) -> None:
        lived.append(life)

    # The same lives each time, so that a share is no matter of luck; and of several runs, since the lives of one run
    # are alike: Hypothesis makes some of them out of others.
    for number in range(8):
        seed(number)(live)()
    found = Counter(what for life in lived for what, (_, there) in REACHES.items() if any(map(there, life.steps)))
    found[REPLACED] = sum(
        any(life.steps[at - 1].after.step in {"launching", "running"} for at in life.replaced) for life in lived
    )
    least = {what: share for what, (share, _) in REACHES.items()} | {REPLACED: 0.05}
    shares = {what: found[what] / len(lived) for what in least}
    assert {what: share for what, share in shares.items() if share < least[what]} == {}
