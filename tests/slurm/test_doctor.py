"""``scrun doctor --nodes``: jobs and containers on real nodes, one of which a test may spoil."""

from __future__ import annotations

import json
import os
import pathlib
from typing import TYPE_CHECKING

import pytest

from scrun.doctor import limits
from tests.census import descriptors
from tests.conftest import read_proc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.slurm.runtime import Runtime

Rows = dict[str, tuple[str, str, list[str]]]


def visit(runtime: Runtime, nodes: str, environ: Mapping[str, str] | None = None, *, everything: bool = False) -> Rows:
    """The rows about nodes: level, sentence, lines."""
    before = {row["check"] for row in json.loads(runtime("doctor", "--format=json").stdout)}
    # A node that still clears up after another test's job is busy, and its row would say so.
    ending = ["squeue", "-h", "--states=completing"]
    runtime.wait_until(lambda: not runtime.runner(ending).stdout, 60, what="no job that ends")
    done = runtime("doctor", "--format=json", f"--nodes={nodes}", environ=environ, timeout=120)
    rows = [row for row in json.loads(done.stdout) if row["check"] not in before]
    assert done.returncode == 1 or all(row["level"] != "fault" for row in rows)
    # What these say depends on the release and on the load of the machine: they have a test of their own.
    rows = [row for row in rows if everything or not row["check"].endswith(("known faults", " speed"))]
    return {row["check"]: (row["level"], row["sentence"], row["lines"]) for row in rows}


def levels(runtime: Runtime) -> dict[str, str]:
    """The levels of the rows about this host."""
    return {row["check"]: row["level"] for row in json.loads(runtime("doctor", "--format=json").stdout)}


@pytest.fixture
def bare_oci_conf() -> Iterator[Callable[[str, str], None]]:
    """Gives bare1 the oci.conf of the others with one text in place of another."""
    good = pathlib.Path(os.environ["SLURM_CONF"]).with_name("oci.conf")
    path = good.parent.with_name("etc-bare") / "oci.conf"

    def write(old: str, new: str) -> None:
        text = good.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    yield write
    path.unlink(missing_ok=True)


def test_nodes_that_are_well_and_one_that_is_not(runtime: Runtime) -> None:
    rows = visit(runtime, "node[1-2],bare1")
    checks = ("runtime", "staging", "system", "clock", "ids", "container")
    expected = {f"{node} {check}" for node in ("node1", "node2", "bare1") for check in checks}
    assert set(rows) == expected | {"node1 overlays", "node2 overlays"}, rows  # bare1 names no runtime
    spoilt = {name for name, row in rows.items() if row[0] != "ok"}
    assert spoilt == {"bare1 runtime", "bare1 container"}
    assert "etc-bare/oci.conf, so no container runs there" in rows["bare1 runtime"][1]
    assert len(rows["bare1 runtime"][2]) == 4
    assert "has no oci.conf" in rows["bare1 container"][1]
    assert "crun version" in rows["node1 runtime"][1]


@pytest.mark.slice
def test_what_depends_on_release_and_load(runtime: Runtime) -> None:
    rows = visit(runtime, "node1", everything=True)
    assert {"staging speed", "node1 speed", "node1 known faults"} < set(rows)
    for name in ("staging speed", "node1 speed"):
        assert "small files/s" in rows[name][1]
    slurmd = runtime.runner(["sinfo", "-h", "-n", "node1", "-o", "%v"]).stdout.split()[0]
    level, sentence = rows["node1 known faults"][:2]
    assert "crun " in sentence
    assert level == "warning" or f"slurmd {slurmd}" in sentence  # (a warning names the one that has a fault)
    host = {row["check"]: row for row in json.loads(runtime("doctor", "--format=json").stdout)}
    there = host["known faults"]
    assert there["level"] == "warning" or f"slurmd {slurmd}" in there["sentence"]
    assert [host[name]["level"] for name in ("credentials", "TLS", "clock")] == ["ok", "ok", "ok"]


def test_a_container_takes_no_more_than_the_doctor_reckons_with(runtime: Runtime) -> None:
    box = runtime.running("/bin/cat", stdin=True)
    family = [box.anchor]
    for pid in family:
        family += [int(word) for word in read_proc(pid, f"task/{pid}/children").split()]
    threads = {pid: len(os.listdir(f"/proc/{pid}/task")) for pid in family}
    assert len(family) > 5
    assert sum(threads.values()) <= limits.TASKS, threads
    assert max(len(descriptors(pid)) for pid in family) <= limits.FILES


def test_nothing_is_left(runtime: Runtime) -> None:
    visit(runtime, "node1")
    assert json.loads(runtime("list", "--format=json").stdout or "[]") in ([], None)
    assert runtime.runner(["squeue", "-h", "-t", "running,pending", "--name=scrun-doctor"]).stdout == ""
    left = runtime.runner(["sh", "-c", "ls -a ~ ~/.scrun | grep doctor"]).stdout
    assert left == ""


@pytest.mark.parametrize(
    ("old", "new", "runtime_row", "container_words"),
    [
        ("crun --rootless", "no-such-crun --rootless", "names no-such-crun, which is not there", "no-such-crun"),
        ("--bundle %b", "--bundle /nowhere", "does not name the bundle", "/nowhere"),
        ("--root=/run/scrun-cluster/oci/", "--root=/proc/nowhere/", "/proc/nowhere/ is not there", "/proc/nowhere"),
    ],
)
def test_a_runtime_that_cannot_work(
    runtime: Runtime,
    bare_oci_conf: Callable[[str, str], None],
    old: str,
    new: str,
    runtime_row: str,
    container_words: str,
) -> None:
    bare_oci_conf(old, new)
    rows = visit(runtime, "bare1")
    assert rows["bare1 runtime"][0] == "fault"
    assert runtime_row in rows["bare1 runtime"][1]
    assert rows["bare1 container"][0] == "fault"
    assert container_words in rows["bare1 container"][1]


def test_a_mended_node_is_well(runtime: Runtime, bare_oci_conf: Callable[[str, str], None]) -> None:
    bare_oci_conf("exec", "exec")
    assert {row[0] for row in visit(runtime, "bare1").values()} == {"ok"}


def test_a_wall_on_the_way_to_the_staging_directory(runtime: Runtime) -> None:
    closed = runtime.directory / "closed"
    runtime.runner(["mkdir", "-m", "700", str(closed)])
    site = runtime.site(f'[staging]\nroot_squash = "yes"\ndirectory = "{closed}/s"\n')
    rows = visit(runtime, "node1", site)
    assert rows["node1 container"][0] == "fault"
    assert f"cannot go through {closed}" in rows["node1 container"][1]
    assert rows["node1 staging"][0] == "ok"


def test_where_root_is_nobody(runtime: Runtime, squashed: pathlib.Path) -> None:
    rows = visit(runtime, "node1")
    # One id: subordinate ids are of no use there.
    assert {name: row[0] for name, row in rows.items()} == dict.fromkeys(
        ("node1 runtime", "node1 staging", "node1 system", "node1 clock", "node1 overlays", "node1 container"), "ok"
    )
    host = levels(runtime)
    assert (host["root_squash"], host["file owners"], host["podman build"]) == ("ok", "ok", "warning")
    # The user's own directory above it, whose name the site gave.
    runtime.runner(["chmod", "700", str(squashed.parent)])
    try:
        assert levels(runtime)["root_squash"] == "fault"
        closed = visit(runtime, "node1")["node1 container"]
        assert (closed[0], f"cannot go through {squashed.parent}" in closed[1]) == ("fault", True), closed
    finally:
        runtime.runner(["chmod", "711", str(squashed.parent)])


def test_nodes_that_cannot_be_visited(runtime: Runtime, filled: Callable[[], None]) -> None:
    rows = visit(runtime, "node3,node77")
    assert rows["node3"][:2] == ("warning", "not visited: it is allocated")
    assert rows["node77"][0] == "fault"
    assert len(rows) == 2
    filled()
