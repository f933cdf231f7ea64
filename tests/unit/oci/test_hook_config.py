"""Hooks of config.json: what is read, and what the rules make of it."""

from __future__ import annotations

from typing import Any

import pytest

from actors.oci import config_form, hook_config
from actors.oci.hook_config import Hook
from proto.errors import BundleError, UnsupportedError
from proto.life.settings import HOOK_RULES
from scrun.hooks import moments

NVIDIA = Hook("/usr/bin/nvidia-container-toolkit", ("nvidia-container-toolkit", "prestart"))
DOCKER = Hook("/proc/17/exe", ("libnetwork-setkey", "-exec-root=/run/docker"))
PLAIN = Hook("/opt/site/hook", ("hook", "x"), ("A=1",), 5)


def read(value: Any) -> dict[str, tuple[Hook, ...]]:
    """As ``create`` does: the form first."""
    if wrong := config_form.fault({"hooks": value}):
        raise BundleError(wrong)
    return hook_config.read(config_form.without_nulls(value))


def test_only_those_of_this_host_are_returned() -> None:
    entry: dict[str, Any] = {"path": "/opt/site/hook", "args": ["hook", "x"], "env": ["A=1"], "timeout": 5}
    bare: dict[str, Any] = {"path": "/x", "args": None}
    value = {
        "prestart": [entry, bare], "createRuntime": [], "createContainer": [entry], "startContainer": [entry],
        "poststop": None, "unknown": 17,
    }  # fmt: skip
    assert read(value) == {"prestart": (PLAIN, Hook("/x"))}
    assert read({}) == {}


@pytest.mark.parametrize("kind", ["prestart", "createContainer"])
@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"path": "x"},
        {"path": 1},
        {"path": "/x\0"},
        {"path": "/x", "args": [1]},
        {"path": "/x", "env": "A=1"},
        {"path": "/x", "timeout": 0},
        {"path": "/x", "timeout": -1},
        {"path": "/x", "timeout": True},
        {"path": "/x", "timeout": 1.5},
        [],
    ],
)
def test_what_is_refused(kind: str, entry: Any) -> None:
    with pytest.raises(BundleError, match=f"hooks.{kind}"):
        read({kind: [entry]})


def test_hooks_of_the_namespaces_are_skipped_with_a_word() -> None:
    chosen, notes = hook_config.choose({"prestart": (DOCKER, PLAIN, NVIDIA), "poststop": (NVIDIA,)}, HOOK_RULES)
    assert chosen == {"prestart": (PLAIN,)}
    assert len(notes) == 3
    assert "prestart hook /proc/17/exe (libnetwork-setkey)" in notes[0]
    assert "poststop hook /usr/bin/nvidia-container-toolkit is not run" in notes[2]


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [("/opt/site/*", True), ("hook", True), ("x", True), ("h?ok", True), ("*", True), ("HOOK", False), ("oo", False)],
)
def test_patterns(pattern: str, fits: bool) -> None:
    assert hook_config.rule_of(PLAIN, [(pattern, "skip")]) == ("skip" if fits else "run")


def test_the_first_rule_counts() -> None:
    rules = (("hook", "run"), ("/opt/*", "refuse"), *HOOK_RULES)
    assert hook_config.rule_of(PLAIN, rules) == "run"
    with pytest.raises(UnsupportedError, match="the poststart hook /opt/site/other is refused"):
        hook_config.choose({"poststart": (Hook("/opt/site/other"),)}, rules)


@pytest.mark.parametrize(
    ("version", "fatal"),
    [
        ("1.0.2", False), ("1.2.1", False), ("1.3.0", True), ("1.3.0+x", True), ("1.3.0-rc.1", False),
        ("1.3.1-dev", True), ("1.10.0", True),
    ],
)  # fmt: skip
def test_from_which_version_on_poststart_hooks_are_fatal(version: str, fatal: bool) -> None:
    assert (moments.version(version) >= moments.FATAL_POSTSTART) == fatal
