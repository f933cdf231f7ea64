"""``scrun doctor`` on hosts that are not as they should be: real files, and commands that pretend to be Slurm's.

Each set-up spoils one thing of a host (or its node) that is well, so a row that is always bad, or always good, is seen.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from scrun.create.settings import SLURM_CONFS
from scrun.doctor.limits import FILES as DESCRIPTORS
from scrun.doctor.limits import TASKS
from scrun.doctor.nodes import EXAMPLE
from tests.census import descriptors
from tests.conftest import read_proc
from tests.process.site import COMMAND, Site

if TYPE_CHECKING:
    import pathlib

SLURM = 'echo "slurm 26.05.5"'
CONFIG = 'date -u{} "+Configuration data as of %Y-%m-%dT%H:%M:%S"; cat "$SLURM_CONF"'
SCONTROL = f"""\
case "$1 $2" in
    "ping ") echo "Slurmctld(primary) at c is UP" ;;
    "show config") {CONFIG.format("")} ;;
    "show hostnames") echo n1 ;;
esac"""
SINFO = 'case "$*" in *%N*) echo "n1|idle|debug|up|26.05.5" ;; *) echo 26.05.5 ;; esac'
# A node is this host with other commands in front. That no slurmd runs here is part of it, whatever else runs.
SRUN = """\
if [ "$1" = --version ]; then echo "slurm 26.05.5"; exit; fi
while [ "$1" != /bin/sh ]; do shift; done
PATH=${0%/*}/node:$PATH SLURMD_NODENAME=n1 SLURM_CONF=${0%/*}/../etc/slurm.conf exec "$@\""""
SALLOC = f"""\
if [ "$1" = --version ]; then {SLURM}; exit; fi
echo "salloc: error: Unable to allocate resources: Requested nodes are busy" >&2; exit 1"""
UNWATCHED = (
    "/usr/bin/unshare", "-Ur", "/bin/sh", "-c", 'echo 0 >/proc/sys/user/max_inotify_instances; exec "$0" "$@"',
)  # fmt: skip
OCI = "".join(f"{line}\n" for line in EXAMPLE).replace("--root=/run/slurm-oci/%u ", "")
COMMANDS = {
    "munge": "echo MUNGE:x:",
    "unmunge": 'cat >/dev/null; echo "STATUS:          Success (0)"',
    "salloc": SALLOC,
    "srun": SRUN,
    "scancel": SLURM,
    "squeue": SLURM,
    "sinfo": SINFO,
    "scontrol": SCONTROL,
    "crun": "echo crun version 1.30",
    "podman": 'case "$1" in unshare) shift; exec "$@" ;; *) echo podman version 5.4.2 ;; esac',
    "unshare": "exit 0",
    "scrun": "#scrun/__main__.py",
    "node/grep": 'if [ "$1" = -lx ]; then exit 1; fi; exec /usr/bin/env -S PATH=/usr/bin:/bin grep "$@"',
}
FILES = {
    "etc/slurm.conf": "AuthType=auth/munge\nClusterName=c\n",
    "etc/oci.conf": OCI,
    "etc/scrun.toml": '[staging]\ndirectory = "TMP/staging"\nmode = "copy"\n',
}


class Setup(NamedTuple):
    """A host on which one thing is not as it should be.

    Attributes:
        row: of the doctor's table, which says so.
        level: of that row.
        words: in its sentence.
        commands: that are others than ``COMMANDS``; ``node/NAME`` is one of the node's alone.
        files: that are others than ``FILES``.
        environ: variables; TMP in them, and in the files, is the directory of it all.
        prefix: a command that runs scrun.

    """

    row: str
    level: str
    words: str
    commands: dict[str, str] = {}
    files: dict[str, str] = {}
    environ: dict[str, str] = {}
    prefix: tuple[str, ...] = ()


AUTH_SLURM = {"etc/slurm.conf": "AuthType=auth/slurm\nClusterName=c\n"}
LATE = SCONTROL.replace("date -u", 'date -u -d "1 hour ago"')
EARLY = SCONTROL.replace("date -u", 'date -u -d "30 seconds"')
# Each time that it is asked, a minute has gone by.
MINUTES = """\
echo x >>"$0.asked"
case "$1" in *N) echo $(($(wc -l <"$0.asked") * 60))000000000 ;; *) exec /bin/date "$@" ;; esac"""
AWAY = {"SLURM_CONF": "", "SLURM_CONF_SERVER": "ctl:6817"}
UNWRITABLE = {"etc/scrun.toml": '[staging]\ndirectory = "/proc/x"\n'}

SETUPS = {
    "another scrun is first in PATH": Setup("scrun in PATH", "warning", "another program", {"scrun": "echo Slurm"}),
    "there is no slurm.conf where SLURM_CONF says": Setup(
        "slurm.conf", "fault", "/nowhere/slurm.conf", environ={"SLURM_CONF": "/nowhere/slurm.conf"}
    ),
    "the controller gives no configuration": Setup(
        "slurm.conf", "fault", "ctl:6817", {"scontrol": "exit 1"}, environ=AWAY
    ),
    "Slurm is too old": Setup("Slurm's commands", "fault", "too old", {"salloc": "echo slurm 21.08.8"}),
    "slurmd has a known fault": Setup(
        "known faults", "warning", "CVE-2026-65109", {"sinfo": "echo 26.05.4; echo 25.11.7"}
    ),
    "crun has a known fault": Setup(
        "known faults", "warning", "CVE-2026-88264", {"crun": "echo crun version 1.28; echo spec: 1.0.0"}
    ),
    "srun has a known fault": Setup(
        "known faults", "warning", "srun 26.05.1: srun may end with 0", {"srun": "echo slurm 26.05.1"}
    ),
    "munged does not run": Setup("credentials", "fault", "munged does not answer", {"munge": "exit 6"}),
    "credentials of munge are refused": Setup(
        "credentials", "fault", "clock", {"unmunge": "cat >/dev/null; echo STATUS: Expired credential; exit 15"}
    ),
    "auth/slurm without sackd": Setup(
        "credentials", "fault", "sackd does not run here", files=AUTH_SLURM, environ={"SLURM_SACK_SOCKET": "TMP/none"}
    ),
    "nothing tells AuthType, and munge is not installed": Setup(
        "credentials", "warning", "AuthType is not known", {"munge": "exit 127"},
        environ={"SLURM_CONF": "/nowhere/slurm.conf"},
    ),
    "auth/slurm with a socket that sackd has left": Setup(
        "credentials", "fault", "nobody listens", files=AUTH_SLURM, environ={"SLURM_SACK_SOCKET": "TMP/dead"}
    ),
    "a token, and munged does not run": Setup(
        "credentials", "fault", "takes none", {"munge": "exit 6"}, environ={"SLURM_JWT": "token"}
    ),
    "TLS, and its certificate cannot be read": Setup(
        "TLS", "fault", "/nowhere/ca.pem",
        files={"etc/slurm.conf": "TLSType=tls/s2n\nTLSParameters=ca_cert_file=/nowhere/ca.pem\n"},
    ),
    "the controller is down": Setup(
        "controller", "fault", "is DOWN", {"scontrol": "echo 'Slurmctld(primary) at c is DOWN'; exit 1"}
    ),
    "the controller's clock is an hour late": Setup("clock", "fault", "behind this host's", {"scontrol": LATE}),
    "the controller's clock is half a minute early": Setup("clock", "warning", "ahead of", {"scontrol": EARLY}),
    "few open files": Setup("limits", "warning", "200 open files", prefix=("prlimit", "--nofile=200")),
    "no inotify watch left": Setup("watches", "warning", "no watch left", prefix=UNWATCHED),
    "no user namespaces": Setup("user namespaces", "fault", "cannot be made", {"unshare": "exit 1"}),
    "a misspelt setting": Setup(
        "scrun.toml", "fault", "direktory", files={"etc/scrun.toml": '[staging]\ndirektory = "/x"\n'}
    ),
    "a scrun.lua that does not load": Setup(
        "scrun.lua", "fault", "cannot be used", files={"etc/scrun.lua": "function ("}
    ),
    "a staging directory that nobody can write": Setup(
        "staging directory", "fault", "cannot be written", files=UNWRITABLE
    ),
    "a store of images that is not there": Setup(
        "image stores", "warning", "/nowhere/images",
        files={"etc/scrun.toml": '[staging]\ndirectory = "TMP/staging"\nimages = ["/nowhere/images"]\n'},
    ),
    "oci.conf without RunTimeKill": Setup(
        "oci.conf", "fault", "lacks RunTimeKill", files={"etc/oci.conf": OCI.replace("RunTimeKill", "#")}
    ),
    "oci.conf whose lines lack exec": Setup(
        "oci.conf", "warning", "begin with exec", files={"etc/oci.conf": OCI.replace('"exec ', '"')}
    ),
    "oci.conf that disables hooks": Setup(
        "oci.conf", "warning", "a pipe", files={"etc/oci.conf": f"{OCI}DisableHooks=poststart\n"}
    ),
    "no node can be visited, for want of a staging directory": Setup(
        "nodes", "fault", "cannot be written", files=UNWRITABLE
    ),
    "no node takes jobs": Setup("nodes", "fault", "names no node", {"sinfo": "exit 0"}),
    "the node's runtime is not there": Setup(
        "n1 runtime", "fault", "names nosuch", files={"etc/oci.conf": OCI.replace("crun", "nosuch")}
    ),
    "the node runs no hooks": Setup(
        "n1 runtime", "warning", "a pipe", files={"etc/oci.conf": f"{OCI}DisableHooks=poststart\n"}
    ),
    "the node's crun has a known fault": Setup(
        "n1 known faults", "warning", "crun 1.8.1", {"node/crun": "echo crun version 1.8.1"}
    ),
    "the node's slurmd has a known fault": Setup(
        "n1 known faults", "warning", "slurmd 24.11.5", {"sinfo": "echo 'n1|idle|debug|up|24.11.5'"}
    ),
    "the node has another staging directory": Setup(
        "n1 staging", "fault", "does not see", {"srun": SRUN.replace('"$@"', '"$1" "$2" "$3" "$4" /nowhere/x')}
    ),
    "the node mounts it with noexec": Setup(
        "n1 staging", "warning", "noexec", {"node/findmnt": "echo nfs4 rw,noexec /s"}
    ),
    "the node's clock is late": Setup(
        "n1 clock", "fault", "behind", {"node/date": 'exec /bin/date -d "1 hour ago" "$@"'}
    ),
    "the node has no user namespaces": Setup("n1 system", "fault", "cannot be made", {"node/unshare": "exit 1"}),
    "the staging directory is slow there": Setup("n1 speed", "warning", "take long", {"node/date": MINUTES}),
    "the staging directory is slow here": Setup("staging speed", "warning", "take long", {"date": MINUTES}),
}  # fmt: skip


VISITED = ("nodes", "staging speed")
"""Rows that --nodes adds, besides those of the node n1."""


class Rows(NamedTuple):
    status: int
    levels: dict[str, str]
    sentences: dict[str, str]


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What the doctor says of the host that nothing is wrong with."""
    return examine(tmp_path_factory.mktemp("well"), Setup("", "", ""), visits=True)


def examine(path: pathlib.Path, setup: Setup, *, visits: bool) -> Rows:
    for name, text in (FILES | setup.files).items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(text.replace("TMP", str(path)))
    (path / "staging").mkdir()
    for name, text in (COMMANDS | setup.commands).items():
        command = path / "bin" / name
        command.parent.mkdir(parents=True, exist_ok=True)
        command.write_text(f"#!/bin/sh\n{text}\n")
        command.chmod(0o755)
    environ = {"PATH": f"{path}/bin:/usr/bin:/bin", "SLURM_CONF": f"{path}/etc/slurm.conf"}
    environ |= {name: value.replace("TMP", str(path)) for name, value in setup.environ.items()}
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(f"{path}/dead")
        done = subprocess.run(
            [*setup.prefix, *COMMAND, "--root", f"{path}/root", "doctor", "--format=json", *["--nodes"] * visits],
            env={name: value for name, value in environ.items() if value},
            capture_output=True, text=True, timeout=120, check=False, cwd=path,
        )  # fmt: skip
    assert done.stderr == ""
    rows = json.loads(done.stdout)
    assert [row for row in rows if "itself" in row["sentence"]] == []
    assert os.listdir(path / "staging") == []
    return Rows(
        done.returncode,
        {row["check"]: row["level"] for row in rows},
        {row["check"]: row["sentence"] for row in rows},
    )


@pytest.mark.parametrize("name", SETUPS)
def test_a_set_up_that_is_broken(tmp_path: pathlib.Path, well: Rows, name: str) -> None:
    setup = SETUPS[name]
    if not setup.environ.get("SLURM_CONF", "x") and any(map(os.path.exists, SLURM_CONFS)):
        pytest.skip("this machine has a slurm.conf at a usual place")
    rows = examine(tmp_path, setup, visits=setup.row in VISITED or setup.row.startswith("n1 "))
    assert (rows.levels[setup.row], setup.words in rows.sentences[setup.row]) == (setup.level, True), rows.sentences
    assert setup.words not in well.sentences.get(setup.row, "")
    assert rows.status == (1 if "fault" in rows.levels.values() else 0)


def test_a_host_that_is_well(well: Rows) -> None:
    """The rows that another set-up spoils; of what is the machine's own, such as its engines, nothing is known here."""
    spoilt = {setup.row for setup in SETUPS.values()} - {"nodes", "staging speed", "n1 speed", "n1 system", "limits"}
    bad = {name: well.sentences[name] for name in spoilt if well.levels[name] != "ok"}
    assert set(bad) <= {"staging directory"}, bad  # a directory of tests need not be on a network file system
    assert {"staging speed", "n1 speed", "n1 system", "limits", "n1 container"} <= set(well.levels)
    assert well.status == (1 if "fault" in well.levels.values() else 0)


def test_a_slurmd_that_forks_just_then_is_one_slurmd(tmp_path: pathlib.Path) -> None:
    """Its child has its name and its words until it is slurmstepd; "there is no slurm.conf" was said of the node."""
    words = ["/bin/sh", "-c", "read line", "slurmd", "-N", "n1", "-f", f"{tmp_path}/etc/slurm.conf"]
    with contextlib.ExitStack() as stack:
        slurmds = [stack.enter_context(subprocess.Popen(words, stdin=subprocess.PIPE)) for _ in range(2)]
        found = " ".join(f"/proc/{slurmd.pid}/comm" for slurmd in slurmds)
        grep = COMMANDS["node/grep"].replace("exit 1", f"echo {found}; exit")
        rows = examine(tmp_path, Setup("", "", "", {"node/grep": grep}), visits=True)
        for slurmd in slurmds:
            slurmd.communicate()
    assert rows.levels["n1 runtime"] == "ok", rows.sentences["n1 runtime"]


def test_scrun_s_own_processes_leave_room_for_slurm_s(tmp_path: pathlib.Path) -> None:
    """Half of what the row "limits" reckons with; ``tests/slurm/test_doctor.py`` has the whole."""
    site = Site(tmp_path)
    site.config()
    site.succeeds("create", "x")
    try:
        site.succeeds("start", "x")
        family = [json.loads(site.succeeds("state", "x"))["pid"]]
        for pid in family:
            children = [int(word) for word in read_proc(pid, f"task/{pid}/children").split()]
            family += [child for child in children if not read_proc(child, "comm").startswith(b"runc")]
        threads = {pid: len(os.listdir(f"/proc/{pid}/task")) for pid in family}
        assert len(family) >= 3  # anchor, guard, state; others as there is something to do
        assert sum(threads.values()) <= TASKS / 2 + 1, threads
        assert max(len(descriptors(pid)) for pid in family) <= DESCRIPTORS
    finally:
        site.succeeds("delete", "--force", "x")
