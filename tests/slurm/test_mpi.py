"""A program of MPI's in containers on two nodes, by each of Slurm's plug-ins that Debian has."""

from __future__ import annotations

import pathlib
import pwd
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.chaos.sabotage import node
from tests.slurm.runtime import CONFIG

if TYPE_CHECKING:
    from tests.conftest import Cluster
    from tests.slurm.runtime import Box, Runtime

pytestmark = pytest.mark.timeout(600)  # packages have to come
PACKAGES = ("gcc", "libc6-dev", "mpich", "libmpich-dev", "openmpi-bin", "libopenmpi-dev")
PROGRAM = r"""
#include <mpi.h>
#include <stdio.h>
int main(int argc, char **argv) {
    int rank, size, sum;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int own = rank + 1;
    MPI_Allreduce(&own, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    printf("rank %d of %d: %d\n", rank, size, sum);
    return MPI_Finalize();
}
"""
HOSTS = ("/usr", "/lib", "/lib64", "/etc", "/sys")
"""Directories of the host that make the programs of its packages run in a container."""
RANKS = ["rank 0 of 2: 3", "rank 1 of 2: 3"]


@pytest.fixture(scope="module", autouse=True)
def packages(cluster: Cluster) -> None:
    """A slurmd that is older than PMIx's library starts no step with it."""
    ensure = pathlib.Path(__file__).resolve().parents[1] / "cluster/apt-ensure"
    if subprocess.run([ensure, *PACKAGES], check=True, capture_output=True, timeout=600).stdout:
        for name in ("node1", "node2", "node3"):
            with node(name).killed(signal.SIGTERM):
                pass


def running(runtime: Runtime, mpi: str, compiler: str, **process: Any) -> Box:
    """The program, made by the compiler of an MPI, in a container whose plug-in is ``mpi``."""
    source = runtime.directory / "ring.c"
    compile_it = f"cat >{source} && {compiler} -o {runtime.directory}/rootfs/bin/ring {source}"
    made = runtime.runner(["sh", "-c", compile_it], PROGRAM)
    assert made.returncode == 0, made.stderr
    shared = {"destination": "/dev/shm", "type": "tmpfs", "source": "shm"}
    binds = [{"destination": host, "type": "bind", "source": host, "options": ["rbind", "ro"]} for host in HOSTS]
    # The node's own host name, as with --uts=host: the programs look for each other by it.
    namespaces = [space for space in CONFIG["linux"]["namespaces"] if space["type"] != "uts"]
    config: dict[str, Any] = {
        "mounts": [*CONFIG["mounts"], shared, *binds],
        "linux": {"namespaces": namespaces},
        "hostname": None,
    }
    # Open MPI makes a directory below TmpFS of slurm.conf.
    config["root"] = {"path": str(runtime.directory / "rootfs"), "readonly": False}
    annotations = {"scrun.nodes": "2", "scrun.mpi": mpi}
    return runtime.running("/bin/ring", annotations=annotations, config=config, **process)


def test_mpich_by_pmi2(runtime: Runtime, cluster: Cluster) -> None:
    if "--preserve-fds" not in pathlib.Path(cluster.slurm_conf).with_name("oci.conf").read_text():
        pytest.skip("the nodes' runtime passes no descriptors on")
    box = running(runtime, "pmi2", "mpicc.mpich")
    ended = box.wait()
    assert (box.read("err"), ended, sorted(box.read().splitlines())) == ("", 0, RANKS)


def test_open_mpi_by_pmix(runtime: Runtime, cluster: Cluster) -> None:
    if "pmix" not in runtime.runner(["srun", "--mpi=list"]).stderr:
        pytest.skip("Debian's Slurm has no plug-in for PMIx since 24.11 or before")
    account = pwd.getpwnam(cluster.user)
    box = running(runtime, "pmix", "mpicc.openmpi", user={"uid": account.pw_uid, "gid": account.pw_gid})
    ended = box.wait()
    assert (box.read("err"), ended, sorted(box.read().splitlines())) == ("", 0, RANKS)


def test_pmix_and_another_user_s_number(runtime: Runtime) -> None:
    bundle = runtime.bundle("/bin/true", annotations={"scrun.mpi": "pmix"})
    sentence = runtime.fails("create", "--bundle", str(bundle), "refused")
    assert "in the container this one is user 0: say --userns=keep-id" in sentence
    assert runtime.left("refused") == []


def test_descriptors_that_no_runtime_passes_on(runtime: Runtime) -> None:
    environ = runtime.site("")
    folder = pathlib.Path(environ["SLURM_CONF"]).parent
    script = f'sed "s/--preserve-fds=[0-9]*//" "${{SLURM_CONF%/*}}/oci.conf" >{folder}/oci.conf'
    assert runtime.runner(["sh", "-c", script]).returncode == 0
    bundle = runtime.bundle("/bin/true", annotations={"scrun.mpi": "pmi2"})
    sentence = runtime.fails("create", "--bundle", str(bundle), "refused", environ=environ)
    assert "it wants --preserve-fds" in sentence
    assert runtime.left("refused") == []
