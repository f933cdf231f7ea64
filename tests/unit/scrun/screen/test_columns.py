"""Columns, numbers and rows of the screen: what is shown in 80 columns, and what a user may have written there."""

from __future__ import annotations

from typing import Any

import pytest
from rich.style import Style

from actors.slurm.scheduler import Outlook
from scrun.console.processes import Measure
from scrun.console.screen import process_rows
from scrun.console.screen.card import LONGEST, Actor, Card
from scrun.console.screen.columns import Column, fitting, line, percent, size
from scrun.console.screen.load import Load
from scrun.console.screen.meter import Meter
from scrun.console.screen.rows import COLUMNS, COLUMNS_OF_ALL, ORDERS, Row, detail, fits, reason, style, summary
from scrun.console.screen.tree import Process

NOW = 1_000_000.0


def card(phase: str = "running", name: str = "f" * 64, **annotations: str) -> Card:
    found = Card("/r", name, "alice")
    found.tell("running", phase, NOW - 200, 1, {f"scrun.{key.replace('_', '-')}": v for key, v in annotations.items()})
    return found


def drawn(row: Row, width: int, columns: tuple[Column[Row], ...] = COLUMNS) -> str:
    shown = fitting(columns, width)
    return line(shown, [column.cell(row) for column in shown], width)


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (None, "B", ""), (0, "B", "0"), (999, "B", "999"), (1000, "B", "1.0K"), (10_240, "B", "10K"),
        (1 << 20, "B", "1.0M"), (999.4, "K", "999K"), (7144, "K", "7.0M"), (1 << 60, "B", "1024P"),
    ],
)  # fmt: skip
def test_a_size_has_at_most_five_characters(number: float | None, unit: str, text: str) -> None:
    assert size(number, unit) == text
    assert len(text) <= 5


def test_shares_of_a_processor() -> None:
    assert [percent(share) for share in (None, 0.0, 0.126, 12.0, 1e9)] == ["", "0%", "13%", "1200%", "9999%"]


@pytest.mark.parametrize(("columns", "width"), [(COLUMNS, 79), (COLUMNS_OF_ALL, 79), (COLUMNS, 200), (COLUMNS, 30)])
def test_what_has_no_room_is_left_out_and_a_line_is_as_long_as_it_is_wide(
    columns: tuple[Column[Row], ...], width: int
) -> None:
    row = Row(card(job_id="12", nodes="node[1-200]", job_reason="Priority"), NOW)
    assert len(drawn(row, width, columns)) == width
    titles = [column.title for column in fitting(columns, width)]
    assert {"ID", "PHASE", "JOB", "AGE", "OUT/s", "CPU", "REASON"} <= set(titles)
    if columns is COLUMNS and width == 79:
        assert {"NODE", "IN/s", "MEM"} <= set(titles)
    assert ("STATUS" in titles) == (width == 200)


def test_a_row_has_what_is_known() -> None:
    subject = card(job_id="12", nodes="n1")
    subject.sent.count(NOW - 1.5, 0)
    subject.sent.count(NOW - 0.5, 2048)
    assert drawn(Row(subject, NOW, Load(0.5, 2048)), 79).split() == [
        "f" * 12, "running", "12", "n1", "3min", "0", "2.0K", "50%", "2.0M",
    ]  # fmt: skip
    assert "2.0K out" in detail(Row(subject, NOW, Load(0.5, 2048)))
    assert detail(Row(subject, NOW)).startswith("f" * 64 + "\n")


def test_one_that_waits_has_slurms_newest_word_and_when_it_shall_start() -> None:
    subject = card("queued", job_id="12", job_reason="Resources")
    assert reason(Row(subject, NOW)) == "Resources"
    assert reason(Row(subject, NOW, outlook=Outlook("PENDING", "Priority"))) == "Priority"
    late = Outlook("PENDING", "Priority", start="2026-01-31T12:00:00")
    assert reason(Row(subject, NOW, outlook=late)) == "2026-01-31 12:00 Priority"
    assert detail(Row(subject, NOW, outlook=late)).endswith("start expected at 2026-01-31 12:00: Priority")
    booting = Row(card("launching", job_id="12"), NOW, outlook=Outlook("CONFIGURING"))
    assert reason(booting) == "its nodes boot"
    assert style(Row(subject, NOW)) != style(booting)


def test_orders_and_words_and_counts() -> None:
    old, new = card("queued", "a"), card("running", "b", nodes="n7")
    old.created = 1.0
    new.sent.count(NOW - 1, 0)
    new.sent.count(NOW, 100)
    order = {name: [c.id for c in sorted((old, new), key=lambda c: key(c, NOW))] for name, key in ORDERS.items()}
    assert order["newest first"] == order["bytes per second"] == order["phase"] == ["b", "a"]
    assert order["id"] == ["a", "b"]
    assert fits(new, "RUN n7")
    assert not fits(new, "queued")
    assert summary([old, new, new]) == "3 containers: 2 running, 1 queued"
    assert summary([]) == "0 containers"


def test_what_a_user_wrote_moves_no_cursor_and_has_an_end() -> None:
    subject = card("\x1b[2J" + "x" * 9999, job_id="9" * 9999, nodes="\n", job_reason="\x07")
    text = drawn(Row(subject, NOW), 79) + detail(Row(subject, NOW))
    assert all(char.isprintable() for char in text.replace("\n", "", 1))
    assert len(text) < 4 * LONGEST


@pytest.mark.parametrize(
    "data", [None, [], {}, {"state": []}, {"state": {}, "processes": 1}, {"created": "x"}, {"stdin": []}]
)
def test_nonsense_is_refused_by_errors_that_are_expected(data: Any) -> None:
    for topic in ("hello", "state", "child.a.child", "note.stdio.moved"):
        with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
            list(card().hear(topic, {"time": "now", "data": data}))


def test_a_meter_tells_what_flows_and_stops_when_it_stops() -> None:
    meter = Meter()
    assert meter.rate(NOW) == 0
    meter.count(NOW, 1000)
    assert meter.rate(NOW) == 0  # it may have flowed for hours
    meter.count(NOW + 1.25, 1500)
    assert meter.rate(NOW + 1.5) == 400
    assert meter.rate(NOW + 4) == 0
    meter.count(NOW + 60, 1600)  # after a silence: of the last second
    assert meter.rate(NOW + 60) == 100
    meter.count(NOW + 61, 7)  # another process counts
    assert meter.total == 7


def test_an_id_that_is_used_again_is_another_container() -> None:
    subject = card()
    subject.sent.count(NOW, 5)
    subject.tell("created", "created", NOW, 2, {})
    assert subject.sent.total is None


def test_the_row_of_a_process() -> None:
    row = process_rows.ProcessRow(
        Process("├─", "stdio", 5, Actor(5, 2, 1, "running", "")), 0.25, Measure(61.0, 1.0, 6406, 17)
    )
    shown = fitting(process_rows.COLUMNS, 79)
    assert [column.cell(row) for column in shown] == [
        "├─stdio", "5", "running", "1", "1min", "25%", "6.3M", "17", "",
    ]  # fmt: skip
    odd = process_rows.ProcessRow(Process("", "\x1b[2J", 5), None, Measure())
    assert line(shown, [column.cell(odd) for column in shown], 79).startswith("?[2J ")
    assert process_rows.style(row) == Style()
    held = process_rows.ProcessRow(Process("└─", "stdio", 0, Actor(0, 2, 1, "dead", "held")), None, Measure())
    assert process_rows.style(held).color is not None
