"""``docker run`` in the foreground, ``docker create`` and ``docker start``."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import wait_until
from tests.oci.node import ONE_OVERLAY

if TYPE_CHECKING:
    import pathlib

    from tests.oci.docker import Docker


def test_info_lists_the_runtime(docker: Docker) -> None:
    runtimes = docker.ok("info", "--format", "{{.DefaultRuntime}} {{json .Runtimes}}")
    assert runtimes.startswith("scrun ")
    assert '"scrun":{"path":' in runtimes


@pytest.mark.slice
def test_output_and_exit_code(docker: Docker) -> None:
    done = docker.run("--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_it_is_a_job(docker: Docker) -> None:
    done = docker.run("--rm", "busybox", "sh", "-c", "echo $SLURM_JOB_ID")
    assert docker.job_state(int(done.stdout)) == "COMPLETED"


@pytest.mark.slice
def test_environment_working_directory_user_and_hostname(docker: Docker) -> None:
    options = ("-e", "WORD=two words", "-w", "/home/app", "-u", "app:29", "--hostname", "somewhere")
    done = docker.run("--rm", *options, "busybox", "sh", "-c", 'echo "$WORD"; pwd; id -u; id -g; hostname')
    assert (done.returncode, done.stdout) == (0, "two words\n/home/app\n1000\n29\nsomewhere\n")


def test_the_host_s_network(docker: Docker) -> None:
    done = docker("run", "--rm", "--name", docker.name(), "--network", "host", "busybox", "echo", "word")
    assert (done.returncode, done.stdout, done.stderr) == (0, "word\n", "")


def test_an_init_below_a_link(docker: Docker) -> None:
    # docker mounts it at /sbin/docker-init, and /sbin of this image is a link
    done = docker.run("--rm", "--init", "busybox", "sh", "-c", "readlink /proc/1/exe; exit 3")
    assert (done.returncode, done.stdout) == (3, "/bin/docker-init\n")


@pytest.mark.slice
def test_a_volume(docker: Docker) -> None:
    volume = docker.name()
    docker.names.remove(volume)  # no container
    try:
        docker.ok("run", "--rm", "--network", "none", "-v", f"{volume}:/data", "busybox", "sh", "-c", "echo 1 >/data/x")
        done = docker.run("--rm", "-v", f"{volume}:/data:ro", "busybox", "cat", "/data/x")
        assert (done.returncode, done.stdout) == (0, "1\n")
    finally:
        docker("volume", "rm", "--force", volume)


@pytest.mark.parametrize(("program", "status"), [("no-such-program", 127), ("/etc/passwd", 126), ("/etc", 126)])
def test_programs_that_cannot_run(docker: Docker, program: str, status: int) -> None:
    done = docker.run("busybox", program)
    assert (done.returncode, done.stdout) == (status, "")
    assert f'exec: "{program}"' in done.stderr
    assert docker.left(docker.id(docker.names[-1])) == []


@pytest.mark.slice
def test_piped_input(docker: Docker) -> None:
    text = "a line\n" * 50_000
    done = docker.run("--rm", "-i", "busybox", "cat", input=text)
    assert (done.returncode, done.stdout == text) == (0, True)


def test_without_i_there_is_no_input(docker: Docker) -> None:
    done = docker.run("--rm", "busybox", "cat", input="word\n")
    assert (done.returncode, done.stdout) == (0, "")


def test_much_output(docker: Docker) -> None:
    done = docker.run("--rm", "busybox", "seq", "100000")
    assert done.stdout.split() == [str(number) for number in range(1, 100_001)]


@pytest.mark.slice
def test_create_and_start(docker: Docker) -> None:
    name = docker.name()
    script = "echo out; echo err >&2; exit 4"
    docker.ok("create", "--name", name, "--network", "none", "busybox", "sh", "-c", script)
    for _ in range(2):  # the second time with the same id
        done = docker("start", "--attach", name)
        assert (done.returncode, done.stdout, done.stderr) == (4, "out\n", "err\n")
    assert docker.status(name) == ("exited", 4)


def test_eight_at_once(docker: Docker) -> None:
    words = ("run", "--rm", "--network", "none", "--name")
    runs = [
        docker.start(*words, docker.name(), "busybox", "sh", "-c", f"echo {i}; exit {i}", stdout=subprocess.PIPE)
        for i in range(8)
    ]
    outputs = [run.communicate(timeout=60)[0] for run in runs]
    assert outputs == [b"%d\n" % i for i in range(8)]
    assert [run.returncode for run in runs] == list(range(8))


@pytest.mark.xfail(not ONE_OVERLAY, reason="files of / itself are brought back as they are in the bundle")
def test_what_is_copied_into_a_running_container_is_there_at_its_next_start(
    docker: Docker, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "f").write_text("hello\n")
    name = docker.ready("echo ready; while :; do sleep 0.1; done")
    docker.ok("cp", str(tmp_path / "f"), f"{name}:/f")
    docker.ok("stop", "-t", "0", name)
    docker.ok("start", name)
    wait_until(
        lambda: docker("exec", name, "cat", "/f").stdout == "hello\n", 20, what="the program of the second start"
    )
    docker.ok("rm", "-f", name)
