"""Creations for tests."""

import os
from typing import Any, TypeVar

from proto.life.creation import Caller, Creation, Log
from proto.life.settings import Scrun, Settings
from proto.value import Value, replace

V = TypeVar("V", bound=Value)

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
    caller=Caller(1001, 1001, "alice", "staff", "/home/alice", namespaced=True),
    environ=(b"PATH=/usr/bin:/bin", b"LANG=C"),
    cwd="/",
    pid_file="/run/box1.pid",
    console_socket="",
    log=Log("", "", "info"),
    job_id=0,
    settings=Settings(Scrun(scheduler="slurm")),
)


def changed(value: V, **paths: Any) -> V:
    """A value with some fields changed, each named by its path: ``settings__scrun__lua``."""
    for path, new in paths.items():
        name, _, rest = path.partition("__")
        value = replace(value, **{name: changed(getattr(value, name), **{rest: new}) if rest else new})
    return value


def creation(**paths: Any) -> Creation:
    """A container with some fields changed; see ``changed``."""
    return changed(_DEFAULT, **paths)


def is_root() -> bool:
    return os.geteuid() == 0
