"""The pictures of ``docs/console.md``, of real containers on the test cluster: ``python -m tests.slurm.pictures``.

What they show is what was there: change the containers here, or the screen, and make them again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from typing import TYPE_CHECKING

import zmq

from scrun.cli.parsing import Line
from scrun.console.screen.app import Top
from scrun.console.screen.start import watching
from tests.conftest import CHECKOUT, Cluster, Runner, read_cluster
from tests.oci.podman import Podman

if TYPE_CHECKING:
    from textual.pilot import Pilot

PICTURES = CHECKOUT / "docs"
SIZE = (80, 24)
PROGRAMS = {
    "web": "while :; do head -c 60000 /dev/zero | tr '\\0' x; sleep 0.2; done",
    "sum": "while :; do :; done",
    "wait": "while read line; do echo $line; done; sleep 1000",
}
"""What writes, what computes, and what does nothing."""
NODE = "node2"
"""Is full for a while, so that two containers wait for it."""


def containers(podman: Podman, filler: str) -> None:
    """Have some of each kind."""
    words = ["salloc", "--quiet", "--no-shell", f"--job-name={filler}", f"--nodelist={NODE}", "--cpus-per-task=16"]
    assert podman.runner([*words, "--time=40"]).returncode == 0
    for script in (*PROGRAMS.values(), PROGRAMS["web"]):
        podman.detached("busybox", "sh", "-c", script)
    for _ in range(2):
        wishes = (f"scrun.nodelist={NODE}", "scrun.cpus-per-task=16", "scrun.time=10")
        annotations = [word for wish in wishes for word in ("--annotation", wish)]
        podman.start("run", "--detach", "--name", podman.name(), *annotations, "busybox", "true")


async def shown(pilot: Pilot[None], seconds: float) -> None:
    """Let what is counted once a second, or asked for now and then, come."""
    await pilot.pause(seconds)


async def pictures(cluster: Cluster) -> None:
    """Take all of them."""
    with contextlib.ExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        found = stack.enter_context(contextlib.closing(watching(context, Line(), str(cluster.scrun_root))))
        app = Top(found)

        def take(name: str) -> None:
            (PICTURES / f"screen-{name}.svg").write_text(app.export_screenshot(), encoding="utf-8")

        async with app.run_test(size=SIZE) as pilot:
            await shown(pilot, 45)  # Slurm's backfill scheduler looks every half minute when a job shall start
            await pilot.press("home")
            await shown(pilot, 1)
            take("overview")
            await pilot.press("end", "enter")
            await shown(pilot, 14)
            await pilot.press("down", "down", "down", "down")
            await shown(pilot, 2)
            take("container")
            await pilot.press("2")
            await shown(pilot, 3)
            take("messages")
            await pilot.press("1", "R")
            await shown(pilot, 0.5)
            take("question")


def main() -> None:
    """Begin containers, look at them, and remove them."""
    cluster = read_cluster()
    assert isinstance(cluster, Cluster), cluster
    os.environ |= {name: cluster.variables[name] for name in ("PATH", "SLURM_CONF")}
    podman = Podman(Runner(CHECKOUT / ".cluster/as-user"), cluster.scrun_root)
    filler = f"filler-{secrets.token_hex(4)}"
    try:
        containers(podman, filler)
        asyncio.run(pictures(cluster))
    finally:
        podman.runner(["scancel", f"--name={filler}"])
        podman.close()


if __name__ == "__main__":
    main()
