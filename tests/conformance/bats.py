"""runc's bats, run against a runtime on the test cluster, by root or the test user, on a terminal of their own."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent.parent
CALLERS = {name: str(CHECKOUT / f".cluster/as-{name}") for name in ("root", "user")}
# With the cluster's other things that outlive "make cluster-down".
CACHE = pathlib.Path("/var/lib/scrun-cluster/conformance")
RUNTIMES = {"scrun": str(CHECKOUT / ".venv/bin/scrun"), "runc": "/usr/sbin/runc"}
# Most of the time is waiting, for Slurm or for "sleep 1" in the tests. runc's containers share cgroups by their names.
AT_ONCE = {"scrun": 3, "runc": 1}
# For one file: a case that hangs takes those after it along.
LIMIT = 120.0

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
Case = tuple[str, str]
"""File (without ``.bats``) and name."""

_LINE = re.compile(r"(ok|not ok) \d+ (.*?)(?: # skip ?(.*))?$")


@dataclasses.dataclass(frozen=True)
class Outcome:
    verdict: str
    detail: str = ""


def prepare() -> None:
    """Fetch the tests, unless they are there."""
    # What is installed for them goes with the cluster's own packages: "tests/cluster/down --purge".
    environ = {**os.environ, "RECORD": str(CACHE.parent / "installed-packages")}
    subprocess.run([CHECKOUT / "tests/conformance/runc-source", CACHE], env=environ, check=True)


def run(runtime: str, caller: str, files: Iterable[str], cases: Iterable[Case] | None = None) -> dict[Case, Outcome]:
    """Run these files, or only these cases of them.

    What a file that was stopped did not come to is missing in the answer.
    """
    wanted = None if cases is None else set(cases)

    def of_file(file: str) -> dict[Case, Outcome]:
        names = None if wanted is None else [name for where, name in wanted if where == file]
        return {(file, name): outcome for name, outcome in parse(_tap(runtime, caller, file, names)).items()}

    with ThreadPoolExecutor(AT_ONCE[runtime]) as pool:
        return {case: outcome for found in pool.map(of_file, files) for case, outcome in found.items()}


def parse(tap: str) -> dict[str, Outcome]:
    """Outcomes by name, from what ``bats --tap`` printed."""
    found: dict[str, Outcome] = {}
    name = ""
    for line in tap.splitlines():
        if match := _LINE.match(line):
            word, name, skipped = match.groups()
            verdict = SKIPPED if skipped is not None else PASSED if word == "ok" else FAILED
            found[name] = Outcome(verdict, skipped or "")
        elif name and line.startswith("#"):
            before = found[name]
            found[name] = dataclasses.replace(before, detail=f"{before.detail}\n{line[1:].strip()}".strip())
    return found


def _tap(runtime: str, caller: str, file: str, names: list[str] | None) -> str:
    made = subprocess.run(
        [CALLERS[caller], "mktemp", "-d", "/tmp/bats-XXXXXX"], stdout=subprocess.PIPE, text=True, check=True
    )
    directory = made.stdout.strip()
    os.chmod(directory, 0o711)
    try:
        filters = [] if names is None else ["--filter", f"^({'|'.join(map(_literal, sorted(names)))})$"]
        words = ["bats", "--tap", *filters, f"{file}.bats"]
        variables = [
            f"RUNC={RUNTIMES[runtime]}", f"TMPDIR={directory}", f"SLURM_CONF={_site(caller, directory)}", "TERM=xterm"
        ]  # fmt: skip
        command = shlex.join(["env", *variables, *words])
        shell = f"cd {CACHE}/tree/tests/integration && exec {command} >{directory}/tap 2>&1"
        # Foreground "run" wants a terminal; script(1) makes one.
        process = subprocess.Popen(
            [CALLERS[caller], "script", "-qec", shell, "/dev/null"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
        return pathlib.Path(directory, "tap").read_text(errors="replace")
    finally:
        _remove(runtime, caller, directory)


def _site(caller: str, directory: str) -> str:
    """slurm.conf of a site that stages below ``directory``: in root's home no user namespace could reach it."""
    path = pathlib.Path(directory, "site")
    path.mkdir()
    made = subprocess.run([CALLERS[caller], "printenv", "SLURM_CONF"], stdout=subprocess.PIPE, text=True, check=True)
    (path / "slurm.conf").symlink_to(made.stdout.strip())
    (path / "scrun.toml").write_text(f'[staging]\ndirectory = "{directory}/staging"\n')
    return f"{path}/slurm.conf"


def _literal(name: str) -> str:
    """The name as an extended regular expression."""
    return re.sub(r"([][\\.*^$+?(){}|])", r"\\\1", name)


def _remove(runtime: str, caller: str, directory: str) -> None:
    """Take away what the tests left: their containers (only of a file that was stopped) and their files."""
    for state in pathlib.Path(directory).glob("bats-run-*/runc.*/**/state"):
        for container in os.listdir(state):
            words = [CALLERS[caller], RUNTIMES[runtime], "--root", str(state), "delete", "--force", container]
            subprocess.run(words, capture_output=True, check=False, timeout=90)
    shutil.rmtree(directory, ignore_errors=True)


def compare(
    expected: Mapping[Case, str], found: Mapping[Case, Outcome], good: tuple[str, ...] = (PASSED,)
) -> list[str]:
    """A line for each case that has to pass and did not; some skip themselves when the caller is not root."""
    return [
        f"{file}.bats: {name}: {outcome.verdict}\n{outcome.detail}"
        for (file, name), verdict in expected.items()
        if verdict == "pass" and (outcome := found.get((file, name), Outcome("not run"))).verdict not in good
    ]
