"""config.json: what is taken, and the sentence for everything that is not."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.oci import bundle, config_file, config_form
from proto.errors import BundleError

if TYPE_CHECKING:
    import pathlib


@pytest.fixture
def config(tmp_path: pathlib.Path) -> dict[str, Any]:
    (tmp_path / "rootfs").mkdir()
    return {
        "ociVersion": "1.0.2-dev",
        "root": {"path": "rootfs"},
        "process": {"cwd": "/", "args": ["sh", "-c", "true"], "env": ["A=1", "PATH=/x", "A=2"]},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/data", "type": "bind", "source": "/srv/data", "options": ["rbind"]},
            {"destination": "/near", "source": "near", "options": ["bind"]},
        ],
        "annotations": {"scrun.partition": "gpu"},
        "unknown": {"is": "ignored"},
        "linux": {"resources": {"cpu": {}}, "namespaces": [{"type": "pid"}]},
    }


def load(path: pathlib.Path, config: Any) -> bundle.Bundle:
    (path / "config.json").write_text(json.dumps(config))
    return bundle.load(str(path))


def test_a_good_one(tmp_path: pathlib.Path, config: dict[str, Any]) -> None:
    found = load(tmp_path, config)
    assert found.rootfs == str(tmp_path / "rootfs")
    assert found.args == (b"sh", b"-c", b"true")
    assert found.env_value("A") == "2"
    assert not found.env_value("B")
    assert found.binds == {
        b"/proc": b"",
        b"/data": b"/srv/data",
        b"/near": os.fsencode(tmp_path / "near"),
    }
    assert (found.terminal, found.readonly, found.oci_version) == (False, False, "1.0.2-dev")
    assert found.data == (tmp_path / "config.json").read_bytes()


@pytest.mark.parametrize("version", ["1.0.0", "1.0.2-dev", "1.2.1+x", "1.99.0-rc.1"])
def test_versions_that_are_taken(tmp_path: pathlib.Path, config: dict[str, Any], version: str) -> None:
    assert load(tmp_path, config | {"ociVersion": version}).oci_version == version


WRONG: list[tuple[str, Any, str]] = [
    ("ociVersion", None, "ociVersion is missing"),
    ("ociVersion", "2.0.0", "not supported"),
    ("ociVersion", "1.0", "no version"),
    ("ociVersion", 1, "must be a text"),
    ("root", None, "root is missing"),
    ("root", [], "root must be an object"),
    ("root.path", "nowhere", "there is no directory"),
    ("root.path", 3, "must be a text"),
    ("root.readonly", "yes", "true or false"),
    ("process", None, "process is missing"),
    ("process.args", None, "process.args is missing"),
    ("process.args", [], "at least one word"),
    ("process.args", "sh", "must be a list"),
    ("process.args", ["sh", 1], "must be a text"),
    ("process.args", ["a\0b"], "character 0"),
    ("process.args", ["\ud800"], "no byte stands for"),
    ("process.cwd", None, "process.cwd is missing"),
    ("process.cwd", "relative", "absolute"),
    ("process.env", {"A": "1"}, "must be a list"),
    ("process.terminal", 1, "true or false"),
    ("process.user", "root", "must be an object"),
    ("process.user", {"uid": "0"}, "must be a number"),
    ("process.user", {"uid": True}, "must be a number"),
    ("process.user", {"additionalGids": [-1]}, "must be a number from 0"),
    ("process.user", {"gid": 1 << 32}, "must be a number from 0"),
    ("process.rlimits", [{"type": "RLIMIT_CPU"}, {"type": "RLIMIT_CPU"}], "RLIMIT_CPU twice"),
    ("mounts", {}, "must be a list"),
    ("mounts", [{"destination": 1}], "must be a text"),
    ("mounts", [{"destination": "/x", "options": ["bind"]}], "has no source"),
    ("linux.namespaces", [{"type": "pid"}, {"type": "pid"}], "pid twice"),
    ("linux.namespaces", [{}], "linux.namespaces.type is missing"),
    ("linux.devices", [{"major": "1"}], "linux.devices.major of config.json must be a number"),
    ("linux.sysctl", ["x"], "linux.sysctl must be an object"),
    ("linux.uidMappings", [None], "must not have null in it"),
    ("process.capabilities", {"bounding": "CAP_KILL"}, "process.capabilities.bounding of config.json must be a list"),
    ("process.consoleSize", {"height": "1"}, "must be a number"),
    ("hostname", "\ud800", "no byte stands for"),
    ("unknown", [{"\ud800": 1}], "no byte stands for"),
    ("linux.resources", [1], "must be an object"),
    ("hooks", [1], "must be an object"),
    ("hooks", {"poststart": [{"path": "bin/x"}]}, "absolute"),
    ("hooks", {"poststart": [{"path": "/bin/x", "timeout": 0}]}, "above 0"),
    ("hooks", {"poststart": {"path": "/bin/x"}}, "must be a list"),
    ("annotations", {"a": 1}, "must be a text"),
    ("annotations", {"": "1"}, "must have names"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), WRONG)
def test_wrong_properties(tmp_path: pathlib.Path, config: dict[str, Any], name: str, value: Any, sentence: str) -> None:
    *parents, last = name.split(".")
    place = config
    for parent in parents:
        place = place[parent]
    place[last] = value
    with pytest.raises(BundleError) as caught:
        load(tmp_path, config)
    assert sentence in caught.value.sentence
    assert "\n" not in caught.value.sentence


def test_bytes_that_are_no_text(tmp_path: pathlib.Path, config: dict[str, Any]) -> None:
    text = json.dumps(config).encode().replace(b'"true"', b'"\xff\xfe"')
    (tmp_path / "config.json").write_bytes(text)
    with pytest.raises(BundleError, match="not UTF-8"):
        bundle.load(str(tmp_path))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b"[]", "must be an object"),
        (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "nested too deeply"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"1" * 10_000, "not valid JSON"),
    ],
    ids=lambda value: value[:10],
)
def test_files_that_are_no_config(tmp_path: pathlib.Path, data: bytes, sentence: str) -> None:
    (tmp_path / "config.json").write_bytes(data)
    with pytest.raises(BundleError, match=sentence):
        bundle.load(str(tmp_path))


def test_no_config(tmp_path: pathlib.Path) -> None:
    with pytest.raises(BundleError, match=r"JSON specification file config\.json not found"):
        bundle.load(str(tmp_path))


def test_a_config_of_another_name(tmp_path: pathlib.Path, config: dict[str, Any]) -> None:
    load(tmp_path, config)
    (tmp_path / "config.json").rename(tmp_path / "other.json")
    assert bundle.load(str(tmp_path), str(tmp_path / "other.json")).args[0] == b"sh"


def test_things_that_are_no_files(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(BundleError, match="not a regular file"):
        bundle.load(str(tmp_path))
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").mkdir()
    with pytest.raises(BundleError):
        bundle.load(str(tmp_path))
    with pytest.raises(BundleError, match="no bundle directory"):
        bundle.load(str(tmp_path / "nothing"))


def test_a_config_without_end(tmp_path: pathlib.Path) -> None:
    with open(tmp_path / "config.json", "wb") as file:
        file.truncate(config_file.SIZE_LIMIT + 1)
    with pytest.raises(BundleError, match="larger than 16 MiB"):
        bundle.load(str(tmp_path))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["x" * (128 << 10)], "a word of 131072 bytes"),
        (["x" * 99_999] * 21, "2100000 bytes"),
        ([], "at least one word"),
    ],
)
def test_arguments_that_no_kernel_takes(args: list[str], words: str) -> None:
    config = {"ociVersion": "1.0.0", "root": {"path": "/"}, "process": {"args": args, "cwd": "/"}}
    with pytest.raises(BundleError, match=words):
        bundle.check("/", b"", config)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
PROPERTIES = st.dictionaries(
    st.sampled_from(["ociVersion", "root", "process", "mounts", "hooks", "annotations", "linux"]), JSON
)


@given(PROPERTIES, st.dictionaries(st.sampled_from(["args", "cwd", "env", "user", "rlimits"]), JSON))
def test_no_config_causes_anything_but_a_sentence(config: dict[str, Any], process: dict[str, Any]) -> None:
    base = {"ociVersion": "1.0.0", "root": {"path": "/"}, "process": {"args": ["x"], "cwd": "/"} | process}
    with contextlib.suppress(BundleError):
        if not config_form.fault(base | config):
            bundle.check("/", b"", config_form.without_nulls(base | config))
