"""What the doctor makes of ids, namespaces and directories; and the table itself."""

from __future__ import annotations

import pytest

from scrun.cli.parsing import Line
from scrun.doctor import account, table
from scrun.doctor.finding import SHELL, Finding
from scrun.host import Answer, Host

OPEN = {"user/max_user_namespaces": "63000", "kernel/unprivileged_userns_clone": "1"}


def test_counting_ids() -> None:
    text = "alice:100000:65536\n1002:1:5\nbob:2:7\nbob:9:3\n# bob\nbob:x\nbob:1:many\n"
    assert account.count_ids(text, "bob", 1002) == 15
    assert account.count_ids(text, "carol", 9) == 0


@pytest.mark.parametrize(
    ("subuid", "subgid", "uid", "level"),
    [
        ("u:1:65536", "u:1:65536", 5, "ok"),
        ("5:1:65536", "u:1:65536", 5, "ok"),
        ("u:1:65536", "", 5, "warning"),
        ("u:1:1000", "u:1:65536", 5, "warning"),
        ("", "", 0, "ok"),
    ],
)
def test_subordinate_ids(subuid: str, subgid: str, uid: int, level: str) -> None:
    assert account.judge_subordinate_ids(subuid, subgid, "u", uid, mapper=True).level == level


def test_ids_that_nobody_can_map() -> None:
    finding = account.judge_subordinate_ids("u:1:65536", "u:1:65536", "u", 5, mapper=False)
    assert (finding.level, finding.lines) == ("fault", ("apt install uidmap  # or: dnf install shadow-utils",))


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("3d1219c7c4c5404aaa1f6d2a48adfda4\n", "ok"),
        (None, "warning"),
        ("", "warning"),
        ("uninitialized\n", "warning"),
        ("0" * 32, "warning"),
    ],
)
def test_machine_id(text: str | None, level: str) -> None:
    assert account.judge_machine_id(text).level == level


@pytest.mark.parametrize(
    ("answer", "knobs", "level", "lines"),
    [
        (Answer(0, ""), {}, "ok", ()),
        (Answer(127, ""), {}, "fault", ("apt install util-linux  # or: dnf install util-linux",)),
        (Answer(1, ""), OPEN, "fault", ()),
        (
            Answer(1, "unshare: unshare failed: No space left on device"),
            OPEN | {"user/max_user_namespaces": "0"},
            "fault",
            ("user.max_user_namespaces = 15000",),
        ),
        (
            Answer(1, ""),
            {"kernel/unprivileged_userns_clone": "0", "kernel/apparmor_restrict_unprivileged_userns": "1"},
            "fault",
            ("kernel.unprivileged_userns_clone = 1", "kernel.apparmor_restrict_unprivileged_userns = 0"),
        ),
        (Answer(1, "unshare: unrecognized option '--map-user=1'"), OPEN, "warning", ()),
    ],
)
def test_user_namespaces(answer: Answer, knobs: dict[str, str], level: str, lines: tuple[str, ...]) -> None:
    finding = account.judge_user_namespaces(answer, knobs)
    assert (finding.level, finding.lines) == (level, lines)


@pytest.mark.parametrize(
    ("root", "runtime", "free", "level"),
    [
        ("/run/user/5/scrun", "/run/user/5", 1 << 30, "ok"),
        ("/run/user/5/scrun", "", 1 << 30, "ok"),
        ("/tmp/scrun-5", "", 1 << 30, "warning"),
        ("/run/user/5/scrun", "run", 1 << 30, "warning"),
        ("/run/user/5/scrun", "/run/user/5", 1 << 20, "warning"),
    ],
)
def test_state_directory(root: str, runtime: str, free: int, level: str) -> None:
    assert account.judge_state_directory(root, runtime, free).level == level


def test_a_check_that_fails_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_host: Host) -> Finding:
        raise RuntimeError("oh")

    monkeypatch.setattr(table, "CHECKS", (("one", fails), ("two", lambda _host: Finding("ok", "fine"))))
    rows = list(table.examine(Host(Line())))
    assert [(row.name, row.finding.level) for row in rows] == [("one", "fault"), ("two", "ok")]
    assert "RuntimeError: oh" in rows[0].finding.sentence


def test_how_a_row_is_shown() -> None:
    row = table.Row("x", Finding("fault", "it is wrong", SHELL, ("mend it",)))
    assert table.text(row).splitlines() == [
        "fault    x                   it is wrong",
        "             run:",
        "                 mend it",
    ]
    row = table.Row("x", Finding("warning", "it is odd", "/etc/x", ("a", "  b")))
    assert table.text(row).splitlines()[1:] == [
        "             add to /etc/x:",
        "                 a",
        "                   b",
    ]


def test_names_fit_their_column() -> None:
    assert max(len(name) for name, _ in table.CHECKS) <= 19
