"""The machines of the site, as the tests reach them: real ssh sessions, snapshots, and what Slurm says."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = pathlib.Path(__file__).resolve().parent
NODES = ("node1", "node2")

# Seconds. The machines are emulated, and five to fifteen times slower than the one below them.
COMMAND = 600.0
OUTAGE = 1200.0
BLOCK = 2400.0
"""Of the installation: pip alone took 4 to 11 minutes."""

STAGED = "find /scratch/alice/scrun -mindepth 1 -path '*/scrun/cache' -prune -o ! -name .pruned -print"
"""Lists what is staged for containers of alice; trees of images are kept."""

Done = subprocess.CompletedProcess[str]


def run(machine: str, user: str, script: str, *, input: str | None = None, timeout: float = COMMAND) -> Done:
    """Run a script in an ssh session of its own; without input, standard input is ``/dev/null``."""
    return subprocess.run(
        [str(HERE / "in"), machine, user, script],
        input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=timeout,
        check=False,
    )


def must(machine: str, user: str, script: str, *, input: str | None = None, timeout: float = COMMAND) -> str:
    """The same, and its standard output; whatever fails, fails the test."""
    done = run(machine, user, script, input=input, timeout=timeout)
    if done.returncode:
        pytest.fail(f"{machine}, {user}: {script}\nstatus {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def start(machine: str, user: str, script: str) -> subprocess.Popen[str]:
    """Only start it."""
    return subprocess.Popen(
        [str(HERE / "in"), machine, user, script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
    )


def wait_until(predicate: Callable[[], object], what: str, deadline: float = COMMAND) -> None:
    """Ask again and again, at most for ``deadline`` seconds; each question is an ssh session and takes its time."""
    end = time.monotonic() + deadline
    while not predicate():
        if time.monotonic() > end:
            pytest.fail(f"not within {deadline:g} s: {what}")
        time.sleep(0.5)


def command(name: str, *arguments: str) -> None:
    """One of the scripts beside this file."""
    subprocess.run([str(HERE / name), *arguments], check=True, timeout=OUTAGE, stdin=subprocess.DEVNULL)


def has_snapshot(name: str) -> bool:
    return subprocess.run([str(HERE / "snapshot"), "has", name], check=False).returncode == 0


def save(name: str) -> None:
    """Take a snapshot of all machines."""
    command("snapshot", "save", name)
    command("clocks")


def load(name: str) -> None:
    """Go back to a snapshot, and wait until Slurm has found itself in the present."""
    command("snapshot", "load", name)
    command("clocks")


@dataclasses.dataclass(frozen=True)
class User:
    """Somebody at the login host."""

    name: str

    def run(self, script: str, *, input: str | None = None, timeout: float = COMMAND) -> Done:
        return run("login", self.name, script, input=input, timeout=timeout)

    def must(self, script: str, *, input: str | None = None, timeout: float = COMMAND) -> str:
        return must("login", self.name, script, input=input, timeout=timeout)

    def start(self, script: str) -> subprocess.Popen[str]:
        return start("login", self.name, script)

    def jobs(self) -> str:
        """What Slurm has of this user's that is not over; one line for each job."""
        return root(f"squeue -h -u {self.name} -o '%i %T %N %r'")

    def container(self, name: str, what: str) -> str:
        """A field of ``podman inspect``."""
        return self.must(f"podman inspect --format '{{{{{what}}}}}' {name}").strip()

    def gone(self) -> None:
        """Wait until no job of this user's is left, and fail if one stays."""
        wait_until(lambda: not self.jobs(), f"an empty queue of {self.name}: {self.jobs()}")


def root(script: str, machine: str = "login") -> str:
    """What root gets from a script that must succeed."""
    return must(machine, "root", script)


def boot_of(machine: str) -> str:
    """What the kernel calls its present boot; empty while nobody answers."""
    return run(machine, "root", "cat /proc/sys/kernel/random/boot_id").stdout.strip()


def reboot(machine: str, how: str = "systemctl reboot") -> None:
    """Reboot a machine and wait until it answers again and Slurm has its nodes."""
    before = boot_of(machine)
    # A moment later, for the session shall end before the machine does.
    root(f"systemd-run --quiet --on-active=1 sh -c 'sync; {how}'", machine)
    wait_until(lambda: boot_of(machine) not in {before, ""}, f"reboot of {machine}", OUTAGE)
    command("settled")
