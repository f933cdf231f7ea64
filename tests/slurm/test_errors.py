"""Errors: one sentence, exit code 1, exactly one record in the log, and nothing left."""

from __future__ import annotations

import pathlib
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.slurm.runtime import Runtime

ENGINE_WORDS = re.compile(
    "no such file or directory|permission denied|operation not permitted|executable file not found|"
    "is a directory|not a directory",
    re.IGNORECASE,
)
"""podman and docker would take these for a fault of the user's program, and answer 126 or 127."""


def refused(runtime: Runtime, *words: str, **options: Any) -> str:
    """``create`` fails, and nothing is left of it."""
    bundle = options.pop("bundle", None) or runtime.bundle("/bin/true", annotations=options.pop("annotations", {}))
    pid_file = runtime.pid_file("refused")
    runtime.ids.append("refused")
    sentence = runtime.fails(
        "create", "--bundle", str(bundle), "--pid-file", str(pid_file), *(words or ("refused",)), **options
    )
    assert not ENGINE_WORDS.search(sentence), sentence
    assert not pid_file.exists()
    assert runtime.left("refused") == []
    assert runtime.names() == []
    return sentence


@pytest.mark.parametrize("verb", ["state", "start", "kill", "delete"])
def test_an_unknown_id(runtime: Runtime, verb: str) -> None:
    assert runtime.fails(verb, "nobody") == "container nobody does not exist"


def test_an_id_that_is_in_use(runtime: Runtime) -> None:
    box = runtime.box("/bin/true")
    before = box.state()
    sentence = runtime.fails("create", "--bundle", str(runtime.bundle("/bin/true")), box.id)
    assert "container with given ID already exists" in sentence
    assert box.state() == before


@pytest.mark.parametrize("bad", ["../x", "", "x" * 300, ".", "..", "a/b", "a b", "ü"])
def test_a_bad_id(runtime: Runtime, bad: str) -> None:
    outside = set(runtime.directory.parent.glob("x*"))
    sentence = refused(runtime, bad)
    assert "id" in sentence.lower()
    assert set(runtime.directory.parent.glob("x*")) == outside


def test_a_bundle_that_is_not_there(runtime: Runtime) -> None:
    assert "nothing" in refused(runtime, bundle=runtime.directory / "nothing")


def test_a_bundle_that_is_no_json(runtime: Runtime) -> None:
    bundle = runtime.bundle("/bin/true")
    runtime.runner(["/bin/sh", "-c", f"echo '{{' >{bundle}/config.json"])
    assert "config.json" in refused(runtime, bundle=bundle)


def test_no_slurm_conf(runtime: Runtime) -> None:
    assert "/nowhere/slurm.conf" in refused(runtime, environ={"SLURM_CONF": "/nowhere/slurm.conf"})


def test_an_unknown_partition(runtime: Runtime) -> None:
    assert "there is no such partition" in refused(runtime, annotations={"scrun.partition": "nowhere"})


def test_more_nodes_than_there_are(runtime: Runtime) -> None:
    assert "nodes" in refused(runtime, annotations={"scrun.nodes": "99"})


def test_munge_is_down(runtime: Runtime, cluster: Any) -> None:
    text = pathlib.Path(cluster.slurm_conf).read_text()
    if "AuthType=auth/munge\n" not in text:
        pytest.skip("this cluster has no munge, but AUTH=slurm")
    text += "AuthInfo=socket=/run/no-such-munge.socket\n"
    sentence = refused(runtime, environ=runtime.site("", text))
    assert "munge" in sentence.lower()


def test_sackd_is_down(runtime: Runtime, cluster: Any) -> None:
    if "AuthType=auth/slurm\n" not in pathlib.Path(cluster.slurm_conf).read_text():
        pytest.skip("this cluster has munge: make cluster-up RELEASE=forky AUTH=slurm")
    sentence = refused(runtime, environ=runtime.site("") | {"SLURM_SACK_SOCKET": "/run/no-such-sack.socket"})
    assert "sackd" in sentence


def test_slurmctld_is_down(runtime: Runtime, cluster: Any) -> None:
    text = pathlib.Path(cluster.slurm_conf).read_text()
    sentence = refused(runtime, environ=runtime.site("", re.sub(r"SlurmctldPort=\d+", "SlurmctldPort=1", text)))
    assert "slurmctld" in sentence


def test_point_14_a_start_that_fails_ends_anchor_and_job(runtime: Runtime) -> None:
    box = runtime.box("/bin/true")
    job = box.job()
    # What was staged goes away before the node has seen it.
    staged = re.search(r"/[^\" ]+/\.scrun/[^\" ]+", runtime("console", box.id, "journal").stdout)
    assert staged
    runtime.runner(["rm", "-rf", staged[0]])
    assert not ENGINE_WORDS.search(runtime.fails("start", box.id))
    assert box.wait(10) != 0
    runtime.wait_until(lambda: runtime.released(job), 10)
    runtime.ok("delete", box.id)
    assert runtime.left(box.id) == []


def test_start_twice_and_after_the_end(runtime: Runtime) -> None:
    box = runtime.running("/bin/cat", stdin=True)
    assert "already running" in runtime.fails("start", box.id)
    assert f"cannot delete container {box.id} that is not stopped: running" in runtime.fails("delete", box.id)
    box.close_stdin()
    assert box.wait() == 0
    assert "cannot start a container that has stopped" in runtime.fails("start", box.id)
    assert "container not running" in runtime.fails("kill", box.id)
    assert 'unknown signal "NONSENSE"' in runtime.fails("kill", box.id, "NONSENSE")
