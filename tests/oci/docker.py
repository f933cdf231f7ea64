"""docker with scrun as its runtime, for tests: the cluster's dockerd, or one of a test's own."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

from proto.life import ends
from tests.oci.podman import Done, Podman, end_all

if TYPE_CHECKING:
    from tests.conftest import Runner


class Docker(Podman):
    """Debian's docker."""

    command = "/usr/bin/docker"  # Debian's, if there is another one
    options = ("--network", "none")  # a dockerd without a bridge warns of all others

    def __init__(self, runner: Runner, directory: pathlib.Path) -> None:
        super().__init__(runner, directory / "exec/runtime-runc/moby")
        self.host = f"unix://{directory}/docker.sock"

    def __call__(self, *words: str, input: str | None = None, timeout: float = 60) -> Done:
        return super().__call__("--host", self.host, *words, input=input, timeout=timeout)

    def start(self, *words: str, **stdio: Any) -> subprocess.Popen[bytes]:
        return super().start("--host", self.host, *words, **stdio)

    def state(self, container_id: str) -> dict[str, Any]:
        done = self.runner(["scrun", "--root", str(self.state_root), "state", container_id])
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {}

    def exists(self, name: str) -> bool:
        return self("inspect", "--type", "container", name).returncode == 0

    def close(self) -> None:
        if self.names:
            self("rm", "--force", "--volumes", *self.names, timeout=100)
        end_all(self.processes)


class Daemon:
    """A dockerd that may be restarted without harm to others: the cluster's settings at places of its own."""

    command: tuple[str, ...] = ("dockerd",)

    def __init__(self, runner: Runner, settings: pathlib.Path, wait_until: Any, owner: int = 0) -> None:
        self.runner = runner
        self.wait_until = wait_until
        # (not pytest's: containerd's sockets are below it, and an address has 107 bytes)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="dockerd-"))
        os.chown(self.directory, owner, owner)
        self.docker = Docker(runner, self.directory)
        own = {
            "hosts": [self.docker.host],
            "pidfile": f"{self.directory}/docker.pid",
            "data-root": f"{self.directory}/data",
            "exec-root": f"{self.directory}/exec",
        }
        (self.directory / "docker.json").write_text(json.dumps(json.loads(settings.read_text()) | own))
        self.start()

    def start(self) -> None:
        with open(self.directory / "log", "ab") as log:
            words = [*self.command, "--config-file", f"{self.directory}/docker.json"]
            self.process = self.runner.start(words, stdout=log, stderr=log)
        # (not "version", at which a rootless dockerd 26.1 on the host's network panics)
        self.wait_until(lambda: self.docker("ps").returncode == 0, 20, what="dockerd answers")

    def load(self, archive: pathlib.Path) -> None:
        """Import the image."""
        self.docker.ok("import", "--change", "ENV PATH=/bin", str(archive), "busybox")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def close(self) -> None:
        try:
            self.docker.close()
            self.stop()
        finally:
            end_all([self.process])
            for mount in mounts_below(self.directory):
                subprocess.run(["umount", "--lazy", mount], check=False, timeout=10)
            shutil.rmtree(self.directory)


class RootlessDaemon(Daemon):
    """One of an ordinary user, started as by ``dockerd-rootless.sh``, on the host's network: nodes call srun back."""

    command = (
        *("rootlesskit", "--net=host", "--copy-up=/etc", "--copy-up=/run", "--propagation=rslave"),
        *("sh", "-c", 'rm -f /run/docker /run/containerd /run/xtables.lock; exec dockerd --rootless "$@"', "sh"),
    )


def mounts_below(directory: pathlib.Path) -> list[str]:
    """The innermost first."""
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    found = [line.split()[4] for line in lines]
    return sorted((path for path in found if path.startswith(f"{directory}/")), reverse=True)


def traces(docker: Docker) -> set[str]:
    """What there is of a dockerd's containers outside of it: state, shims, anchors, jobs."""
    found = set()
    with contextlib.suppress(FileNotFoundError):
        found |= {f"state {name}" for name in os.listdir(docker.state_root) if name != ends.DIRECTORY}
    place = str(docker.state_root.parent.parent)
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            words = pathlib.Path(f"/proc/{entry}/cmdline").read_text().split("\0") if entry.isdigit() else []
            if any(word.startswith(place) for word in words) and not words[0].endswith("containerd"):
                found.add(f"process {entry} {' '.join(words)}")
    # A job's working directory is the bundle.
    jobs = docker.runner(["squeue", "--noheader", "--user=root", "--format=%A %Z", "--states=PD,R,S"])
    return found | {f"job {line}" for line in jobs.stdout.splitlines() if f" {place}" in line}
