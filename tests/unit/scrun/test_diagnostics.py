"""What scrun says when it fails."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from proto.errors import NotFoundError
from proto.host import log_record
from scrun.cli.parsing import Line
from scrun.report import diagnostics
from scrun.report.lines import LIMIT, one_line, write

if TYPE_CHECKING:
    import pathlib

    import pytest


def line_of(verb: str = "state", **options: str) -> Line:
    line = Line()
    line.verb = verb
    for name, value in options.items():
        line.options[name.replace("_", "-")] = [value]
    return line


@given(st.text())
def test_quoting_is_json(text: str) -> None:
    loaded = json.loads(log_record.quote(text))
    assert len(loaded) == len(text)
    assert all(
        left == right or ord(right) > 0xFFFF or not right.isprintable()
        for left, right in zip(loaded, text, strict=True)
    )


@given(st.text())
def test_one_line_is_one(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert len(line) <= LIMIT + 1


def test_a_json_record() -> None:
    text = log_record.record('no "x"\n', "json", 0.0)
    assert text == '{"level":"error","msg":"no \\"x\\"\\n","time":"1970-01-01T00:00:00Z"}\n'


def test_a_text_record() -> None:
    assert log_record.record("no", "", 0.0) == 'time="1970-01-01T00:00:00Z" level=error msg="no"\n'


def test_one_record_is_appended(tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    line = line_of(log=str(log), log_format="json")
    for _ in range(2):
        assert diagnostics.report(line, NotFoundError("container x does not exist")) == 1
    records = [json.loads(text) for text in log.read_text().splitlines()]
    assert [record["msg"] for record in records] == ["container x does not exist"] * 2
    assert set(records[0]) == {"level", "msg", "time"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", records[0]["time"])
    assert log.stat().st_mode & 0o777 == 0o644 & ~_umask()
    assert capfd.readouterr() == ("", "container x does not exist\n" * 2)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def test_without_log(capfd: pytest.CaptureFixture[str]) -> None:
    diagnostics.report(line_of(), NotFoundError("no"))
    assert capfd.readouterr().err == "no\n"
    diagnostics.report(line_of(log_format="json"), NotFoundError("no"))
    assert json.loads(capfd.readouterr().err)["msg"] == "no"


def test_an_unexpected_exception(capfd: pytest.CaptureFixture[str]) -> None:
    assert diagnostics.report(line_of(), KeyError("x\ny")) == 1
    assert capfd.readouterr().err == "internal error: KeyError: 'x\\ny'\n"
    diagnostics.report(line_of(debug="true"), KeyError("x"))
    assert "Traceback" not in capfd.readouterr().err  # there is none: it was never raised


def test_exec_fails_with_255(capfd: pytest.CaptureFixture[str]) -> None:
    assert diagnostics.report(line_of("exec"), NotFoundError("no")) == 255
    assert capfd.readouterr().err == "exec failed: no\n"


def test_logs_that_are_no_files(tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "fifo")
    for log in (str(tmp_path / "fifo"), str(tmp_path / "none/log"), "journald:x", "syslog:x"):
        assert diagnostics.report(line_of(log=log), NotFoundError("no")) == 1
        assert capfd.readouterr().err == "no\n"
    diagnostics.report(line_of(log=f"file:{tmp_path}/log"), NotFoundError("no"))
    assert (tmp_path / "log").read_text().endswith('msg="no"\n')


def test_nobody_listens() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    write(writing, "text")
    os.close(writing)
