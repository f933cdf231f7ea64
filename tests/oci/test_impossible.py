"""What no node can do is refused in a sentence, before a job is asked for; what it can do is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import wait_until
from tests.slurm.allocations import allocation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Runner
    from tests.oci.docker import Docker
    from tests.oci.podman import Podman


def refused(engine: Podman, *words: str) -> str:
    """Run a container that is refused; no job was asked for."""
    mark = f"{engine.prefix}-refused"
    done = engine("run", "--rm", "--env", f"SCRUN_JOB_NAME={mark}", *words, "busybox", "true")
    assert done.returncode in {125, 126}, done.stdout  # docker's, podman's
    asked = engine.runner(["squeue", "--noheader", "--states=all", f"--name={mark}", "--format=%A"])
    assert (asked.returncode, asked.stdout) == (0, "")
    return done.stderr


def becomes_the_hosts(engine: Podman, other: str) -> bool:
    """Whether the network of a container that has the host's is the host's, so that nobody is told of the other one."""
    name = engine.name()
    engine.ok("create", "--name", name, "--network", f"container:{other}", "busybox", "true")
    mode = engine.ok("inspect", "--format", "{{.HostConfig.NetworkMode}}", name)
    # podman removes no container that another one names.
    engine.ok("rm", name)
    return mode == "host"


# --- namespaces of another container ------------------------------------------------------------------------------


@pytest.fixture
def other(engine: Podman) -> str:
    options = ("--ipc", "shareable")
    return engine.detached(*options, "busybox", "sleep", "600")


@pytest.mark.parametrize("kind", ["pid", "ipc", "network"])
def test_no_namespace_of_another_container_is_shared(engine: Podman, other: str, kind: str) -> None:
    if kind == "network" and becomes_the_hosts(engine, other):
        pytest.skip("this podman asks for the host's network, which is the other container's")
    network = () if kind == "network" else engine.options
    sentence = refused(engine, *network, f"--{kind}", f"container:{other}")
    assert f"another container's namespace cannot be shared (--{kind}=container:…): each container is a job" in sentence
    assert "or run both programs in one container" in sentence


def test_podmans_other_namespaces(podman: Podman) -> None:
    other = podman.detached("busybox", "sleep", "600")
    for option in ("uts", "userns", "cgroupns"):
        sentence = refused(podman, f"--{option}", f"container:{other}")
        assert f"cannot be shared (--{option}=container:…)" in sentence


@pytest.fixture
def pod(podman: Podman) -> Iterator[str]:
    name = f"{podman.prefix}-pod"
    yield name
    podman("pod", "rm", "--force", "--time", "0", name)


def test_containers_of_a_pod_share_nothing(podman: Podman, pod: str) -> None:
    podman.ok("pod", "create", "--name", pod)
    sentence = refused(podman, "--pod", pod)
    assert "containers of one pod cannot share ipc and uts" in sentence
    assert "--share=none" in sentence


def test_a_pod_that_shares_nothing(podman: Podman, pod: str) -> None:
    podman.ok("pod", "create", "--name", pod, "--share=none")
    assert podman.run("--pod", pod, "busybox", "echo", "hello").stdout == "hello\n"


def test_containers_of_a_pod_in_one_job(podman: Podman, as_user: Runner, pod: str) -> None:
    podman.ok("pod", "create", "--name", pod, "--share=none")
    with allocation(as_user, podman.prefix, "--nodes=1") as job:
        inside = ("--pod", pod, "--annotation", f"scrun.jobid={job}")
        first = podman.detached(*inside, "busybox", "sleep", "600")
        wait_until(lambda: podman.job(podman.id(first)) == job, 10, what="the first one runs")
        assert podman.run(*inside, "busybox", "sh", "-c", "echo $SLURM_JOB_ID").stdout == f"{job}\n"
        podman.ok("rm", "--force", "--time", "0", first)


def test_in_one_job_on_one_node_the_network_is_one(podman: Podman, as_user: Runner) -> None:
    with allocation(as_user, podman.prefix, "--nodes=1") as job:
        inside = ("--env", f"SLURM_JOB_ID={job}")
        serve = "while :; do nc -l -p 34567 -e echo hello; done"
        other = podman.detached(*inside, "busybox", "sh", "-c", serve)
        wait_until(lambda: podman.job(podman.id(other)) == job, 10, what="the first one runs")
        shared = ("--network", f"container:{other}")
        talk = "for n in 1 2 3 4 5; do nc 127.0.0.1 34567 && exit; usleep 200000; done"
        done = podman.run("--rm", *inside, *shared, "busybox", "sh", "-c", talk)
        assert done.stdout == "hello\n", done.stderr
        assert "cannot be shared" in refused(podman, *inside, "--ipc", f"container:{other}")
        if not becomes_the_hosts(podman, other):
            assert "cannot be shared" in refused(podman, *shared)
        podman.ok("rm", "--force", "--time", "0", other)


@pytest.mark.parametrize("option", ["--network=host", "--network=none", "--pid=host", "--uts=host", "--userns=keep-id"])
def test_what_an_engine_writes_by_itself_is_no_namespace_of_another(podman: Podman, option: str) -> None:
    assert podman.run(option, "busybox", "echo", "hello").stdout == "hello\n"


def test_dockers_network_of_the_host(docker: Docker) -> None:
    name = docker.name()
    assert docker("run", "--name", name, "--network", "host", "busybox", "echo", "hello").stdout == "hello\n"


# --- sysctls and names --------------------------------------------------------------------------------------------


def test_a_sysctl_of_the_container_s_own_is_set(engine: Podman, root_podman: Podman) -> None:
    for one in (engine, root_podman):
        options = ("--sysctl", "kernel.shm_rmid_forced=1", "--sysctl", "fs.mqueue.msg_max=7")
        done = one.run(*options, "busybox", "cat", "/proc/sys/kernel/shm_rmid_forced", "/proc/sys/fs/mqueue/msg_max")
        assert done.stdout == "1\n7\n", done.stderr


@pytest.mark.parametrize("setting", ["net.ipv4.ip_forward=1", "net.core.somaxconn=1"])
def test_a_sysctl_of_the_node_s_is_refused(engine: Podman, root_podman: Podman, setting: str) -> None:
    for one in (engine, root_podman):
        sentence = refused(one, "--network=none", "--sysctl", setting)
        assert f"sysctl {setting.partition('=')[0]} cannot be had with the node's network" in sentence
        assert "scrun.container-network=none" in sentence


def test_a_container_with_a_network_of_its_own_has_its_sysctls(podman: Podman) -> None:
    options = ("--network=none", "--annotation", "scrun.container-network=none", "--sysctl", "net.ipv4.ip_forward=1")
    assert podman.run(*options, "busybox", "cat", "/proc/sys/net/ipv4/ip_forward").stdout == "1\n"


def test_dockers_domain_name(docker: Docker) -> None:
    done = docker.run("--domainname", "example.org", "busybox", "cat", "/proc/sys/kernel/domainname")
    assert done.stdout == "example.org\n", done.stderr


# --- systemd ------------------------------------------------------------------------------------------------------


def test_nobody_tells_systemd_from_a_node(podman: Podman) -> None:
    name = podman.name()

    def run(*words: str) -> tuple[int, str, str]:
        script = 'NOTIFY_SOCKET=/tmp/no-such-socket exec podman run --rm "$@"'
        done = podman.runner(["/bin/sh", "-c", script, "sh", "--name", name, *words, "busybox", "echo", "hello"])
        return done.returncode, done.stdout, done.stderr

    code, _, error = run("--sdnotify=container")
    assert code == 126
    assert "give --sdnotify=conmon or --sdnotify=ignore" in error
    assert run("--sdnotify=ignore")[:2] == (0, "hello\n")
    assert podman.run("--env", "NOTIFY_SOCKET=/mine", "busybox", "sh", "-c", "echo $NOTIFY_SOCKET").stdout == "/mine\n"
