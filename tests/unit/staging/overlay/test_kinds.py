import json
from pathlib import Path

import pytest

from actors.slurm.oci_conf import parse
from actors.staging.commands import Commands
from actors.staging.overlay import kinds
from actors.staging.overlay.kinds import MEMORY, Kinds, Needs, Verdict, read_verdict, takes_hooks

NEEDS = Needs("crun", "/tmp", "own")
CRUN = "runtime=crun version 1.8.1\n"
YES = f"kernel=Linux 6.1 x86_64\n{CRUN}overlay=yes\nend=yes\n"


class Node:
    """Answers the question by a text, and counts."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.asked = 0
        self.run = Commands((b"PATH=/usr/bin:/bin",), self._argv, lambda *_: None)

    def _argv(self, _: bytes) -> tuple[list[bytes], list[bytes]]:
        self.asked += 1
        return [b"/bin/echo", b"-n", self.text.encode()], []


def ask(directory: Path, node: Node, name: str = "n1", needs: Needs = NEEDS) -> Verdict:
    return Kinds(str(directory)).ask(name, needs, str(directory), node.run, lambda *_: None)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (YES, Verdict("Linux 6.1 x86_64", works=True)),
        (
            f"kernel=Linux 6.1\n{CRUN}volatile=yes\noverlay=yes\nend=yes\n",
            Verdict("Linux 6.1", works=True, volatile=True),
        ),
        (
            f"kernel=Linux 4.18\n{CRUN}why=mount: denied\nend=yes\n",
            Verdict("Linux 4.18", works=False, why="mount: denied"),
        ),
        (
            "kernel=Linux 6.1\nmissing=tar\nmissing=cp\noverlay=yes\nend=yes",
            Verdict("Linux 6.1", works=False, why="the node lacks tar, cp"),
        ),
        (
            "kernel=Linux 6.1\nruntime=runc version 1.3.6\noverlay=yes\nend=yes",
            Verdict("Linux 6.1", works=True, hooks=False),
        ),
        (
            "kernel=Linux 6.1\nruntime=kata version 3\noverlay=yes\nend=yes",
            Verdict("Linux 6.1", works=False, why="its OCI runtime is not known to serve: kata version 3"),
        ),
        (
            "kernel=Linux 6.1\nruntime=\noverlay=yes\nend=yes",
            Verdict("", works=False, why="the node's OCI runtime does not say what it is"),
        ),
        ("kernel=Linux 6.1\n", Verdict("", works=False, why="the node gave no answer: kernel=Linux 6.1")),
        ("", Verdict("", works=False, why="the node gave no answer: ")),
    ],
)
def test_what_a_node_says(text: str, verdict: Verdict) -> None:
    assert read_verdict(text) == verdict


def test_a_node_is_asked_once(tmp_path: Path) -> None:
    node = Node(YES)
    assert [ask(tmp_path, node).works for _ in range(3)] == [True] * 3
    assert node.asked == 1
    ask(tmp_path, node, "n2")
    ask(tmp_path, node, needs=Needs("crun", "/local", "own"))
    assert node.asked == 3


def test_a_refusal_is_remembered_as_well(tmp_path: Path) -> None:
    node = Node(f"kernel=Linux 4.18\n{CRUN}why=no\nend=yes\n")
    assert [ask(tmp_path, node) for _ in range(2)] == [Verdict("Linux 4.18", works=False, why="no")] * 2
    assert node.asked == 1


def test_what_is_remembered_is_all_that_was_said(tmp_path: Path) -> None:
    node = Node("kernel=Linux 6.1\nruntime=runc version 1.3.6\noverlay=yes\nend=yes\n")
    assert [ask(tmp_path, node).hooks for _ in range(2)] == [False, False]
    assert node.asked == 1


def test_silence_is_not_remembered(tmp_path: Path) -> None:
    node = Node("srun: error: the node is away\n")
    assert not ask(tmp_path, node).works
    assert not ask(tmp_path, node).works
    assert node.asked == 2


def test_a_node_is_asked_again_when_it_has_failed_or_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(YES)
    ask(tmp_path, node)
    ask(tmp_path, node, "n11")
    Kinds(str(tmp_path)).forget("n1")
    ask(tmp_path, node)
    assert node.asked == 3
    ask(tmp_path, node, "n11")
    assert node.asked == 3
    monkeypatch.setattr(kinds, "AGE", 0.0)
    ask(tmp_path, node)
    assert node.asked == 4


@pytest.mark.parametrize("text", ["", "[]", "{", '{"n1 crun /tmp own": 5}', '{"n1 crun /tmp own": {"time": "x"}}'])
def test_a_memory_that_nobody_can_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / MEMORY).write_text(text)
    assert ask(tmp_path, Node(YES)).works
    assert json.loads((tmp_path / "cache" / MEMORY).read_text())["n1 crun /tmp own"]["works"]


def test_nothing_is_left_beside_the_memory(tmp_path: Path) -> None:
    ask(tmp_path, Node(YES))
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*.*")] == [Path("cache", MEMORY)]


@pytest.mark.parametrize(
    ("version", "takes"),
    [
        ("crun version 1.8.1", True),
        ("crun version 1.21", True),
        ("crun version 1.28", False),
        ("runc version 1.1.5+ds1", True),
        ("runc version 1.2.0", False),
        ("runc version 1.3.6", False),
        ("singularity-ce version 4.1.1", None),
        ("", None),
    ],
)
def test_which_runtimes_take_what_a_hook_has_mounted(version: str, takes: bool | None) -> None:
    assert takes_hooks(version) is takes


def test_the_runtime_is_oci_conf_s() -> None:
    conf = parse('RunTimeRun="exec env -u NOTIFY_SOCKET /usr/bin/crun --rootless=true run --bundle %b %n"')
    assert conf.runtime == "/usr/bin/crun"
    assert parse("").runtime == ""
