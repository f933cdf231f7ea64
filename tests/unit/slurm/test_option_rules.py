"""Forced values and limits of a site, and what they are held against."""

from __future__ import annotations

import math

import pytest

from actors.slurm.amounts import SIZES, TIMES, amount
from actors.slurm.option_table import BY_NAME
from actors.slurm.options import resolve
from proto.errors import SettingsError
from proto.life.settings import JobRule

SITE = "/etc/slurm/scrun.toml"
MINE = "/home/ann/.config/scrun/scrun.toml"


def rule(option: str, *values: str, partition: str = "", file: str = SITE, choice: bool = False) -> JobRule:
    return JobRule(option, values, choice, partition, file)


def decided(
    annotations: dict[str, str],
    defaults: dict[str, str] | None = None,
    *,
    forced: tuple[JobRule, ...] = (),
    limits: tuple[JobRule, ...] = (),
) -> dict[str, str]:
    asked = {f"scrun.{name}": value for name, value in annotations.items()}
    return resolve(asked, (), {}, {"memory": {"limit": 1 << 30}}, defaults or {}, frozenset(), forced, limits)


def refusal(
    annotations: dict[str, str],
    defaults: dict[str, str] | None = None,
    *,
    forced: tuple[JobRule, ...] = (),
    limits: tuple[JobRule, ...] = (),
) -> str:
    with pytest.raises(SettingsError) as caught:
        decided(annotations, defaults, forced=forced, limits=limits)
    return caught.value.sentence


def test_a_forced_value_stands_and_a_default_gives_way() -> None:
    forced = (rule("account", "guests"), rule("mem-per-cpu", "5", partition="p"))
    assert decided({}, {"account": "ann"}, forced=forced) == {"mem": "1024M", "account": "guests"}
    assert decided({"account": "guests"}, forced=forced)["account"] == "guests"
    # --memory is somebody's wish
    assert refusal({"partition": "p"}, forced=forced) == (
        f"option --memory says 1024M, but mem-per-cpu in [forced.p] of {SITE} forces 5"
    )


def test_a_wish_against_a_forced_value_names_both() -> None:
    assert refusal({"account": "ann"}, forced=(rule("account", "guests"),)) == (
        f"annotation scrun.account says ann, but account in [forced] of {SITE} forces guests"
    )


def test_two_files_that_force_different_values() -> None:
    forced = (rule("qos", "a"), rule("qos", "b", file=MINE))
    assert refusal({}, forced=forced) == f"qos in [forced] of {SITE} says a, but qos in [forced] of {MINE} forces b"


def test_a_forced_partition_decides_which_rules_hold() -> None:
    forced = (rule("qos", "x", partition="gpu"), rule("partition", "gpu"))
    assert decided({}, {"partition": "cpu"}, forced=forced) == {"mem": "1024M", "partition": "gpu", "qos": "x"}


@pytest.mark.parametrize(
    ("option", "most", "fits", "too_much"),
    [
        ("time", "1-0", ["10", "23:59:59", "1-0"], ["1-0:1", "1441", "UNLIMITED", "0"]),
        ("mem", "2G", ["100", "2048M", "2G"], ["2049", "1T", "0"]),
        ("nodes", "4", ["4", "2-4", "1,3"], ["5", "1-5", "1k", "2-9:2"]),
        ("ntasks", "8", ["8"], ["9"]),
        ("gpus", "2", ["2", "a100:1,v100:1"], ["a100:2,v100:1"]),
    ],
)
def test_the_most(option: str, most: str, fits: list[str], too_much: list[str]) -> None:
    limits = (rule(option, most),)
    for value in fits:
        assert decided({option: value}, limits=limits)[option] == value
    for value in too_much:
        assert refusal({option: value}, limits=limits) == (
            f"annotation scrun.{option} says {value}, but {option} in [limits] of {SITE} allows {most} at most"
        )


def test_a_limit_sets_nothing() -> None:
    assert decided({}, limits=(rule("time", "10"),)) == {"mem": "1024M"}


def test_a_default_is_held_to_a_limit_too() -> None:
    assert "job option time of scrun.toml says 20" in refusal({}, {"time": "20"}, limits=(rule("time", "10"),))


def test_a_list_of_what_is_allowed() -> None:
    limits = (rule("queue", "a", "b", choice=True),)
    assert decided({"partition": "b;a"}, limits=limits)["partition"] == "b,a"
    assert refusal({"partition": "a;c"}, limits=limits) == (
        f"annotation scrun.partition says a,c, but queue in [limits] of {SITE} allows a, b only"
    )


def test_a_rule_for_a_partition_stands_in_place_of_the_general_one_of_its_file() -> None:
    limits = (rule("nodes", "4"), rule("nodes", "64", partition="big"))
    assert decided({"nodes": "64", "partition": "big"}, limits=limits)["nodes"] == "64"
    assert "[limits] of" in refusal({"nodes": "64", "partition": "small"}, limits=limits)
    assert "[limits] of" in refusal({"nodes": "64", "partition": "big;small"}, limits=limits)
    assert "4 at most" in refusal({"nodes": "5", "partition": "big"}, limits=(*limits, rule("nodes", "4", file=MINE)))


@pytest.mark.parametrize(
    ("limit", "asked", "sentence"),
    [
        (rule("partition", "a"), {}, "a is no amount; a list can say what is allowed"),
        (rule("time", "soon"), {}, "soon is no amount"),
        (rule("tiem", "5"), {}, f"tiem in [limits] of {SITE} is not a job option; did you mean time?"),
        (rule("ntasks", "x"), {}, "x is no amount"),
        (rule("time", "5"), {"time": "later"}, "annotation scrun.time says later, which cannot be held against"),
    ],
)
def test_rules_that_make_no_sense(limit: JobRule, asked: dict[str, str], sentence: str) -> None:
    assert sentence in refusal(asked, limits=(limit,))


def test_amounts() -> None:
    assert BY_NAME.keys() >= TIMES | SIZES
    assert amount("time", "-1") == math.inf
    assert amount("mem", "512K") == 0.5
    assert amount("nodes", "1-15:4") == 15
    assert amount("gres", "gpu:1") is None
