"""docs/exporter.md and the dashboard against the table of metrics; the table's words against who says them."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families as families

from scrun.cli.grammar import VERBS
from scrun.cli.parsing import Line, parse
from scrun.commands.exporter import EVERY, LISTEN
from scrun.exporter import metrics, serving
from scrun.exporter.metrics import METRICS
from scrun.tap import lines, others
from tests.unit.docs import markdown, speakers

DOCUMENT = "docs/exporter.md"
TEXT = markdown.flat(DOCUMENT)
TABLE = markdown.table(DOCUMENT, "Metrics", "metric")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", markdown.text(DOCUMENT), re.MULTILINE | re.DOTALL)
DASHBOARD: dict[str, Any] = json.loads((markdown.CHECKOUT / "examples/scrun-dashboard.json").read_text())
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
OTHERS = {"instance", "le"}
"""Labels that Prometheus and histograms add."""


def words_of(metric: str) -> set[str]:
    return set(metrics.BY_NAME[metric].words)


def samples(metric: metrics.Metric) -> set[str]:
    """The names of a metric's series."""
    parts = ("_bucket", "_count", "_sum") if metric.kind == "histogram" else ("",)
    return {metric.name + part for part in parts}


SERIES = {name: metric for metric in METRICS for name in samples(metric)}


def test_every_metric_has_its_row_and_no_other() -> None:
    rows = [
        (
            f"`{metric.name}`",
            metric.kind,
            f"`{metric.label}`: {', '.join(f'`{word}`' for word in metric.words)}"
            if metric.label
            else markdown.NOTHING,
            metric.source or markdown.NOTHING,
            metric.help,
        )
        for metric in METRICS
    ]
    assert list(TABLE.rows) == rows


def test_the_words_of_labels_are_those_that_are_said() -> None:
    phases = re.search(r"Finer is `phase` in its last line: (.*?)\. ", markdown.flat("docs/operations.md"))
    assert phases is not None
    assert {*metrics.PHASES, "stopped"} == set(markdown.spans(phases[1]))
    assert words_of("scrun_actor_restarts_total") == set(speakers.ACTORS)
    assert words_of("scrun_tap_gaps_total") == set(lines.SENTENCES)
    kinds = markdown.table("docs/operations.md", "Exit codes", "`scrun.end`").column("`scrun.end`")
    assert words_of("scrun_container_ends_total") == {*(kind.strip("`") for kind in kinds), metrics.UNKNOWN}


def test_names_are_those_of_prometheus() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"scrun(_[a-z]+)+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.name.endswith("_seconds") == (metric.kind == "histogram")
        assert metric.name.endswith("_info") == (metric.kind == "info")
        assert bool(metric.label) == bool(metric.words)
        assert metric.label not in {"user", "job", "container", "id", "instance"}


def test_a_few_hundred_series() -> None:
    histogram = len(metrics.BUCKETS) + 3
    assert sum(histogram if m.kind == "histogram" else len(m.words) + 1 for m in METRICS) < 300


def test_numbers_in_sentences() -> None:
    buckets = re.search(r"Buckets of the histograms: ([\d., ]+) s; ([\d, ]+) min; ([\d, ]+) h\.", TEXT)
    assert buckets is not None
    units = zip(buckets.groups(), (1, 60, 3600), strict=True)
    assert [float(n) * unit for group, unit in units for n in group.split(",")] == list(metrics.BUCKETS)
    assert f"every {EVERY:g} s" in TEXT
    assert (serving.CALLERS, serving.PATIENCE) == (8, 10)
    assert f"{others.LIMIT} containers of each user" in TEXT
    assert f"http://{LISTEN}/metrics" in TEXT
    scrape = yaml.safe_load(next(text for kind, text in BLOCKS if kind == "yaml"))
    assert scrape["scrape_configs"][0]["static_configs"][0]["targets"] == [LISTEN]


def test_the_default_is_that_of_the_help() -> None:
    _, _, _, options = VERBS["exporter"]
    texts = {names[0]: text for names, _, _, text in options}
    assert f"(default: {LISTEN})" in texts["listen"]
    assert f"every {EVERY:g} s" in texts["textfile"]


def test_what_is_shown_is_of_the_table() -> None:
    shown = next(text for kind, text in BLOCKS if not kind)
    found = [sample for family in families(shown) for sample in family.samples]
    assert len(found) > 15
    for sample in found:
        metric = SERIES[sample.name]
        assert set(sample.labels) - OTHERS <= {metric.label or "", "version", "tap"}


def units() -> list[str]:
    return [text for kind, text in BLOCKS if kind == "ini"]


@pytest.mark.parametrize("at", [0, 1])
def test_a_unit_calls_what_the_grammar_has(at: int) -> None:
    unit = configparser.ConfigParser()
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(units()[at])
    program, *words = shlex.split(unit["Service"]["ExecStart"])
    assert program == "/usr/local/bin/scrun"
    assert parse(words, Line()).own.flag("all-users") == (at == 0)
    assert not {"ProtectHome", "PrivateTmp"} & set(unit["Service"])
    assert unit["Install"]["WantedBy"] == ("multi-user.target", "default.target")[at]


# --- the dashboard ----------------------------------------------------------------------------------------------


def test_the_dashboard_has_the_form_of_grafanas() -> None:
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= DASHBOARD.keys()
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids) == len({tuple(panel["gridPos"].values()) for panel in DASHBOARD["panels"]})
    names = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD))) == names | {"__rate_interval"}
    for panel in DASHBOARD["panels"]:
        assert {"id", "title", "type", "gridPos", "datasource", "targets", "fieldConfig"} <= panel.keys()
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        letters = [target["refId"] for target in panel["targets"]]
        assert letters
        assert len(set(letters)) == len(letters)


def faults(expression: str) -> list[str]:
    """What of an expression the table does not have: metrics, labels, words."""
    found = []
    for name, selector in re.findall(r"\b(scrun_\w+)(?:\{(.*?)\})?", expression):
        metric = SERIES.get(name)
        if metric is None:
            found.append(name)
            continue
        for label, value in re.findall(r'(\w+)=~?"(.*?)"', selector):
            if label not in OTHERS | {metric.label}:
                found.append(label)
            elif label == metric.label:
                found += [word for word in value.split("|") if word not in metric.words]
        grouped = re.findall(r"by \((\w+)\)", expression)
        found += [label for label in grouped if label not in OTHERS | {metric.label}]
        if metric.kind == "counter" and not re.search(rf"(?:rate|increase)\({name}", expression):
            found.append(f"{name} without rate")
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_uses_the_table(expression: str) -> None:
    assert "scrun_" in expression
    assert faults(expression) == []


def test_the_alerts_of_the_document() -> None:
    spans = markdown.spans(" ".join(markdown.prose(DOCUMENT)))
    alerts = [span for span in spans if re.match(r"(?:increase|histogram_quantile)\(", span)]
    assert len(alerts) == 3
    assert [fault for alert in alerts for fault in faults(alert)] == []


@pytest.mark.parametrize(
    "expression",
    [
        "scrun_nothing", 'scrun_containers{user="x"}', "sum by (kind) (scrun_containers)",
        'scrun_containers{phase="flying"}', "scrun_requests_total", "rate(scrun_queue_seconds[1m])",
    ],
)  # fmt: skip
def test_what_the_table_does_not_have_is_a_fault(expression: str) -> None:
    assert faults(expression)


def test_the_dashboard_shows_what_there_is() -> None:
    shown = {SERIES[name].name for text in EXPRESSIONS for name in re.findall(r"\bscrun_\w+", text)}
    health = {
        "scrun_containers_seen_total", "scrun_requests_total", "scrun_tap_lost_messages_total",
        "scrun_tap_refused_messages_total", "scrun_exporter_containers_followed", "scrun_exporter_build_info",
    }  # fmt: skip
    assert shown == set(metrics.BY_NAME) - health
