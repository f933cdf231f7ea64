"""A place for real containers of the local scheduler: settings, a bundle, and a file for traces."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import Any

from proto.life import ends

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-IS", str(CHECKOUT / "scrun/__main__.py")]

KEPT = {".local-runtime", ends.DIRECTORY}
"""What stays in a state directory when its containers have gone."""

Hook = dict[str, Any]


class Site:
    """A state directory, a bundle, and a file in which hooks leave their traces."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.root = path / "root"
        self.bundle = path / "bundle"
        self.traces = path / "traces"
        self.log = path / "log"
        (path / "etc").mkdir()
        (path / "etc/slurm.conf").touch()
        self.settings()
        (self.bundle / "rootfs/bin").mkdir(parents=True)
        shutil.copy("/bin/busybox", self.bundle / "rootfs/bin/busybox")

    def settings(self, more: str = "") -> None:
        (self.path / "etc/scrun.toml").write_text(f'[scrun]\nruntime = "runc"\n{more}')

    def config(self, version: str = "1.0.2", program: str = "exec sleep 1000", **hooks: list[Hook]) -> None:
        config = {
            "ociVersion": version,
            "root": {"path": "rootfs"},
            "process": {"cwd": "/", "args": ["/bin/busybox", "sh", "-c", program], "env": ["PATH=/bin"]},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
            "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
            "annotations": {"a": "b"},
            "hooks": hooks,
        }
        (self.bundle / "config.json").write_text(json.dumps(config))

    def scrun(self, *words: str) -> subprocess.CompletedProcess[str]:
        # Files, not pipes: what create gets stays open as long as the container.
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as error:
            done = subprocess.run(
                [*COMMAND, "--root", str(self.root), *words], env=self.environ, stdin=subprocess.DEVNULL,
                stdout=output, stderr=error, timeout=60, check=False, cwd=self.bundle,
            )  # fmt: skip
            output.seek(0)
            error.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read(), error.read())

    @property
    def environ(self) -> dict[str, str]:
        return {"SCRUN_SCHEDULER": "local", "SLURM_CONF": str(self.path / "etc/slurm.conf"), "SECRET": "s"}

    def succeeds(self, *words: str) -> str:
        done = self.scrun(*words)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def fails(self, *words: str) -> str:
        """Run; nothing is left; return the sentence."""
        done = self.scrun(*words)
        assert (done.returncode, done.stdout) == (1, "")
        assert not [path.name for path in self.root.glob("*") if path.name not in KEPT]
        return done.stderr.strip()

    def traced(self) -> list[str]:
        return self.traces.read_text().splitlines() if self.traces.exists() else []

    def trace(self, word: str, then: str = "") -> Hook:
        """A hook that leaves a word."""
        return shell(f"echo {word} >> {self.traces}; {then}")


def shell(script: str, **others: Any) -> Hook:
    return {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/bin:/bin"]} | others
