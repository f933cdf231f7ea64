"""scrun called as an engine calls it, by the unprivileged user, with a state directory of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

from actors.process.supervision import TABLE
from proto.life import ends

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Runner

Done = subprocess.CompletedProcess[str]

APPLETS = ("sh", "true", "sleep", "cat", "env", "touch", "hostname", "dd", "seq", "tty", "stty", "echo")
CONFIG: dict[str, Any] = {
    "ociVersion": "1.0.2",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["/bin/true"],
        "env": ["PATH=/bin", "HOME=/"],
        "cwd": "/",
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs"},
    "hostname": "box",
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=1777"]},
    ],
    "linux": {"namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}]},
}

TERMINALS = {
    "destination": "/dev/pts", "type": "devpts", "source": "devpts",
    "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
}  # fmt: skip

OUT_OF_MEMORY = """#!/bin/sh
# srun, on a node where memory runs out: this machine's kernel has no control group that could say so.
case "$*" in *--container=*) "{srun}" "$@"; echo "srun: error: node1: task 0: Out Of Memory" >&2; exit 137;; esac
exec "{srun}" "$@"
"""

WITHOUT_PYSLURM = "no pyslurm is installed: make cluster-up RELEASE=forky PYSLURM=1"

SHOWN = {"anchor", *(specification.name for specification in TABLE)}


class Box:
    """A container whose engine is the test: it holds the other ends of its pipes and reaps its anchor."""

    def __init__(self, runtime: Runtime, container_id: str, stdin: bool) -> None:
        self.runtime = runtime
        self.id = container_id
        self.anchor = 0
        self._stdin = stdin
        self._ends: dict[str, int] = {}
        self._code: int | None = None

    def pipes(self) -> tuple[int, int, int]:
        """The container's ends; this side's are kept."""
        out, out_w = os.pipe()
        err, err_w = os.pipe()
        stdin, stdin_w = os.pipe() if self._stdin else (os.open("/dev/null", os.O_RDONLY), -1)
        self._ends = {"out": out, "err": err} | ({"in": stdin_w} if self._stdin else {})
        return stdin, out_w, err_w

    def write(self, data: bytes) -> None:
        os.write(self._ends["in"], data)

    def close_stdin(self) -> None:
        os.close(self._ends.pop("in"))

    def read(self, name: str = "out") -> str:
        """All of standard output (or ``err``) to its end."""
        data = b""
        while part := os.read(self._ends[name], 1 << 16):
            data += part
        return data.decode()

    def read_line(self, name: str = "out") -> str:
        data = b""
        while not data.endswith(b"\n") and (byte := os.read(self._ends[name], 1)):
            data += byte
        return data.decode().rstrip("\n")

    def ended(self) -> bool:
        """Whether the anchor has ended; it is reaped."""
        assert self.anchor > 0, f"{self.id} has no anchor; 0 would reap whatever child of the tests there is"
        if self._code is None:
            pid, status = os.waitpid(self.anchor, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code is not None

    def wait(self, deadline: float = 40) -> int:
        """The anchor's exit code."""
        self.runtime.wait_until(self.ended, deadline, what=f"end of {self.id}; {self.state()}")
        assert self._code is not None
        return self._code

    def state(self) -> dict[str, Any]:
        # Without a log: a container that has gone is no failure here.
        done = self.runtime.runner(["scrun", "--root", str(self.runtime.root), "state", self.id])
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {}

    def annotations(self) -> dict[str, str]:
        return dict(self.state().get("annotations", {}))

    def job(self) -> int:
        return int(self.annotations().get("scrun.job-id", 0))

    def tree(self) -> dict[str, tuple[int, int]]:
        """Actor -> pid and incarnation of those that run, and of the anchor, as the console shows them."""
        done = self.runtime("console", self.id, "tree")
        rows = [line.split() for line in done.stdout.splitlines()[1:]]
        return {row[0]: (int(row[1]), int(row[2])) for row in rows if row[4] == "running" and row[0] in SHOWN}

    def close(self) -> None:
        for end in self._ends.values():
            os.close(end)
        self._ends = {}


class Runtime:
    """The command ``scrun``, and the boxes that were made with it."""

    def __init__(self, runner: Runner, directory: pathlib.Path, wait_until: Any) -> None:
        self.runner = runner
        self.directory = directory
        self.root = directory / "root"
        self.log = directory / "log.json"
        self.wait_until = wait_until
        self.boxes: list[Box] = []
        self.ids: list[str] = []
        self.creating: dict[str, subprocess.Popen[bytes]] = {}

    def words(self, *words: str, environ: Mapping[str, str] | None = None) -> list[str]:
        extra = ["/usr/bin/env", *(f"{key}={value}" for key, value in (environ or {}).items())]
        return [*extra, "scrun", "--root", str(self.root), "--log", str(self.log), "--log-format=json", *words]

    def __call__(self, *words: str, environ: Mapping[str, str] | None = None, timeout: float = 60) -> Done:
        return self.runner(self.words(*words, environ=environ), timeout=timeout)

    def ok(self, *words: str, environ: Mapping[str, str] | None = None) -> None:
        """It succeeds, and says nothing at all."""
        done = self(*words, environ=environ)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), f"{words}: {done}"
        assert self.records() == []

    def fails(self, *words: str, environ: Mapping[str, str] | None = None, timeout: float = 60) -> str:
        """Exit code 1, one sentence, the same in exactly one record; return it."""
        done = self(*words, environ=environ, timeout=timeout)
        return self.failed(done.returncode, done.stdout, done.stderr)

    def failed(self, code: int, stdout: str, stderr: str) -> str:
        records = self.records()
        self.log.unlink(missing_ok=True)
        assert (code, stdout) == (1, ""), f"exit {code}: {stderr}"
        assert [record["msg"] for record in records] == [stderr.rstrip("\n")]
        assert {record["level"] for record in records} == {"error"}
        assert stderr.count("\n") == 1
        return stderr.rstrip("\n")

    def records(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def site(self, toml: str, slurm_conf: str = "") -> dict[str, str]:
        """Environment of a site with this scrun.toml (and slurm.conf: its text, or the cluster's own file)."""
        script = """set -e; mkdir -p "$1"; cat >"$1/scrun.toml"
            if [ -n "$2" ]; then printf %s "$2" >"$1/slurm.conf"; else ln -sf "$SLURM_CONF" "$1/slurm.conf"; fi"""
        path = str(self.directory / "site")
        assert self.runner(["/bin/sh", "-c", script, "sh", path, slurm_conf], toml).returncode == 0
        return {"SLURM_CONF": f"{path}/slurm.conf"}

    def short_of_memory(self) -> dict[str, str]:
        """Environment of a site where memory runs out; the program has to end as if killed, with 137."""
        site = self.site("")
        folder = pathlib.Path(site["SLURM_CONF"]).parent
        srun = self.runner(["sh", "-c", "command -v srun"]).stdout.strip()
        script = f'cd {folder}; cat >srun; chmod 755 srun; echo "SrunPath={folder}/srun" >oci.conf'
        assert self.runner(["sh", "-c", script], OUT_OF_MEMORY.format(srun=srun)).returncode == 0
        return site

    def bundle(self, *args: str, name: str = "bundle", **more: Any) -> pathlib.Path:
        """A bundle; all of them share one root file system.

        What is not named below goes into ``process``; ``config`` replaces whole properties of config.json.
        """
        path = self.directory / name
        changes = more.pop("config", {})
        config = CONFIG | {"annotations": dict(more.pop("annotations", {}))}
        config["process"] = CONFIG["process"] | ({"args": list(args)} if args else {}) | more
        config["root"] = {"path": str(self.directory / "rootfs"), "readonly": True}
        if config["process"]["terminal"]:
            config["mounts"] = [*CONFIG["mounts"], TERMINALS]
        config |= changes
        script = 'umask 022; mkdir -p "$1" && cat >"$1/config.json"'
        assert self.runner(["/bin/sh", "-c", script, "sh", str(path)], json.dumps(config)).returncode == 0
        return path

    def change(self, bundle: pathlib.Path, **top: Any) -> pathlib.Path:
        """Put other properties into a bundle's config.json."""
        config = json.loads((bundle / "config.json").read_text()) | top
        assert self.runner(["tee", str(bundle / "config.json")], json.dumps(config)).returncode == 0
        return bundle

    def create(self, container_id: str, bundle: pathlib.Path, *options: str) -> None:
        """``create`` with other options than a box has; nobody holds the container's streams."""
        self.ids.append(container_id)
        words = self.words("create", "--bundle", str(bundle), *options, container_id)
        null = subprocess.DEVNULL
        assert self.runner.start(words, stdout=null, stderr=null).wait(60) == 0, self.records()

    def box(self, *args: str, id: str = "", stdin: bool = False, environ: Mapping[str, str] | None = None,
            **more: Any) -> Box:  # fmt: skip
        """``create`` a container, as conmon does."""
        box = self.begin(*args, id=id, stdin=stdin, environ=environ, **more)
        process = self.creating[box.id]
        assert process.wait(timeout=60) == 0, box.read("err")
        box.anchor = int(self.pid_file(box.id).read_text())
        assert self.records() == []
        return box

    def begin(self, *args: str, id: str = "", stdin: bool = False, environ: Mapping[str, str] | None = None,
              **more: Any) -> Box:  # fmt: skip
        """The same, without waiting for ``create``: it is in ``creating``."""
        box = Box(self, id or f"box{len(self.boxes)}", stdin)
        bundle = self.bundle(*args, name=f"bundle-{box.id}", **more)
        ends = box.pipes()
        words = self.words(
            "create", "--bundle", str(bundle), "--pid-file", str(self.pid_file(box.id)), box.id, environ=environ
        )
        try:
            self.creating[box.id] = self.runner.start(words, stdin=ends[0], stdout=ends[1], stderr=ends[2])
        finally:
            for end in ends:
                os.close(end)
        self.boxes.append(box)
        return box

    def pid_file(self, container_id: str) -> pathlib.Path:
        return self.directory / f"{container_id}.pid"

    def running(self, *args: str, **more: Any) -> Box:
        """``create`` and ``start``."""
        box = self.box(*args, **more)
        self.ok("start", box.id)
        return box

    def job_state(self, job: int) -> str:
        match = re.search(r"JobState=(\w+)", self.runner(["scontrol", "show", "job", str(job)]).stdout)
        return match[1] if match else ""

    def released(self, job: int) -> bool:
        return self.job_state(job) not in {"PENDING", "RUNNING", "SUSPENDED"}

    def names(self) -> list[str]:
        """What the state directory has, but for the history of ends, which is meant to stay."""
        return sorted(set(os.listdir(self.root)) - {ends.DIRECTORY}) if self.root.exists() else []

    def left(self, container_id: str) -> list[str]:
        """Directory and processes of a container; the mark in the environment finds commands of Slurm, too."""
        path = self.root / container_id
        mark = f"{path}/".encode()
        found = [str(path)] if path.exists() else []
        for entry in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                text = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes() if entry.isdigit() else b""
                if text:
                    text += b"\0" + pathlib.Path(f"/proc/{entry}/environ").read_bytes()
                words = text.split(b"\0")
                ours = str(self.root).encode() in words and container_id.encode() in words
                if ours or mark in text:
                    found.append(f"process {entry} {b' '.join(words)[:80]!r}")
        return found

    def close(self) -> None:
        for box in self.boxes:
            process = self.creating.get(box.id)
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
            box.close()
        processes = [
            self.runner.start(["scrun", "--root", str(self.root), "delete", "--force", container_id])
            for container_id in {*self.ids, *(box.id for box in self.boxes)}
        ]
        for process in processes:
            process.wait(timeout=90)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            try:
                shutil.rmtree(self.directory)
            except OSError:
                continue
            break


def of_user(runner: Runner, wait_until: Any) -> Runtime:
    """A runtime with a root file system of busybox, in a directory of its own; ``close`` it."""
    directory = pathlib.Path(runner(["mktemp", "-d", "/tmp/scrun-test-XXXXXX"]).stdout.strip())
    script = f"""set -e; cd {directory}; mkdir -p rootfs/bin rootfs/proc rootfs/sys rootfs/dev rootfs/tmp
        cp /bin/busybox rootfs/bin/; for a in {" ".join(APPLETS)}; do ln -sf busybox rootfs/bin/$a; done"""
    done = runner(["/bin/sh", "-c", script])
    assert done.returncode == 0, done.stderr
    return Runtime(runner, directory, wait_until)
