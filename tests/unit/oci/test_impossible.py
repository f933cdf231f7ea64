"""What no node can do, told from what engines write by themselves."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from actors.oci.impossible import PROPERTIES, impossible
from actors.oci.own_settings import OwnSettings, own_settings

SAMPLES = pathlib.Path(__file__).parent / "samples"
ALL = ("pid", "ipc", "uts", "mount", "user")
USERS_OWN = {"net.ipv4.ip_forward"}
"""What the samples' containers were given by a user."""


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_nothing_that_an_engine_writes_by_itself_is_impossible(path: pathlib.Path) -> None:
    config = json.loads(path.read_text())
    sysctl = (config.get("linux") or {}).get("sysctl") or {}
    for name in USERS_OWN & set(sysctl):
        assert f"sysctl {name} cannot be had" in impossible(config, ALL, crun=True)
        del sysctl[name]
    assert impossible(config, ALL, crun=True) == ""


@pytest.mark.parametrize(("path", "sentence"), PROPERTIES)
def test_what_no_engine_writes_by_itself(path: tuple[str, ...], sentence: str) -> None:
    value: Any = {"x": "y"}
    for name in reversed(path):
        value = {name: value}
    assert impossible(value, ALL, crun=True) == sentence


@pytest.mark.parametrize(
    ("mounts", "refused"),
    [
        (
            [{"destination": "/run/notify", "type": "bind", "source": f"/s/overlay-containers/{'a' * 64}/userdata"}],
            True,
        ),
        ([{"destination": "/run/notify/notify.sock", "type": "bind", "source": f"/containers/{'a' * 64}/x"}], True),
        ([{"destination": "/run/notify", "type": "bind", "source": "/home/user/notify"}], False),
        ([{"destination": "/run", "type": "tmpfs"}], False),
        ([], False),
    ],
)
def test_the_engine_s_socket_for_ready(mounts: list[dict[str, str]], refused: bool) -> None:
    config = {"process": {"env": ["NOTIFY_SOCKET=/run/notify/notify.sock"]}, "mounts": mounts}
    assert ("--sdnotify" in impossible(config, ALL, crun=True)) is refused


@pytest.mark.parametrize(("score", "user", "root"), [(500, True, True), (0, True, True), (-5, False, True)])
def test_an_oom_score_below_0_is_for_root(score: int, user: bool, root: bool) -> None:
    config = {"process": {"oomScoreAdj": score}}
    assert (impossible(config, ALL, crun=True) == "") is user
    assert (impossible(config, ("ipc", "mount"), crun=True) == "") is root


@pytest.mark.parametrize(
    ("name", "namespaces", "kept"),
    [
        ("kernel.shmmax", ALL, True),
        ("kernel/shmmax", ALL, True),
        ("fs.mqueue.msg_max", ALL, True),
        ("kernel.shmmax", ("pid", "uts"), False),
        ("net.ipv4.ip_forward", ALL, False),
        ("net.ipv4.ip_forward", (*ALL, "network"), True),
        ("kernel.hostname", ALL, False),
        ("vm.swappiness", ALL, False),
    ],
)
def test_a_sysctl_is_set_or_refused(name: str, namespaces: tuple[str, ...], kept: bool) -> None:
    found = own_settings({"linux": {"sysctl": {name: "1", "net.ipv4.ping_group_range": "0 0"}}}, namespaces, crun=True)
    assert found.sysctl == ({name: "1"} if kept else {})
    assert [name.replace("/", ".") in sentence for sentence in found.refused] == ([] if kept else [True])


@pytest.mark.parametrize("config", [{"domainname": "d"}, {"linux": {"sysctl": {"kernel.domainname": "d"}}}])
def test_the_domain_name(config: dict[str, Any]) -> None:
    assert own_settings(config, ALL, crun=True) == OwnSettings(domain="d")
    assert own_settings(config, ("uts", "mount"), crun=True) == OwnSettings(domain="d")
    assert own_settings(config, ("uts", "mount"), crun=False) == OwnSettings({"kernel.domainname": "d"})
    for namespaces, crun in ((("ipc", "user"), True), (ALL, False)):
        [sentence] = own_settings(config, namespaces, crun=crun).refused
        assert "the domain name d cannot be had" in sentence
