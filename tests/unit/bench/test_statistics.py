"""What the bench makes of its values, and how it prints them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.peer import tally
from tests.bench.rows import HEAD, Row, cells, median, number, parse_smaps, quantile, row_from_json, table

values = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=40)


def test_the_median_is_the_middle_value_or_lies_between_the_two() -> None:
    assert median([3.0, 1.0, 2.0]) == 2
    assert median([4.0, 1.0, 2.0, 3.0]) == 2.5
    assert median([5.0]) == 5


def test_quantiles_are_interpolated() -> None:
    assert quantile([0.0, 10.0], 0.1) == pytest.approx(1)
    assert quantile([0.0, 10.0], 1.0) == 10
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


@given(values, st.floats(0, 1))
def test_a_quantile_lies_within_the_values(numbers: list[float], share: float) -> None:
    assert min(numbers) <= quantile(numbers, share) <= max(numbers)


def test_ratio_and_difference_are_of_medians() -> None:
    row = Row("f", "w", "ms", (10.0, 30.0, 20.0), "bare", (5.0, 10.0, 100.0))
    assert row.ratio == 2
    assert row.difference == 10


def test_without_a_base_there_is_no_ratio() -> None:
    assert Row("f", "w", "ms", (1.0,)).ratio is None
    assert Row("f", "w", "", (0.0,), "hand", (0.0,)).ratio is None
    assert Row("f", "w", "ms", ()).difference is None


@given(values, values)
def test_a_row_survives_json(numbers: list[float], base: list[float]) -> None:
    row = Row("f", "w", "ms", tuple(numbers), "b", tuple(base), "<= 1", "note")
    assert row_from_json(json.loads(json.dumps(row.as_json()))) == row


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234.5, "1234"), (123.45, "123"), (12.345, "12.3"), (1.2345, "1.23"), (0.012345, "0.012")],
)
def test_numbers_have_three_digits_that_matter(value: float, text: str) -> None:
    assert number(value) == text


def test_a_row_without_values_is_shown_as_such() -> None:
    assert cells(Row("f", "w", "ms", ()))[:2] == ("w", "-")


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (1, ("", "", "", "")),
        (2, ("0.100", "0.900", "", "")),
        (21, ("2.00", "18.0", "19.0", "")),
        (101, ("10.0", "90.0", "95.0", "99.0")),
    ],
)
def test_a_quantile_is_shown_where_there_are_values_enough_for_it(count: int, shown: tuple[str, ...]) -> None:
    row = Row("f", "w", "ms", tuple(float(n) for n in range(count)))
    assert HEAD[2:6] == ("10 %", "90 %", "95 %", "99 %")
    assert cells(row)[2:6] == shown


@given(st.lists(values, min_size=1, max_size=5))
def test_every_line_has_every_column(many: list[list[float]]) -> None:
    for numbers in many:
        assert len(cells(Row("f", "w", "ms", tuple(numbers), "b", tuple(numbers)))) == len(HEAD)


def test_the_table_is_aligned_and_notes_stand_once_below_their_figure() -> None:
    rows = [
        Row("one", "short", "ms", (1.0, 2.0), "bare", (1.0,), note="read this"),
        Row("one", "a longer name", "ms", (100.0, 200.0), note="read this"),
        Row("two", "x", "MB", (3.0,)),
    ]
    lines = table(rows).splitlines()
    assert lines[0].startswith("what")
    assert [line for line in lines if line.startswith("[")] == ["[one]", "[two]"]
    short, long = lines[3], lines[4]
    assert short.index("ms") == long.index("ms")
    assert table(rows).count("read this") == 1
    assert lines[5] == "  * read this"


def test_smaps_rollup_is_read_in_MB() -> None:
    text = "00400000-7fff ---p 00000000 00:00 0 [rollup]\nPss:  500 kB\nPss_Dirty: 7 kB\nPrivate_Dirty: 250 kB\n"
    found = parse_smaps(text)
    assert found["Pss"] == pytest.approx(0.512)
    assert found["Private_Dirty"] == pytest.approx(0.256)
    assert found["Shared_Dirty"] == 0


def test_a_process_that_is_gone_has_no_memory() -> None:
    assert sum(parse_smaps("").values()) == 0


def test_reasons_are_counted_without_what_is_each_containers_own() -> None:
    said = [
        f"/usr/bin/scrun --root /run/x start b{number}: exit status 1: first\nscrun: no answer" for number in (1, 22)
    ]
    assert tally([*said, "[Errno 2] No such file: '/home/x/b3.pid'"]) == (
        "2 x scrun: no answer; 1 x [Errno 2] No such file: 'ID.pid'"
    )


def test_late_values_of_what_a_row_is_held_against_are_shown() -> None:
    row = Row("f", "w", "ms", (1.0,), "b", tuple(float(n) for n in range(101)))
    shown = dict(zip(HEAD[8:12], cells(row)[8:12], strict=True))
    assert shown == {"against": "b", "median": "50.0", "90 %": "90.0", "99 %": "99.0"}
