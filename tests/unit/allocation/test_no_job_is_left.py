"""Whatever happens on the way, a job that was asked for is given back, and never said to be when it is not."""

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from .slurm_world import World

STEPS = 40
PATIENCE = 60
"""Rounds in which everything happens that may, until the job is given back."""
REACHES = (
    "the controller comes or goes", "the actor dies", "salloc is killed", "the job is revoked", "released while asking",
    "released while queued", "released while granted", "released while no salloc runs",
)  # fmt: skip
"""What happens in a twentieth of all lives at least."""
choices = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), min_size=15, max_size=STEPS)
moments = st.integers(2, 20)
"""At which step the job shall be given back."""
KINDS = ("told", "clock", "command", "salloc", "told", "salloc", "clock", "command", "want", "mishap")


def live(world: World, acts: list[tuple[int, int]], release_at: int) -> set[str]:
    """Let things happen in that order; return what did."""
    happened: set[str] = set()
    for number, (kind, which) in enumerate(acts):
        if number == release_at:
            happened.add(f"released while {'/'.join(world.sallocs.values()) or 'no salloc runs'}")
            world.begin_release()
        if KINDS[kind] == "mishap":
            what, act = list(world.mishaps().items())[which % len(world.mishaps())]
            happened.add(what)
            act()
        elif of_kind := world.possible()[KINDS[kind]]:
            of_kind[which % len(of_kind)]()
    return happened


def end(world: World) -> int:
    """The controller is back, nothing bad happens any more, and everybody does his work; return the rounds it took."""
    world.up = True
    world.begin_release()
    for number in range(PATIENCE):
        if world.released:
            return number
        for kind in ("told", "salloc", "command", "clock", "want"):
            while kind == "told" and world.possible()["told"]:
                world.possible()["told"][0]()
            for act in world.possible()[kind][:1] if kind == "salloc" else world.possible()[kind]:
                act()
    return PATIENCE


def give_back(acts: list[tuple[int, int]], release_at: int) -> set[str]:
    """A life that ends with the job given back; return what has happened in it."""
    with tempfile.TemporaryDirectory() as path:
        world = World(Path(path))
        happened = live(world, acts, release_at)
        assert end(world) < PATIENCE
        world.check()
        return happened


@settings(max_examples=50)
@given(choices, moments)
def test_a_job_is_given_back_whatever_has_happened(acts: list[tuple[int, int]], release_at: int) -> None:
    give_back(acts, release_at)


def test_the_end_of_an_earlier_attempt_told_again_is_not_that_of_the_last_one() -> None:
    """Found by the lives above: asked for twice, the first salloc's end was told twice, and a job was left."""
    give_back([(0, 0)] * 8 + [(9, 0), (3, 0), (8, 0), (0, 0), (1, 0), (9, 0), (3, 1)], 13)


def test_these_lives_reach_what_may_go_wrong() -> None:
    found: Counter[str] = Counter()

    @settings(max_examples=20, database=None, phases=[Phase.generate])
    @given(choices, moments)
    def measure(acts: list[tuple[int, int]], release_at: int) -> None:
        found.update({*give_back(acts, release_at), "lives"})

    # The same lives each time, and of several runs: those of one run are alike.
    for number in range(4):
        seed(number)(measure)()
    assert {what for what in REACHES if found[what] < 0.05 * found["lives"]} == set()
