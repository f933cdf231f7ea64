"""Creations for tests."""

import os
from typing import Any

from proto.life.creation import Creation
from proto.life.settings import Settings
from proto.value import replace

_DEFAULT = Creation(
    id="box1",
    root="/run/user/1001/scrun",
    bundle="/bundles/box1",
    rootfs="/bundles/box1/rootfs",
    oci_version="1.0.2-dev",
    terminal=False,
    readonly=False,
    args=(b"/bin/sh",),
    program=b"/bin/sh",
    annotations={},
    created=0.0,
    cookie="c00kie",
    uid=1001,
    gid=1001,
    user="alice",
    group="staff",
    home="/home/alice",
    namespaced=True,
    environ=(b"PATH=/usr/bin:/bin", b"LANG=C"),
    cwd="/",
    pid_file="/run/box1.pid",
    console_socket="",
    log="",
    log_format="",
    log_level="info",
    slurm_conf="",
    scheduler="slurm",
    job_id=0,
    job_options={},
    lua="",
    settings=Settings(),
)


def settings(base: Settings = _DEFAULT.settings, /, **paths: Any) -> Settings:
    """Settings with some changed, each by its path with two underscores for the point: ``staging__mode``."""
    for path, value in paths.items():
        section, _, key = path.partition("__")
        base = replace(base, **{section: replace(getattr(base, section), **{key: value})})
    return base


def creation(**changes: Any) -> Creation:
    """A container with some fields changed; ``settings`` may be a dictionary: path in scrun.toml to value."""
    if isinstance(changes.get("settings"), dict):
        changes["settings"] = settings(**changes["settings"])
    return replace(_DEFAULT, **changes)


def is_root() -> bool:
    return os.geteuid() == 0
