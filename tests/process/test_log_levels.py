"""SCRUN_DEBUG and its three relatives, one by one: the client's lines and the anchor's, in each place."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.process.site import COMMAND, Site

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

TEXT = re.compile(r'time="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ" level=(debug|info|error) msg=".*"')
# A /dev of its own whose "log" is the test's socket.
OWN_DEV = """set -e; mount -t tmpfs none "$1"; for name in null zero full random urandom tty; do
    touch "$1/$name"; mount --bind "/dev/$name" "$1/$name"; done
    mkdir "$1/pts"; mount --rbind /dev/pts "$1/pts"; ln -s pts/ptmx "$1/ptmx"; ln -s /proc/self/fd "$1/fd"
    ln -s "$2" "$1/log"; mount --move "$1" /dev; shift 2; exec "$@" """


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[Site]:
    found = Site(tmp_path)
    found.config()
    yield found
    found.scrun("delete", "--force", "x")


def call(site: Site, *words: str, prefix: tuple[str, ...] = (), status: int = 0, **environ: str) -> str:
    """Call scrun; return its standard error."""
    with tempfile.TemporaryFile("w+") as error:
        done = subprocess.run(
            [*prefix, *COMMAND, "--root", str(site.root), *words], env=site.environ | environ, cwd=site.bundle,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=error, timeout=60, check=False,
        )  # fmt: skip
        error.seek(0)
        text = error.read()
    assert done.returncode == status, text
    return text


def own_log(site: Site) -> str:
    return (site.root / "x/log").read_text()


def test_nothing_is_said_unless_it_is_asked_for(site: Site) -> None:
    assert call(site, "--log", str(site.log), "create", "x") == ""
    assert call(site, "--log", str(site.log), "start", "x") == ""
    assert not site.log.exists()
    assert own_log(site) == ""


def test_STDERR_is_the_client_s_standard_error_only(site: Site) -> None:
    said = call(site, "--log", str(site.log), "create", "x", SCRUN_STDERR_DEBUG="debug").splitlines()
    assert all(TEXT.fullmatch(line) for line in said)
    assert any("scrun 0.1.0: create x" in line for line in said)
    assert any("level=info" in line and str(site.bundle) in line for line in said)
    assert not site.log.exists()
    assert own_log(site) == ""
    json_lines = call(site, "--log-format", "json", "state", "x", SCRUN_STDERR_DEBUG="debug").splitlines()
    assert {json.loads(line)["level"] for line in json_lines} == {"debug"}
    # Nothing of level debug, and nothing at all.
    assert call(site, "state", "x", SCRUN_STDERR_DEBUG="info") == ""
    assert call(site, "state", "nobody", SCRUN_STDERR_DEBUG="quiet", status=1) == ""
    assert call(site, "state", "nobody", SCRUN_STDERR_DEBUG="fatal", status=1) == ""


def test_FILE_is_the_log_of_the_command_line_for_client_and_anchor(site: Site) -> None:
    log = ("--log", str(site.log), "--log-format", "json")
    assert call(site, *log, "create", "x", SCRUN_FILE_DEBUG="debug") == ""
    lines = [json.loads(line) for line in site.log.read_text().splitlines()]
    assert all(set(line) == {"level", "msg", "time"} for line in lines)
    said = [line["msg"] for line in lines]
    assert any("create x" in text for text in said)
    assert any(text.startswith("x anchor: state is ready") for text in said)
    assert any(text.startswith("x state: ") for text in said)
    assert own_log(site) == ""
    assert "StepStarted" not in site.log.read_text()
    # start has no variable here, as with podman; the anchor goes on as it was told at create.
    assert call(site, *log, "start", "x") == ""
    assert "StepStarted" in site.log.read_text()
    assert "start x" not in site.log.read_text()
    site.log.unlink()
    assert call(site, *log, "state", "nobody", SCRUN_FILE_DEBUG="quiet", status=1)
    assert not site.log.exists()


def test_DEBUG_is_the_container_s_own_log_and_the_client_s(site: Site) -> None:
    said = call(site, "create", "x", SCRUN_DEBUG="debug")
    assert "create x" in said
    assert " debug anchor: state is ready" in own_log(site)
    assert call(site, "--log", str(site.log), "state", "x", SCRUN_DEBUG="debug") == ""
    assert "level=debug" in site.log.read_text()
    assert "anchor" not in said


@pytest.mark.parametrize("option", [["--debug"], ["--log-level", "debug"], ["-vv"]])
def test_options_are_for_everything_but_syslog(site: Site, option: list[str]) -> None:
    assert call(site, *option, "--log", str(site.log), "create", "x") == ""
    text = site.log.read_text()
    assert all(TEXT.fullmatch(line) for line in text.splitlines())
    assert "create x" in text
    assert "x anchor: " in text
    assert " debug anchor: " in own_log(site)


def test_a_failure_is_the_last_record_and_the_sentence(site: Site) -> None:
    said = call(site, "--debug", "--log", str(site.log), "--log-format", "json", "state", "nobody", status=1)
    assert said == "container nobody does not exist\n"
    levels = [json.loads(line)["level"] for line in site.log.read_text().splitlines()]
    assert levels == ["debug", "error"]


@pytest.fixture
def syslog(tmp_path: pathlib.Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "s"))
        sock.setblocking(False)
        yield sock


def received(sock: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(sock.recv(1 << 16).decode())
        except BlockingIOError:
            return found


def received_of_client(sock: socket.socket) -> list[str]:
    """The container ``x`` may have something to say at any time."""
    return [line for line in received(sock) if not line.partition(": ")[2].startswith("x ")]


def test_SYSLOG_gets_what_client_and_anchor_say(site: Site, syslog: socket.socket, tmp_path: pathlib.Path) -> None:
    (tmp_path / "dev").mkdir()
    prefix = (
        "/usr/bin/unshare",
        "--mount",
        "/bin/sh",
        "-c",
        OWN_DEV,
        "sh",
        str(tmp_path / "dev"),
        syslog.getsockname(),
    )
    assert call(site, "--log", str(site.log), "create", "x", prefix=prefix, SCRUN_SYSLOG_DEBUG="debug") == ""
    lines = received(syslog)
    form = re.compile(r"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d scrun\[\d+\]: (.*)", re.DOTALL)
    parts = [match for line in lines if (match := form.fullmatch(line))]
    assert len(parts) == len(lines)
    assert any(match[1] == "15" and match[2] == "scrun 0.1.0: create x" for match in parts)
    assert any(match[2].startswith("x anchor: ") for match in parts)
    assert not site.log.exists()
    assert own_log(site) == ""
    assert call(site, "state", "no", prefix=prefix, SCRUN_SYSLOG_DEBUG="error", status=1).startswith("container no")
    assert [line.partition(": ")[2] for line in received_of_client(syslog)] == ["container no does not exist"]
    # crun's form of a log.
    call(site, "--log", "syslog:me", "state", "no", prefix=prefix, status=1)
    [line] = received_of_client(syslog)
    assert re.fullmatch(r"<11>.* me\[\d+\]: container no does not exist", line)


def test_a_level_that_there_is_not(site: Site) -> None:
    for variable in ("SCRUN_DEBUG", "SCRUN_STDERR_DEBUG", "SCRUN_SYSLOG_DEBUG", "SCRUN_FILE_DEBUG"):
        wrong: Any = {variable: "loud"}
        sentence = call(site, "create", "x", status=1, **wrong)
        assert sentence.startswith(f"{variable}: there is no log level 'loud'; use one of quiet")
    assert not site.root.exists() or not os.listdir(site.root)
