"""Visits nodes: on each a job of a second whose plain step tells what is there, and a container."""

import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from actors.staging import reach
from actors.staging.overlay import kinds
from proto.errors import reason
from scrun.host import Answer, Host

from . import cluster, node_facts, rehearsal, speed
from .account import lines_of
from .finding import Finding, fault, warning
from .table import Row

AT_ONCE = 4
"""Nodes that are visited at the same time; each keeps a few processes here busy."""


def visit(host: Host, wanted: str) -> Iterator[Row]:
    """Rows about nodes.

    Args:
        host: this one.
        wanted: nodes as Slurm writes lists of them, or empty for all.

    """
    try:
        yield Row("staging speed", speed.staging_speed(host))
    except OSError as error:
        yield Row("nodes", fault(f"not visited: the staging directory cannot be written: {reason(error)}"))
        return
    if host.settings.scrun.scheduler == "local":
        yield Row("nodes", warning("not visited: scheduler is local"))
        return
    words = [f"--nodes={wanted}"] if wanted else []
    answer = host.run("sinfo", "-h", "-N", "-o", cluster.FORMAT, *words, environ=host.slurms_environ)
    nodes = cluster.read_nodes(answer.text, host.settings.job.get("partition", ""))
    if answer.status or not nodes:
        yield Row("nodes", fault(f"sinfo names no node{f' of {wanted}' if wanted else ''} that takes jobs"))
        return
    if wanted:
        listed = host.run("scontrol", "show", "hostnames", wanted, environ=host.slurms_environ)
        for name in cluster.missing(listed.text, nodes):
            yield Row(name, fault("sinfo knows no such node in a partition that takes this user's jobs"))
    host.keeps_owners  # noqa: B018 - once, before there are threads
    with tempfile.TemporaryDirectory(prefix="scrun-doctor-") as bundle, ThreadPoolExecutor(AT_ONCE) as pool:
        trial = _Trial(host, bundle if rehearsal.write_bundle(bundle) else "")
        for rows in pool.map(trial.rows, nodes):
            yield from rows


class _Trial:
    """What is done on each node.

    Args:
        host: this one.
        bundle: directory of the bundle, or empty if there is none.

    """

    def __init__(self, host: Host, bundle: str) -> None:
        self._host = host
        self._bundle = bundle

    def rows(self, node: cluster.Node) -> list[Row]:
        """Visit one node; a failure of our own is a row."""
        if node.state:
            return [Row(node.name, warning(f"not visited: it is {node.state}"))]
        try:
            return [*self._facts(node), Row(f"{node.name} container", self._container(node))]
        except Exception as error:
            return [Row(node.name, fault(f"the visit failed itself: {type(error).__name__}: {error}"))]

    def _facts(self, node: cluster.Node) -> list[Row]:
        host = self._host
        directory = host.nearest(reach.place_of(host.settings, host.caller.home))
        with tempfile.TemporaryDirectory(prefix=".scrun-doctor~", dir=directory) as seen:
            began = time.time()
            answer = self._step(node, node_facts.SCRIPT, seen)
            asked = node_facts.Asked(node.version, began, time.time())
            facts = node_facts.read_facts(answer.text)
            if facts is None:
                return [Row(node.name, node_facts.judge_silence(answer))]
            rows = node_facts.judge_facts(node.name, facts, seen, self._ids(), asked)
            runtime = facts.values.get("program", "")
            if not runtime or host.settings.staging.mode not in {"auto", "overlay", "overlays"}:
                return rows
            os.mkdir(f"{seen}/d")
            changes = host.settings.staging.changes
            said = self._step(node, kinds.PROGRAM.decode(), changes, seen, self._kind_of_ids(), runtime)
        finding = node_facts.judge_overlays(kinds.read_verdict(said.text), changes)
        return [*rows, Row(f"{node.name} overlays", finding)]

    def _step(self, node: cluster.Node, script: str, *words: str) -> Answer:
        """What a shell's script says in a plain job on a node."""
        host = self._host
        job = {"account": host.settings.job.get("account", ""), "qos": host.settings.job.get("qos", "")}
        return host.run(
            "srun", f"--nodelist={node.name}", f"--partition={node.partition}", "--nodes=1", "--ntasks=1",
            "--time=1", f"--immediate={rehearsal.WAIT}", f"--job-name={rehearsal.JOB_NAME}", "--quiet",
            "--mpi=none", *[f"--{name}={value}" for name, value in job.items() if value], "--chdir=/",
            "/bin/sh", "-c", script, "scrun-doctor", *words,
            environ=host.slurms_environ, seconds=rehearsal.SECONDS,
        )  # fmt: skip

    def _kind_of_ids(self) -> str:
        """How a container of this user becomes root of its ids on a node (``node_programs.ids_text``)."""
        who = self._host.caller
        if not who.uid and not who.namespaced:
            return "root"
        return "own" if self._ids() is None else "mapped"

    def _ids(self) -> node_facts.Ids | None:
        """The user's subordinate ids, if containers get them."""
        host = self._host
        who = host.caller
        if not who.uid or host.settings.scrun.id_mapping == "single" or host.keeps_owners != "yes":
            return None
        texts = (host.read("/etc/subuid") or "", host.read("/etc/subgid") or "")
        return lines_of(texts[0], who.user, who.uid), lines_of(texts[1], who.user, who.uid)

    def _container(self, node: cluster.Node) -> Finding:
        host = self._host
        if not self._bundle:
            return warning("a container was not tried: there is no entry file for this host's kind of machine")
        name = f"doctor-{os.urandom(4).hex()}"
        environ = host.slurms_environ | rehearsal.options(node.name, node.partition)
        for variable in ("XDG_RUNTIME_DIR", "SCRUN_SCHEDULER"):
            if host.environ.get(variable):
                environ[variable] = host.environ[variable]
        scrun = (*host.within, host.launcher, "--root", host.root)
        answer = host.run(
            *scrun, "run", "--bundle", self._bundle, name, environ=environ, seconds=rehearsal.SECONDS,
        )  # fmt: skip
        if answer.status == 124:
            host.run(*scrun, "delete", "--force", name, environ=environ)
        return rehearsal.judge_container(answer)
