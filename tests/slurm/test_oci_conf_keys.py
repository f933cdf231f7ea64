"""Keys of a site's oci.conf: what becomes of a container of ours where the site has set them (docs/oci-conf.md)."""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.slurm import site_conf

if TYPE_CHECKING:
    from tests.conftest import Runner
    from tests.slurm.runtime import Runtime

OLD, KEYS = (0, 0), (23, 2)


class Case(NamedTuple):
    """Lines of oci.conf with which a container is as ever.

    Attributes:
        lines: ``HERE`` is a directory of the user's.
        since: first version of Slurm that knows them.
        told: whether the program is told of its step, which slurmstepd does.

    """

    lines: str
    since: tuple[int, int] = KEYS
    told: bool = True


CASES = {
    "ContainerPath": Case('ContainerPath="HERE/spool-%n-%u-%j-%s-%t"', OLD),
    "CreateEnvFile": Case("CreateEnvFile=true", OLD),
    "CreateEnvFile=null": Case("CreateEnvFile=null"),
    "CreateEnvFile=newline": Case("CreateEnvFile=newline"),
    "CreateEnvFile=disabled": Case("CreateEnvFile=disabled"),
    "DebugFlags": Case("DebugFlags=NO_CONF_HASH"),
    "DisableCleanup": Case("DisableCleanup=true"),
    "DisableHooks": Case("DisableHooks=poststart,createContainer"),
    "EnvExclude": Case('EnvExclude="^(SLURM_CONF|SLURM_CONF_SERVER)="'),
    "EnvExclude of all": Case('EnvExclude="."', told=False),
    "FileDebug": Case("FileDebug=debug3"),
    "IgnoreFileConfigJson": Case("IgnoreFileConfigJson=false"),
    "MountSpoolDir": Case('MountSpoolDir="/tmp/spool"'),
    "RunTimeEnvExclude": Case('RunTimeEnvExclude="^(SLURM_CONF|SLURM_CONF_SERVER)="'),
    "StdIODebug": Case("StdIODebug=debug3"),
    "SyslogDebug": Case("SyslogDebug=debug3"),
}
PATTERNS = {
    "%%": OLD, "%b": OLD, "%e": OLD, "%j": OLD, "%n": OLD, "%r": OLD, "%s": OLD, "%t": OLD, "%u": OLD,
    "%m": KEYS, "%p": KEYS, "%U": KEYS, "%Z": (26, 5), "%@": OLD,
}  # fmt: skip
RECORDER = """#!/bin/sh
# The patterns become words; the last of them is the command.
printf '%s\\n' "$@" >HERE/words
bundle=$2 name=$(id -u).$$
exec REAL run --bundle "$bundle" "$name"
"""
SRUN = """#!/bin/sh
printf '%s\\n' "$@" >>HERE/srun.words
exec REAL "$@"
"""


def own_lines() -> str:
    """Those of the cluster, which has crun."""
    return pathlib.Path(os.environ["SLURM_CONF"]).with_name("oci.conf").read_text()


def program(runtime: Runtime, name: str, text: str, real: str) -> None:
    """A program of that name in the user's directory, above the real one."""
    here = str(runtime.directory)
    script = 'cat >"$1" && chmod 755 "$1"'
    text = text.replace("REAL", real).replace("HERE", here)
    assert runtime.runner(["sh", "-c", script, "sh", f"{here}/{name}"], text).returncode == 0


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, as_user: Runner) -> Case:
    found = CASES[request.param]
    if site_conf.version(as_user) < found.since:
        pytest.skip(f"Slurm does not know it before {found.since}")
    return found


def test_a_container_is_as_ever(runtime: Runtime, case: Case) -> None:
    script = 'trap "echo bye; exit 7" TERM; echo err >&2; echo $OWN; echo ${SLURM_STEP_ID:+told}; '
    script += "while :; do sleep 0.1; done"
    lines = own_lines() + case.lines.replace("HERE", str(runtime.directory)) + "\n"
    for site in site_conf.site(runtime, lines):
        box = site.running(script, env=["PATH=/bin", "OWN=one word"])
        assert [box.read_line(), box.read_line()] == ["one word", "told" if case.told else ""]
        done = runtime("exec", box.id, "sh", "-c", "echo out; exit 3")
        assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "")
        runtime.ok("kill", box.id, "TERM")
        assert (box.read(), box.read("err"), box.wait()) == ("bye\n", "err\n", 7)


def test_every_pattern_in_the_line(runtime: Runtime, as_user: Runner) -> None:
    program(runtime, "crun", RECORDER, "/usr/bin/crun --rootless=true --cgroup-manager=disabled --root=HERE/state")
    known = [pattern for pattern, since in PATTERNS.items() if site_conf.version(as_user) >= since]
    words = " ".join(pattern if pattern == "%@" else f"'{pattern}'" for pattern in known)
    line = f'RunTimeRun="exec {runtime.directory}/crun {words}"\n'
    lines = "".join(each for each in own_lines().splitlines(keepends=True) if not each.startswith("RunTimeRun"))
    for site in site_conf.site(runtime, lines + line):
        box = site.running("echo here; cat; exit 4", stdin=True)
        assert box.read_line() == "here"
        told = dict(zip(known, (runtime.directory / "words").read_text().splitlines(), strict=False))
        user = as_user(["id", "-un"]).stdout.strip()
        wanted = {"%%": "%", "%j": str(box.job()), "%n": site_conf.NODE, "%t": "0", "%u": user}
        assert {key: told[key] for key in wanted} == wanted
        assert told["%r"].endswith("/rootfs")
        assert "%@" not in told  # the command is in config.json
        assert runtime("exec", box.id, "sh", "-c", "exit 3").returncode == 3
        box.close_stdin()
        assert box.wait() == 4


def test_a_sites_srun_and_its_words(runtime: Runtime, as_user: Runner) -> None:
    """slurmstepd 22.05 fails with a key that it does not know, so they are scrun's alone there."""
    real = runtime.runner(["sh", "-c", "command -v srun"]).stdout.strip()
    program(runtime, "srun", SRUN, real)
    lines = f'SrunPath={runtime.directory}/srun\nSrunArgs="--comment=two words"\nSrunArgs=--mpi=none # a comment\n'
    nodes = lines if site_conf.version(as_user) >= KEYS else ""
    for site in site_conf.site(runtime, own_lines() + nodes, "" if nodes else lines):
        box = site.running("exit 4")
        assert box.wait() == 4
        assert (runtime.directory / "srun.words").read_text().startswith("--comment=two words\n--mpi=none\n--verbose\n")
