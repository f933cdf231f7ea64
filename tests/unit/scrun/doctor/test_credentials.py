"""What the doctor makes of munge, sackd and TLS."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from scrun.cli.parsing import Line
from scrun.doctor import credentials
from scrun.host import Answer, Host

if TYPE_CHECKING:
    import pathlib

GOOD = Answer(0, "STATUS:          Success (0)\nENCODE_HOST: x\n")
PLACES = ["/run/slurm/sack.socket"]


@pytest.mark.parametrize(
    ("made", "read", "level", "words"),
    [
        (Answer(0, "MUNGE:x:\n"), GOOD, "ok", "accepted"),
        (Answer(127, ""), GOOD, "fault", "not installed"),
        (Answer(6, 'munge: Error: Failed to access "/run/munge/munge.socket.2"'), GOOD, "fault", "does not answer"),
        (Answer(124, ""), GOOD, "fault", "does not answer"),
        (Answer(0, "MUNGE:x:\n"), Answer(15, "STATUS: Expired credential (15)\n"), "fault", "clock"),
        (Answer(0, "MUNGE:x:\n"), Answer(0, ""), "fault", "not accepted"),
    ],
)
def test_munge(made: Answer, read: Answer, level: str, words: str) -> None:
    finding = credentials.judge_munge(made, read)
    assert finding.level == level
    assert words in finding.sentence


@pytest.mark.parametrize(
    ("there", "key", "listens", "level", "words"),
    [
        (PLACES[0], "", True, "ok", "/run/slurm/sack.socket answers"),
        ("", "/e/slurm.key", False, "ok", "/e/slurm.key can be read"),
        (PLACES[0], "", False, "fault", "nobody listens at /run/slurm/sack.socket"),
        ("", "", False, "fault", "sackd does not run here"),
    ],
)
def test_auth_slurm(there: str, key: str, listens: bool, level: str, words: str) -> None:
    finding = credentials.judge_sack(PLACES, there, key, listens=listens)
    assert (finding.level, bool(finding.lines)) == (level, level != "ok")
    assert words in finding.sentence


def test_where_the_socket_may_be() -> None:
    assert credentials.sockets("c", "")[:2] == ["/run/slurm-c/sack.socket", "/run/slurm/sack.socket"]
    assert credentials.sockets("", "")[0] == "/run/slurm/sack.socket"
    assert credentials.sockets("c", "/x") == ["/x"]


def test_a_socket_that_somebody_listens_at(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "s")
    host = Host(Line())
    assert not host.listens(path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        assert not host.listens(path)
        server.listen()
        assert host.listens(path)


@pytest.mark.parametrize(
    ("kind", "scripts", "openssl", "reads", "level", "words"),
    [
        ("", "", "", True, "ok", "not in use"),
        ("tls/none", "", "", True, "ok", "not in use"),
        ("tls/s2n", "", "/usr/bin/openssl", True, "ok", "/usr/bin/openssl makes certificates"),
        ("tls/s2n", "", "", True, "fault", "openssl, which is not installed"),
        ("tls/s2n", "certgen_script=/x", "", True, "ok", "own scripts"),
        ("tls/s2n", "", "/usr/bin/openssl", False, "fault", "/e/ca.pem cannot be read"),
    ],
)
def test_tls(kind: str, scripts: str, openssl: str, reads: bool, level: str, words: str) -> None:
    finding = credentials.judge_tls(kind, scripts, "/e/ca.pem", openssl=openssl, reads=reads)
    assert (finding.level, bool(finding.lines)) == (level, level != "ok")
    assert words in finding.sentence
