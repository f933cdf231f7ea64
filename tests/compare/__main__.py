"""``make compare RELEASE=forky``: rows.toml with Slurm's scrun and with this one; writes docs/comparison.md.

As root, on a machine that has both; the rows are run as the cluster's user.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from tests.bench import slurms
from tests.bench.__main__ import CHECKOUT, cluster, describe
from tests.bench.measure import Processes, TooLongError, become_subreaper

from . import table

if TYPE_CHECKING:
    from collections.abc import Mapping

AS_USER = str(CHECKOUT / ".cluster/as-user")
THEIRS = {
    "PROGRAM": slurms.PROGRAM,
    "SLURM_CONF": slurms.SLURM_CONF,
    "CONTAINERS_CONF": slurms.CONTAINERS_CONF,
}
SECONDS = 240.0
"""Of one row with one program: until a job of Slurm's scrun is gone it can take 70, and then all is removed."""
SETTLED = 60.0
"""Seconds in which the jobs of one script have gone before the next begins."""
MAKE = """
set -e
cd "$(mktemp -d ~/compare-XXXXXX)"
mkdir -p rootfs/bin rootfs/dev rootfs/etc rootfs/proc rootfs/sys rootfs/tmp
cp "$(command -v busybox)" rootfs/bin/busybox
for applet in cat grep sh sleep true; do ln -s busybox "rootfs/bin/$applet"; done
scrun spec --bundle . >&2
podman save --quiet --output busybox.tar busybox >&2
podman --storage-driver vfs --root "$PWD/store" --runroot "$PWD/run" load --quiet --input busybox.tar >&2
pwd
"""
REMOVE = 'podman --storage-driver vfs --root "$0/store" --runroot "$0/run" system reset --force; rm -rf "$0"'


class Looking:
    """The scripts, one after another, each with one program and then with the other."""

    def __init__(self) -> None:
        self._processes = Processes()
        self._programs = f"{cluster()['SCRUN_TEST_CHECKOUT']}/.venv/bin/"
        self.place = self._as_user({}, "bash", "-c", MAKE).strip().splitlines()[-1]

    def close(self) -> None:
        """Remove everything."""
        self._as_user({}, "bash", "-c", REMOVE, self.place)

    def see(self, row: table.Row) -> table.Seen:
        """What both programs do with a row."""
        return table.Seen(self._run(row, THEIRS), self._run(row, {"PROGRAM": f"{self._programs}scrun"}))

    def _run(self, row: table.Row, environ: Mapping[str, str]) -> str:
        prelude = table.PRELUDE.read_text(encoding="utf-8")
        environ = {**environ, "PLACE": self.place}
        try:
            said = self._as_user(environ, "bash", "-c", f"{prelude}\nbegun\n{row.script}")
        except TooLongError:
            said = f"no end within {SECONDS:.0f} s"
        self._as_user(environ, "bash", "-c", f"{prelude}\nended")
        # What has outlived it has come here, as to a machine's first process.
        while self._processes.kill_left():
            time.sleep(0.05)
        self._wait_for_jobs()
        return table.cell(said.replace(self.place, "…").replace(self._programs, ""))

    def _wait_for_jobs(self) -> None:
        end = time.monotonic() + SETTLED
        while self._as_user({}, "squeue", "--me", "--noheader").strip() and time.monotonic() < end:
            time.sleep(0.5)

    def _as_user(self, environ: Mapping[str, str], *command: str) -> str:
        words = [f"{name}={value}" for name, value in environ.items()]
        return self._processes.run((AS_USER, "env", *words, *command), limit=SECONDS).output.decode(errors="replace")


def main() -> int:
    """Run what was asked for, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.compare", description="Compare the two scruns.")
    parser.add_argument("--only", action="append", metavar="TITLE", help="one row anew (may be repeated)")
    arguments = parser.parse_args()
    rows = table.read()
    become_subreaper()
    text = table.PAGE.read_text(encoding="utf-8")
    seen = table.kept(text)
    with slurms.configured(cluster()["SLURM_CONF"]):
        looking = Looking()
        try:
            for row in rows:
                if row.script and (not arguments.only or row.title in arguments.only):
                    seen[row.title] = found = looking.see(row)
                    print(f"{row.title}\n  theirs: {found.theirs}\n  ours: {found.ours}", flush=True)
        finally:
            looking.close()
    table.PAGE.write_text(table.page(text, rows, seen, _on()), encoding="utf-8")
    return 0


def _on() -> str:
    facts = describe()
    with_what = ", ".join(facts[key] for key in ("slurm", "podman", "crun"))
    return f"Seen on {facts['date']} with {with_what}, Python {facts['python']}."


if __name__ == "__main__":
    sys.exit(main())
