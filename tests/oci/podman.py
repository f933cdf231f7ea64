"""podman with scrun as its runtime, for tests: unique names, and everything removed in the end."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

from tests.conftest import Runner, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Done = subprocess.CompletedProcess[str]

READY = "echo ready; while :; do sleep 0.1; done"
"""A program that says a word and goes on for ever."""


class Podman:
    """One user's podman. Every container is named by ``name()``, so that ``close()`` finds it."""

    command = "podman"
    options: tuple[str, ...] = ()
    """Of every ``run`` and ``create``."""

    def __init__(self, runner: Runner, state_root: pathlib.Path) -> None:
        self.runner = runner
        self.state_root = state_root
        self.prefix = f"t{os.getpid()}-{secrets.token_hex(3)}"
        self.names: list[str] = []
        self.processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, *words: str, input: str | None = None, timeout: float = 90) -> Done:
        return self.runner([self.command, *words], input, timeout)

    def ok(self, *words: str, timeout: float = 90) -> str:
        """Run it; it succeeds; return its output without the last line feed."""
        done = self(*words, timeout=timeout)
        assert done.returncode == 0, f"{self.command} {' '.join(words)}: {done.stderr}"
        return done.stdout.rstrip("\n")

    @property
    def version(self) -> tuple[int, int]:
        """The client's."""
        major, minor = self.ok("version", "--format", "{{.Client.Version}}").split(".")[:2]
        return int(major), int(minor)

    def name(self) -> str:
        self.names.append(f"{self.prefix}-{len(self.names)}")
        return self.names[-1]

    def run(self, *words: str, input: str | None = None, timeout: float = 90) -> Done:
        """``podman run`` in the foreground, of a container that has a name; options come first."""
        return self("run", "--name", self.name(), *self.options, *words, input=input, timeout=timeout)

    def detached(self, *words: str) -> str:
        """``podman run --detach``; return the container's name."""
        name = self.name()
        self.ok("run", "--detach", "--name", name, *self.options, *words)
        return name

    def ready(self, script: str, *options: str) -> str:
        """The same with a script that says "ready" before long: its traps are set then."""
        name = self.detached(*options, "busybox", "sh", "-c", script)
        wait_until(lambda: "ready" in self.ok("logs", name), 20, what="the program's first word")
        return name

    def create(self, *words: str) -> str:
        """``podman create``; return the container's name."""
        name = self.name()
        self.ok("create", "--name", name, *self.options, *words)
        return name

    def start(self, *words: str, **stdio: Any) -> subprocess.Popen[bytes]:
        """Start a podman that lasts."""
        self.processes.append(self.runner.start([self.command, *words], **stdio))
        return self.processes[-1]

    def inspect(self, name: str, what: str) -> str:
        return self.ok("inspect", "--type", "container", "--format", "{{" + what + "}}", name)

    def status(self, name: str) -> tuple[str, int]:
        """Status and exit code."""
        status, code = self.inspect(name, ".State.Status}} {{.State.ExitCode").split()
        return status, int(code)

    def exists(self, name: str) -> bool:
        return self("container", "exists", name).returncode == 0

    def id(self, name: str) -> str:
        return self.inspect(name, ".Id")

    def state(self, container_id: str) -> dict[str, Any]:
        """What ``scrun state`` says; empty when scrun does not know it."""
        done = self.runner(["scrun", "state", container_id])
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {}

    def job(self, container_id: str) -> int:
        return int(self.state(container_id).get("annotations", {}).get("scrun.job-id", 0))

    def left(self, container_id: str, job: int = 0) -> list[str]:
        """What there still is of a container in scrun and Slurm."""
        found = [str(path) for path in [self.state_root / container_id] if path.exists()]
        found += [f"process {pid}" for pid in processes_with(container_id)]
        if job and (state := self.job_state(job)) in {"PENDING", "RUNNING", "SUSPENDED"}:
            found.append(f"job {job} {state}")
        return found

    def job_state(self, job: int) -> str:
        done = self.runner(["scontrol", "show", "job", str(job)])
        match = re.search(r"JobState=(\w+)", done.stdout)
        return match[1] if match else ""

    def close(self) -> None:
        if self.names:
            self("rm", "--force", "--ignore", "--time", "0", *self.names, timeout=120)
        end_all(self.processes)


class Filler:
    """Jobs that occupy whole nodes, so that what comes after has to wait in the queue."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.name = f"filler-{secrets.token_hex(4)}"
        self.processes: list[subprocess.Popen[bytes]] = []

    def fill(self, node: str) -> None:
        """Take every processor of a node; containers of other people may delay it."""
        words = [
            "salloc",
            "--quiet",
            "--no-shell",
            f"--job-name={self.name}",
            f"--nodelist={node}",
            "--cpus-per-task=16",
        ]
        assert self.runner(words, timeout=90).returncode == 0

    def empty(self) -> None:
        self.runner(["scancel", f"--name={self.name}"])


def podman_at(place: pathlib.Path, runner: Any, toml: str, state: pathlib.Path) -> Podman:
    """The podman of a user or root, at a site whose scrun.toml this is.

    Args:
        place: a directory that the caller's podman may go through, for the site's files.
        runner: the user's, or root's.
        toml: what is in scrun.toml.
        state: scrun's state directory.

    """
    (place / "slurm.conf").symlink_to(runner(["sh", "-c", "echo $SLURM_CONF"]).stdout.strip())
    (place / "scrun.toml").write_text(toml)
    conf = runner(["sh", "-c", "cat ${CONTAINERS_CONF:-~/.config/containers/containers.conf}"]).stdout
    lines = [line for line in conf.splitlines() if not line.startswith("conmon_env_vars")]
    lines.insert(lines.index("[engine]") + 1, f'conmon_env_vars = ["SLURM_CONF={place}/slurm.conf"]')
    (place / "containers.conf").write_text("\n".join(lines) + "\n")
    wrapper = place / "wrapper"
    # podman 5.8 gives conmon its own environment before that of the file.
    words = f"env SLURM_CONF={place}/slurm.conf CONTAINERS_CONF={place}/containers.conf"
    wrapper.write_text(f'#!/bin/sh\nexec {runner.wrapper} {words} "$@"\n')
    wrapper.chmod(0o755)
    return Podman(Runner(wrapper), state)


@contextlib.contextmanager
def at_site(cluster: Any, as_user: Any, toml: str) -> Iterator[Podman]:
    """The user's podman at a site that has this scrun.toml."""
    place = pathlib.Path(tempfile.mkdtemp(dir=pathlib.Path(cluster.slurm_conf).parents[1] / "spool"))
    place.chmod(0o755)
    podman = podman_at(place, as_user, toml, cluster.scrun_root)
    yield podman
    podman.close()
    shutil.rmtree(place)


def processes_with(text: str) -> list[int]:
    """Processes with ``text`` in their command line, conmon and podman apart: those are the engine's."""
    found = []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            line = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes() if entry.isdigit() else b""
            program = line.split(b"\0", 1)[0]
            if text.encode() in line and not program.endswith((b"conmon", b"podman")):
                found.append(int(entry))
    return found


def end_all(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        process.wait()
