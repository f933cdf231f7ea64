"""What the doctor makes of systemd, of podman's storage, and of the name scrun."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from scrun.doctor import identity, sessions, storage

PLACE = "/home/u/.config/containers/containers.conf"


@pytest.mark.parametrize(
    ("engine", "containers", "systemd", "session", "level"),
    [
        ({}, {}, True, True, "ok"),
        ({}, {}, False, False, "ok"),
        ({"events_logger": "journald"}, {}, False, False, "warning"),
        ({"events_logger": "journald"}, {}, True, True, "ok"),
        ({"events_logger": "file"}, {}, True, True, "warning"),
        ({"events_logger": "file"}, {"log_driver": "k8s-file"}, True, True, "ok"),
        ({"events_logger": "file", "cgroup_manager": "cgroupfs"}, {}, False, False, "ok"),
        ({"cgroup_manager": "cgroupfs"}, {}, True, True, "warning"),
        ({"cgroup_manager": "cgroupfs"}, {}, True, False, "ok"),
    ],
)
def test_podman_and_systemd(
    engine: dict[str, Any], containers: dict[str, Any], systemd: bool, session: bool, level: str
) -> None:
    finding = sessions.judge_podman(engine, containers, PLACE, systemd=systemd, session=session)
    assert finding.level == level
    mended = engine | tomllib.loads("\n".join(finding.lines)).get("engine", {})
    assert sessions.judge_podman(mended, containers, PLACE, systemd=systemd, session=session).level == "ok"


@pytest.mark.parametrize(
    ("uid", "session", "lingers", "level"),
    [(5, True, False, "warning"), (5, True, True, "ok"), (5, False, False, "ok"), (0, True, False, "ok")],
)
def test_lingering(uid: int, session: bool, lingers: bool, level: str) -> None:
    finding = sessions.judge_lingering("u", uid, session=session, lingers=lingers)
    assert finding.level == level
    assert finding.lines == (("loginctl enable-linger u",) if level == "warning" else ())


@pytest.mark.parametrize(
    ("text", "uid", "own", "path"),
    [
        ("", 5, False, "/home/u/.local/share/containers/storage"),
        ("", 0, False, "/var/lib/containers/storage"),
        ('graphroot = "/g"', 5, False, "/home/u/.local/share/containers/storage"),
        ('graphroot = "/g"', 5, True, "/g"),
        ('graphroot = "/g"', 0, False, "/g"),
        ('rootless_storage_path = "/local/$USER/$UID"', 5, False, "/local/u/5"),
        ('rootless_storage_path = "$HOME/x"\ngraphroot = "/g"', 5, True, "/home/u/x"),
    ],
)
def test_where_podman_keeps_images(text: str, uid: int, own: bool, path: str) -> None:
    names = {"USER": "u", "HOME": "/home/u"}
    found = storage.graph_root(tomllib.loads(text), uid, own=own, data="/home/u/.local/share", names=names)
    assert found == path


def test_images_on_a_network_file_system() -> None:
    assert storage.judge_storage("/g", lambda _path: "ext4").level == "ok"
    finding = storage.judge_storage("/g", {"/g": "nfs4"}.__getitem__)
    assert finding.level == "warning"
    mended = tomllib.loads("\n".join(finding.lines))["storage"]
    path = storage.graph_root(mended, 5, own=False, data="/home/u", names={"USER": "u"})
    assert path == "/var/lib/user-containers/u"


LAUNCHER = "#!/bin/sh\nexec python3 -IS $root/scrun/__main__.py\n"


@pytest.mark.parametrize(
    ("there", "text", "kind"),
    [
        (False, None, "nothing"),
        (True, LAUNCHER, "ours"),
        (True, "\x7fELF…", "another"),
        (True, "#!/bin/sh\nexec srun\n", "another"),
        (True, None, "another"),
    ],
)
def test_whose_program_it_is(there: bool, text: str | None, kind: identity.Who) -> None:
    assert identity.who(there, text) == kind


@pytest.mark.parametrize(
    ("candidates", "level", "words"),
    [
        ([("/usr/local/bin/scrun", "ours"), ("/usr/bin/scrun", "another")], "ok", "/usr/local/bin/scrun"),
        ([("/x/scrun", "nothing"), ("/usr/local/bin/scrun", "ours")], "ok", "/usr/local/bin/scrun"),
        ([("/usr/local/bin/scrun", "nothing"), ("/usr/bin/scrun", "another")], "warning", "leads nowhere"),
        ([("/usr/bin/scrun", "another"), ("/usr/local/bin/scrun", "ours")], "warning", "must stand before /usr/bin"),
        ([("/usr/local/bin/scrun", "nothing")], "warning", "leads nowhere"),
        ([], "warning", "no directory of PATH"),
    ],
)
def test_which_scrun_answers(candidates: list[tuple[str, identity.Who]], level: str, words: str) -> None:
    finding = identity.judge_path(candidates, "/opt/scrun/bin/scrun")
    assert finding.level == level
    assert words in finding.sentence
    assert finding.lines == (("ln -sfn /opt/scrun/bin/scrun /usr/local/bin/scrun",) if level == "warning" else ())
