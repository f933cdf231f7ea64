"""``make bench``: measures latency, throughput and memory on the test cluster, and prints one table.

Every value stands beside one of the same run, measured in turn with it, because this machine is shared with
whatever else runs on it: read the ratios. Nothing is asserted about any time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

from . import crowd, images, peer, slurms
from .figures import FIGURES
from .rows import Row, row_from_json, table

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent.parent
USUAL_SECONDS, QUICK_SECONDS = 300.0, 60.0
MORE_SECONDS = {images.NAME: 900.0, peer.NAME: 600.0, crowd.NAME: 300.0}
"""For large images, which have to be made; for two programs, of which one may hang; for hundreds side by side."""
CLEAN_UP_SECONDS = 40.0


def main() -> int:
    """Have the worker measure, and print what it found."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure scrun on the test cluster.")
    parser.add_argument("--quick", action="store_true", help="few repetitions: does the bench work?")
    parser.add_argument("--only", action="append", choices=tuple(FIGURES), help="one figure (may be repeated)")
    parser.add_argument("--json", metavar="FILE", help="write all values there, too")
    parser.add_argument("--commit", help="of the checkout, where git cannot tell it: on a machine of tests/releases")
    arguments = parser.parse_args()
    as_user = CHECKOUT / ".cluster/as-user"
    if not as_user.exists():
        print("the test cluster is not up: make cluster-up", file=sys.stderr)
        return 1
    begin = time.monotonic()
    names = arguments.only or [name for name in FIGURES if name != peer.NAME]
    facts = describe()
    facts["commit"] = arguments.commit or facts["commit"]
    with contextlib.ExitStack() as stack:
        if peer.NAME in names:
            stack.enter_context(slurms.configured(cluster()["SLURM_CONF"]))
            facts["peer"] = _ask(slurms.PROGRAM, "--version").partition("\n")[0]
        rows, troubles, status = _measure(str(as_user), names, quick=arguments.quick)
    facts["seconds"] = round(time.monotonic() - begin, 1)
    facts["load_after"] = os.getloadavg()[0]
    print(_heading(facts))
    print(table(rows), end="")
    for trouble in troubles:
        print(f"! {trouble}")
    if arguments.json:
        data = {"facts": facts, "rows": [row.as_json() for row in rows], "troubles": troubles}
        pathlib.Path(arguments.json).write_text(json.dumps(data, indent=1) + "\n")
    return status


def _measure(as_user: str, names: list[str], *, quick: bool) -> tuple[list[Row], list[str], int]:
    rows: list[Row] = []
    troubles: list[str] = []
    seconds = QUICK_SECONDS if quick else USUAL_SECONDS + sum(MORE_SECONDS.get(name, 0) for name in names)
    # The user may not be able to read the tests of this checkout, and what is measured stays what it is.
    with tempfile.TemporaryDirectory(prefix="scrun-bench-") as place:
        os.chmod(place, 0o755)
        shutil.copytree(CHECKOUT / "tests/bench", f"{place}/tests/bench", ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(["chmod", "-R", "go+rX", place], check=True)
        python = f"{cluster()['SCRUN_TEST_CHECKOUT']}/.venv/bin/python3"
        mode = "quick" if quick else "usual"
        argv = [as_user, python, "-B", "-m", "tests.bench.worker", str(seconds), mode, *names]
        worker = subprocess.Popen(argv, cwd=place, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        # In its own time it ends by itself; this is for a worker that hangs.
        signal.signal(signal.SIGALRM, lambda *_: worker.terminate())
        signal.alarm(int(seconds) + 15)
        try:
            _listen(worker, rows, troubles)
        except KeyboardInterrupt:
            worker.terminate()
            troubles.append("interrupted")
        finally:
            signal.alarm(0)
            try:
                worker.wait(CLEAN_UP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
                troubles.append("the worker did not end and was killed: something may be left of it")
    return rows, troubles, worker.returncode


def _listen(worker: subprocess.Popen[str], rows: list[Row], troubles: list[str]) -> None:
    assert worker.stdout is not None
    with worker.stdout:
        for line in worker.stdout:
            kind, what = json.loads(line)
            if kind == "row":
                rows.append(row_from_json(what))
            elif kind == "failed":
                troubles.append(what)
            elif sys.stderr.isatty():
                print(f"  {what}", file=sys.stderr)


# --- on what it was measured ----------------------------------------------------


def describe() -> dict[str, Any]:
    """What one has to know to compare two tables."""
    path = cluster()["PATH"]
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "commit": _ask("git", "-C", str(CHECKOUT), "describe", "--always", "--dirty", "--exclude=*"),
        "machine": f"{os.cpu_count()} processors, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "slurm": _ask("salloc", "--version", path=path),
        "podman": _ask("podman", "--version", path=path),
        "crun": _ask("crun", "--version", path=path).partition("\n")[0],
        "load_before": os.getloadavg()[0],
    }


def _heading(facts: dict[str, Any]) -> str:
    return (
        f"scrun {facts['commit']}, {facts['date']}: {facts['machine']}, Python {facts['python']}, {facts['slurm']}, "
        f"{facts['podman']}\nload {facts['load_before']:.1f} before, {facts['load_after']:.1f} after; "
        f"{facts['seconds']:.0f} s; medians, and ratios of medians, of this run alone\n"
    )


def _ask(*argv: str, path: str = "/usr/bin:/bin") -> str:
    try:
        environ = {"PATH": path, "SLURM_CONF": cluster()["SLURM_CONF"]}
        done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return f"no {argv[0]}"
    return done.stdout.strip()


def cluster() -> dict[str, str]:
    """The settings of the cluster that is up."""
    lines = (CHECKOUT / ".cluster/env").read_text().splitlines()
    words = [word for line in lines for word in shlex.split(line, comments=True) if word != "export"]
    return dict(word.split("=", 1) for word in words)


if __name__ == "__main__":
    sys.exit(main())
