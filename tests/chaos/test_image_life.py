"""An image is copied, mounted, changed and brought back while whoever is at work on it is killed or frozen.

The program looks at each byte of its image first, so a tree that is not complete, or another's, is exit status 9.
"""

from __future__ import annotations

import contextlib
import fnmatch
import os
import pathlib
import secrets
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import all_pids, read_proc, state_and_parent, wait_until

from .conftest import chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Cluster, Runner
    from tests.oci.podman import Podman

    from .conftest import Chaos

pytestmark = pytest.mark.oci
NODE = pathlib.Path("/tmp")
GONE = 1 << 30
"""A pid that nobody has."""
BUILD = """
d=$(mktemp -d); trap 'rm -r "$d"' EXIT; cd "$d"
for i in $(seq 60); do mkdir -p data/$i; (cd data/$i; seq 70 | split -l 1 -a 3); done
head -c 80M /dev/urandom >data/big; find data -type f -exec sha256sum {} + >sums
printf 'FROM busybox\\nCOPY data /data\\nCOPY sums /sums\\n' >Containerfile; podman build -q -t "$1" .
"""
PROGRAM = """
cd /; sha256sum -c sums >/dev/null || exit 9
if [ -e /data/changed ]; then cat /data/changed; test ! -e /top || cat /top; exit 8; fi
echo precious >/data/changed; echo top >/top; cp -r /data/1 /data/one; exit 7
"""
VICTIMS: dict[str, tuple[str, str]] = {
    "staging actor": ("scrun-staging", ""),
    "import worker": ("", "actors.staging.images.worker"),
    "srun": ("srun", "--container=*ID~"),
    "hook before": ("sh", "ID~*/node/enter"),
    "hook after": ("sh", "ID~*/node/collect"),
    "tar": ("tar", "/.scrun-"),
    "runtime": ("*crun*", " run "),  # 1.21 runs a copy of itself: "memfd:crun_clon"
}
"""Whoever is at work: pattern of its name, and what is in its command line, in which ID is the container's."""
SPARED = {"staging actor", "hook after", "tar"}
"""After whose death the container must be as if nothing had happened; the others may end it, but with a word."""


class Trial:
    """One container of the image, and one blow."""

    def __init__(self, podman: Podman, image: str) -> None:
        self.podman = podman
        self.name = podman.create(image, "sh", "-c", PROGRAM)
        self.id = podman.id(self.name)
        self.hit = 0
        self.others = set(NODE.glob(".scrun-*"))

    def run(self, victim: str, signum: int, delay: float, *, anchor: bool = False) -> tuple[int, str]:
        """Start it, and strike the victim, or the anchor in its place, ``delay`` seconds after it was seen first.

        Returns:
            Exit status and what was said.

        """
        over = threading.Event()
        striker = threading.Thread(target=self._strike, args=(victim, signum, delay, anchor, over))
        striker.start()
        try:
            done = self.podman("start", "--attach", self.name, timeout=90)
        finally:
            over.set()
            striker.join()
        return done.returncode, done.stdout + done.stderr

    def _strike(self, victim: str, signum: int, delay: float, anchor: bool, over: threading.Event) -> None:
        while not over.is_set():
            seen = self._find(*VICTIMS[victim])
            if not seen:
                time.sleep(0.001)
                continue
            time.sleep(delay)
            self.hit = state_and_parent(self._find("scrun-state", "ID"))[1] if anchor else seen
            try:
                os.kill(self.hit or GONE, signum)
            except ProcessLookupError:
                self.hit = 0
                continue
            if signum == signal.SIGSTOP:
                over.wait(1)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.hit, signal.SIGCONT)
            return

    def _find(self, name: str, words: str) -> int:
        pattern = f"*{words.replace('ID', self.id)}*"
        for pid in all_pids():
            if name and not fnmatch.fnmatchcase(read_proc(pid, "comm").decode().rstrip(), name):
                continue
            line = read_proc(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")
            if fnmatch.fnmatchcase(line, pattern):
                return pid
        return 0


@pytest.fixture(scope="module")
def image(cluster: Cluster) -> Iterator[str]:
    as_user = cluster.runner("as-user")
    name = f"localhost/{secrets.token_hex(4)}"
    done = as_user(["sh", "-ec", BUILD, "sh", name], "", 120)
    assert done.returncode == 0, done.stderr
    yield name
    as_user(["podman", "rmi", "--force", name])


@pytest.fixture
def place(cluster: Cluster, as_user: Runner, user_settings: Callable[[str], None]) -> Iterator[pathlib.Path]:
    """A staging directory without any image."""
    path = pathlib.Path(f"~{cluster.user}").expanduser() / f"staging-{secrets.token_hex(4)}"
    assert as_user(["mkdir", str(path)]).returncode == 0
    user_settings(f'[staging]\ndirectory = "{path}"\n')
    yield path
    as_user(["podman", "unshare", "rm", "-rf", str(path)])


@pytest.mark.parametrize("victim", chosen(VICTIMS))
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_the_image_is_whole_or_there_is_a_word(
    podman: Podman, image: str, place: pathlib.Path, chaos: Chaos, victim: str, signum: signal.Signals
) -> None:
    for _ in chaos.some([0] * 3, 1):
        trial = Trial(podman, image)
        one(trial, victim, signum, chaos)
        clean(trial, place)
        # The next container is none the worse for what is left in the cache; and then nothing is left there.
        assert podman.run("--rm", image, "sh", "-c", PROGRAM).returncode == 7
        assert not [path.name for path in (place / "cache").iterdir() if ".new" in path.name or "~" in path.name]
        chaos.figures["cases"] += 1


@pytest.mark.parametrize("moment", chosen(VICTIMS))
def test_cancelled_at_any_step_nothing_is_left(
    podman: Podman, image: str, place: pathlib.Path, chaos: Chaos, moment: str
) -> None:
    for _ in chaos.some([0] * 2, 1):
        trial = Trial(podman, image)
        code, said = trial.run(moment, signal.SIGINT, chaos.random.choice((0.0, 0.05, 0.2)), anchor=True)
        chaos.figures[f"cancellations at {moment}"] += bool(trial.hit)
        # What has come to its end before keeps its exit status; a start that was cut off has a sentence.
        assert code in {7, 125, 126, 127, 130, 137}, f"{code} {said}"
        clean(trial, place)
        assert podman.run("--rm", image, "sh", "-c", PROGRAM).returncode == 7
        chaos.figures["cases"] += 1


def one(trial: Trial, victim: str, signum: signal.Signals, chaos: Chaos) -> None:
    code, said = trial.run(victim, signum, chaos.random.choice((0.0, 0.02, 0.1, 0.4)))
    chaos.figures[f"blows at {victim}"] += bool(trial.hit)
    if victim in SPARED or signum == signal.SIGSTOP or not trial.hit:
        assert code == 7, f"{code} {said}"
    if code == 7:
        # All its changes are there for the next start, whatever was struck.
        again = trial.podman("start", "--attach", trial.name, timeout=90)
        assert (again.returncode, again.stdout) == (8, "precious\ntop\n"), again
    else:
        assert code == 137 or (code > 100 and said), f"{code} {said}"


def clean(trial: Trial, place: pathlib.Path) -> None:
    """There is no trace of it but in the cache."""
    trial.podman.ok("rm", "--force", trial.name)
    wait_until(lambda: not trial.podman.left(trial.id), 20, what=f"nothing left of {trial.id}")
    wait_until(lambda: set(NODE.glob(".scrun-*")) <= trial.others, 20, what="nothing left on the node")
    assert {path.name for path in place.iterdir()} <= {"cache", ".pruned"}
