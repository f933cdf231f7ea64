"""A real Prometheus scrapes ``scrun exporter``: what it takes, and what the dashboard asks of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import subprocess
import urllib.parse
from typing import TYPE_CHECKING, Any

import pytest

from tests.process.site import CHECKOUT
from tests.process.test_exporter import Observed, ask
from tests.unit.docs import markdown
from tests.unit.docs.test_exporter import BLOCKS, DOCUMENT, EXPRESSIONS

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.conftest import WaitUntil

ALERTS = re.findall(r"`([^`]*(?:increase|rate)\(scrun_[^`]+)`", markdown.text(DOCUMENT))
CONFIG = next(block for language, block in BLOCKS if language == "yaml")


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    ensured = subprocess.run(
        [f"{CHECKOUT}/tests/cluster/apt-ensure", "prometheus"], capture_output=True, text=True, check=False, timeout=300
    )
    assert ensured.returncode == 0, ensured.stderr


@pytest.fixture
def site(tmp_path: pathlib.Path, wait_until: WaitUntil) -> Iterator[Observed]:
    with contextlib.ExitStack() as stack:
        yield Observed(tmp_path, stack, wait_until)


def promtool(*words: str, text: str = "") -> None:
    done = subprocess.run(["promtool", *words], input=text, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


class Prometheus:
    """One that scrapes each second, as docs/exporter.md configures it but for the port."""

    def __init__(self, directory: pathlib.Path, target: str, stack: contextlib.ExitStack) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = directory / "prometheus.yml"
        config.write_text(f"global:\n  scrape_interval: 1s\n{CONFIG.replace('127.0.0.1:9762', target)}")
        promtool("check", "config", str(config))
        process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory / 'data'}",
             f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(process.wait, 30)
        stack.callback(process.terminate)

    def query(self, expression: str) -> list[Any]:
        """What it finds; nothing as long as it does not answer."""
        try:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as call:
                call.request("GET", "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
                answer = json.loads(call.getresponse().read())
        except (OSError, ValueError):
            return []
        assert answer["status"] == "success", answer
        found: list[Any] = answer["data"]["result"]
        return found


def as_grafana_asks(expression: str) -> str:
    return expression.replace("$instance", ".*").replace("$__rate_interval", "1m")


def test_it_takes_what_the_exporter_says_and_answers_the_dashboard(site: Observed) -> None:
    exporter = site.exporter()
    promtool("check", "metrics", text=ask(exporter.place).text)
    prometheus = Prometheus(site.path, exporter.place.split("/")[2], site.stack)
    site.wait_until(lambda: prometheus.query('up{job="scrun"} == 1'), 60)
    site.life("x")
    site.wait_until(lambda: prometheus.query('increase(scrun_container_ends_total{kind="exited"}[1m]) > 0'), 60)
    assert len(EXPRESSIONS) >= 14
    for expression in EXPRESSIONS:
        found = prometheus.query(as_grafana_asks(expression))
        assert found, expression
    assert len(ALERTS) == 3
    for expression in ALERTS:
        prometheus.query(expression)
    assert not prometheus.query(ALERTS[0])
