"""The description of a program that is added to a container: by an engine's file, or by options."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from actors.oci import config_file
from proto.errors import BundleError, ScrunError, UsageError
from scrun.cli.parsing import Line, parse
from scrun.exec import process

if TYPE_CHECKING:
    import pathlib

BASE: dict[str, Any] = {
    "args": ["sleep"],
    "cwd": "/srv",
    "env": ["PATH=/bin"],
    "terminal": True,
    "consoleSize": {"height": 3, "width": 4},
    "user": {"uid": 5, "gid": 6, "additionalGids": [7]},
    "capabilities": {"bounding": ["CAP_KILL"], "ambient": ["CAP_KILL"]},
}


def made(*options: str) -> dict[str, Any]:
    line = parse(["exec", *options, "ID", "cmd", "-x"], Line())
    return process.from_options(BASE, line.arguments[1:], line.own)


def test_the_container_s_own_process_is_what_it_begins_with() -> None:
    assert made() == {
        "args": ["cmd", "-x"],
        "cwd": "/srv",
        "env": ["PATH=/bin"],
        "terminal": False,
        "user": BASE["user"],
        "capabilities": BASE["capabilities"],
    }


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        (["-t"], {"terminal": True}),
        (["--cwd", "/x"], {"cwd": "/x"}),
        (["-e", "A=1", "--env=B="], {"env": ["PATH=/bin", "A=1", "B="]}),
        (["-u", "8"], {"user": {"uid": 8, "gid": 6, "additionalGids": [7]}}),
        (["-u", "8:9", "-g", "10", "-g", "11"], {"user": {"uid": 8, "gid": 9, "additionalGids": [7, 10, 11]}}),
        (["--no-new-privs"], {"noNewPrivileges": True}),
        (
            ["-c", "CAP_CHOWN"],
            {
                "capabilities": {
                    "bounding": ["CAP_KILL", "CAP_CHOWN"],
                    "effective": ["CAP_CHOWN"],
                    "permitted": ["CAP_CHOWN"],
                    "ambient": ["CAP_KILL"],
                }
            },
        ),
    ],
)
def test_what_an_option_changes(options: list[str], changed: dict[str, Any]) -> None:
    assert made(*options) == made() | changed


@pytest.mark.parametrize("options", [["-u", "root"], ["-u", "1:"], ["-u", "4294967296"], ["-g", "-1"], ["--cwd", "x"]])
def test_an_option_that_cannot_be_understood(options: list[str]) -> None:
    with pytest.raises(UsageError):
        made(*options)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not valid JSON"),
        ("[]", "process must be an object"),
        ('{"args": "sh", "cwd": "/"}', "process.args"),
        ('{"args": [], "cwd": "/"}', "process args cannot be empty"),
        ('{"args": ["sh"]}', "absolute path"),
        ('{"args": ["sh"], "cwd": "/", "user": {"uid": -1}}', "process.user.uid"),
    ],
)
def test_a_file_that_describes_nothing(tmp_path: pathlib.Path, text: str, sentence: str) -> None:
    (tmp_path / "process").write_text(text)
    with pytest.raises(ScrunError, match=sentence):
        process.read(str(tmp_path / "process"))
    with pytest.raises(BundleError, match="is not there"):
        process.read(str(tmp_path / "none"))


def test_bytes_that_are_no_text_survive(tmp_path: pathlib.Path) -> None:
    written = b'{"args":["\xff\\u00e9"],"cwd":"/"}'
    (tmp_path / "process").write_bytes(written)
    found = config_file.encode(process.read(str(tmp_path / "process")))
    assert found == b'{"args":["\xff\xc3\xa9"],"cwd":"/"}'
    assert b"\n" not in config_file.encode({"args": ["a\nb"]})
    assert json.loads(config_file.encode({"args": ["a\nb"]})) == {"args": ["a\nb"]}


def test_the_size_of_the_terminal() -> None:
    assert process.console_size(BASE) == (3, 4)
    assert process.console_size({}) is None
