"""``podman run`` in the foreground: what goes in and what comes back."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.oci.podman import Podman


@pytest.mark.usefixtures("staged_anywhere")
def test_exit_codes(podman: Podman) -> None:
    codes = [0, 1, 2, 7, 125, 126, 127, 128, 129, 137, 143, 255]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda code: podman.run("--rm", "busybox", "sh", "-c", f"exit {code}"), codes))
    assert [(d.returncode, d.stdout, d.stderr) for d in done] == [(code, "", "") for code in codes]


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSEGV])
def test_death_by_signal(podman: Podman, signum: signal.Signals) -> None:
    # The first process of a pid namespace is immune to its own signals; a child of it is not.
    done = podman.run("--rm", "busybox", "sh", "-c", f"sh -c 'kill -{signum.value} $$'; exit $?")
    assert done.returncode == 128 + signum


@pytest.mark.slice
def test_stdout_and_stderr_stay_apart(podman: Podman) -> None:
    done = podman.run("--rm", "busybox", "sh", "-c", "echo out; echo err >&2; echo more; printf end >&2")
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\nmore\n", "err\nend")


@pytest.mark.slice
@pytest.mark.usefixtures("staged_anywhere")
def test_environment_working_directory_and_host_name(podman: Podman) -> None:
    script = 'echo "$WORD|$EMPTY|$(pwd)|$(hostname)|$HOME"; env | grep -c SLURM_JOB_ID'
    words = ["--env", "WORD=two words = 'x'", "--env", "EMPTY=", "--workdir", "/tmp", "--hostname", "box7"]
    done = podman.run("--rm", *words, "busybox", "sh", "-c", script)
    assert done.stdout == "two words = 'x'||/tmp|box7|/root\n1\n"


LIST = "[ $SLURM_JOB_NODELIST = 'node[1-2]' ] && echo"


@pytest.mark.parametrize(
    "words",
    [
        ("--env", "SCRUN_JOB_NODELIST=node1,node2"),
        ("--annotation", "scrun.nodelist=node1+node2"),
        ("--annotation", "scrun.nodelist=node1;node2"),
    ],
)
def test_a_list_reaches_the_job(podman: Podman, words: tuple[str, str]) -> None:
    done = podman.run("--rm", *words, "busybox", "sh", "-c", LIST)
    assert (done.returncode, done.stdout) == (0, "\n\n"), done.stderr


def test_a_list_with_commas_in_an_annotation(podman: Podman) -> None:
    """podman 4 reads comma-separated values, and quotes around one; podman 5 takes the word as it is."""
    as_it_is = podman.version >= (5, 0)
    plain = "scrun.nodelist=node1,node2"
    works, fails = (plain, f'"{plain}"') if as_it_is else (f'"{plain}"', plain)
    done = podman.run("--rm", "--annotation", works, "busybox", "sh", "-c", LIST)
    assert (done.returncode, done.stdout) == (0, "\n\n"), done.stderr
    done = podman.run("--rm", "--annotation", fails, "busybox", "true")
    assert done.returncode != 0
    assert ("leave the quotes out" if as_it_is else "must be formatted KEY=VALUE") in done.stderr


def test_arguments_arrive_as_they_are(podman: Podman) -> None:
    odd = ["", " ", "a b", "*", "$HOME", "`id`", "'", '"', "\\", "line\nfeed", "ü", "--", "-x", "%t"]
    done = podman.run("--rm", "--entrypoint", "printf", "busybox", "<%s>", *odd)
    assert done.stdout == "".join(f"<{word}>" for word in odd)


@pytest.mark.usefixtures("staged_anywhere")
def test_user(podman: Podman) -> None:
    assert podman.run("--rm", "busybox", "id", "-u").stdout == "0\n"
    assert podman.run("--rm", "--user", "1234:5678", "busybox", "sh", "-c", "id -u; id -g").stdout == "1234\n5678\n"


def test_entry_point(podman: Podman) -> None:
    done = podman.run("--rm", "--entrypoint", '["echo", "one"]', "busybox", "two")
    assert (done.returncode, done.stdout) == (0, "one two\n")


@pytest.mark.slice
@pytest.mark.usefixtures("staged_anywhere")
@pytest.mark.parametrize(
    ("program", "code", "words"),
    [
        ("no-such-program", 127, "not found"),
        ("/no/such/program", 127, "not found"),
        ("/etc/passwd", 126, "permission denied"),
        ("/etc", 126, "directory"),
    ],
)
def test_a_program_that_cannot_be_run(podman: Podman, program: str, code: int, words: str) -> None:
    done = podman.run("--rm", "busybox", program, timeout=60)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert program in done.stderr


@pytest.mark.usefixtures("staged_anywhere")
def test_a_container_s_files_are_its_own_and_last(podman: Podman) -> None:
    name = podman.name()
    assert podman("run", "--name", name, "busybox", "sh", "-c", "echo kept >/root/file").returncode == 0
    podman.ok("start", "--attach", name)
    assert podman.runner(["test", "-e", "/root/file"]).returncode != 0


@pytest.mark.slice
@pytest.mark.usefixtures("staged_anywhere")
def test_volumes(podman: Podman, as_user: object) -> None:
    made = podman.runner(["mktemp", "-d", "/home/scruntest/volume-XXXXXX"]).stdout.strip()
    try:
        script = "echo from inside >/data/new; cat /data/new"
        assert podman.run("--rm", "--volume", f"{made}:/data", "busybox", "sh", "-c", script).stdout == "from inside\n"
        assert podman.runner(["cat", f"{made}/new"]).stdout == "from inside\n"
        done = podman.run("--rm", "--volume", f"{made}:/data:ro", "busybox", "touch", "/data/x")
        assert done.returncode == 1
        assert "Read-only" in done.stderr
    finally:
        podman.runner(["podman", "unshare", "rm", "-rf", made])


@pytest.mark.usefixtures("staged_anywhere")
def test_what_is_to_be_read_only_is(podman: Podman) -> None:
    done = podman.run("--rm", "--tmpfs", "/scratch:ro", "--tmpfs", "/work", "busybox", "cat", "/proc/self/mountinfo")
    lines = [line.split() for line in done.stdout.splitlines()]
    options = {words[4]: words[5].split(",") for words in lines}
    assert {path for path in ("/scratch", "/work", "/proc/sys", "/sys") if "ro" in options[path]} == {
        "/scratch", "/proc/sys", "/sys"
    }  # fmt: skip


def test_an_unknown_partition_is_said_at_once(podman: Podman) -> None:
    done = podman.run("--rm", "--annotation", "scrun.partition=nowhere", "busybox", "true", timeout=60)
    assert (done.returncode, done.stdout) == (126, "")
    assert "there is no such partition" in done.stderr
