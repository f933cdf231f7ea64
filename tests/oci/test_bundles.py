"""What podman puts into a bundle, as users ask for it, seen by the program on the node."""

from __future__ import annotations

import os
import pathlib
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oci.podman import Podman

SH = ("busybox", "sh", "-c")


@pytest.fixture
def shared() -> Iterator[pathlib.Path]:
    """A directory that every node sees, and every user may read."""
    with tempfile.TemporaryDirectory(prefix="scrun-bundles-", dir="/var/tmp") as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


def says(podman: Podman, *words: str) -> str:
    """Run it; it succeeds and complains of nothing; return its output."""
    done = podman.run("--rm", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.usefixtures("staged_anywhere")
def test_a_read_only_root_with_places_to_write(podman: Podman) -> None:
    script = "touch /etc/x 2>/dev/null || echo no; touch /scratch/x && echo yes; grep ' /scratch ' /proc/mounts"
    output = says(podman, "--read-only", "--tmpfs", "/scratch:rw,noexec,size=64k", *SH, script)
    assert output.startswith("no\nyes\ntmpfs /scratch tmpfs rw")
    assert "noexec" in output
    assert "size=64k" in output


def test_user_and_additional_groups(podman: Podman) -> None:
    output = says(podman, "--user", "1000:1000", "--group-add", "2000", "--group-add", "29", *SH, "id -u; id -g; id -G")
    uid, gid, groups = output.splitlines()
    assert (uid, gid) == ("1000", "1000")
    assert {"2000", "29"} <= set(groups.split())


def test_capabilities(podman: Podman) -> None:
    script = "grep CapEff /proc/self/status"
    none = says(podman, "--cap-drop", "ALL", *SH, script)
    one = says(podman, "--cap-drop", "ALL", "--cap-add", "CHOWN", *SH, script)
    assert [int(line.split()[1], 16) for line in (none, one)] == [0, 1]


def test_no_new_privileges(podman: Podman) -> None:
    script = "grep NoNewPrivs /proc/self/status"
    assert says(podman, "--security-opt", "no-new-privileges", *SH, script).split()[1] == "1"


def test_rlimits_are_slurm_s_and_do_no_harm(podman: Podman) -> None:
    # "--ulimit" cannot be kept: the node's hard limits are Slurm's affair.
    assert says(podman, "--ulimit", "nofile=77:88", *SH, "echo ran") == "ran\n"


@pytest.mark.usefixtures("staged_anywhere")
def test_binds_of_files_and_directories(podman: Podman, shared: pathlib.Path) -> None:
    (shared / "d").mkdir()
    (shared / "d/inner").write_text("inner\n")
    (shared / "file").write_text("file\n")
    for path in (shared / "d", shared / "d/inner", shared / "file"):
        path.chmod(0o755)
    script = "cat /d/inner /etc/file; touch /d/x 2>/dev/null || echo no"
    volumes = ("-v", f"{shared}/d:/d:ro", "-v", f"{shared}/file:/etc/file:ro")
    assert says(podman, *volumes, *SH, script) == "inner\nfile\nno\n"


@pytest.mark.usefixtures("staged_anywhere")
def test_a_bind_of_what_only_this_host_has(podman: Podman, as_user: Any) -> None:
    # /dev/shm is a tmpfs: a node's would be another one, so the file is copied.
    path = as_user(["mktemp", "/dev/shm/scrun-XXXXXX"]).stdout.strip()
    pathlib.Path(path).write_text("local\n")
    try:
        pathlib.Path(path).chmod(0o644)
        script = "cat /etc/local; grep -c ' /etc/local ' /proc/mounts"
        assert says(podman, "-v", f"{path}:/etc/local:ro", *SH, script) == "local\n1\n"
    finally:
        pathlib.Path(path).unlink()


@pytest.mark.usefixtures("staged_anywhere")
def test_entry_point_working_directory_and_environment_file(podman: Podman, shared: pathlib.Path) -> None:
    file = shared / "env"
    file.write_text("ONE=1\nTWO=two words\n# no\n")
    file.chmod(0o644)
    options = ("--entrypoint", "/bin/sh", "--workdir", "/tmp", "--env-file", str(file))
    output = says(podman, *options, "busybox", "-c", 'pwd; echo "$ONE $TWO $0 $1"', "zero", "first")
    assert output == "/tmp\n1 two words zero first\n"


@pytest.mark.usefixtures("staged_anywhere")
def test_an_init(podman: Podman) -> None:
    done = podman.run("--rm", "--init", *SH, "test $$ != 1 && cat /proc/1/comm; exit 3")
    assert done.returncode == 3
    assert done.stdout.strip() in {"catatonit", "docker-init", "podman-init", "dev-init", "init"}


@pytest.mark.usefixtures("staged_anywhere")
def test_ten_thousand_variables(podman: Podman, shared: pathlib.Path) -> None:
    file = shared / "env"
    file.write_text("".join(f"SCRUN_TEST_{number}=value {number}\n".replace("SCRUN_", "X") for number in range(10_000)))
    file.chmod(0o644)
    script = 'env | grep -c "^XTEST_[0-9]*=value"; echo "$XTEST_9999"'
    assert says(podman, "--env-file", str(file), *SH, script) == "10000\nvalue 9999\n"


@pytest.mark.usefixtures("staged_anywhere")
def test_an_argument_as_long_as_there_can_be(podman: Podman) -> None:
    # execve(2) takes no longer word than 128 KiB with its null byte.
    word = "x" * (128 * 1024 - 1)
    script = "for word; do echo ${#word}; done"
    # Together more than 1 MiB, and less than what podman's own command line may have. Since 24.11 or before, slurmctld
    # refuses a step whose command line is longer ("strlen(submit_line) too big").
    old = " 22." in podman.runner(["srun", "--version"]).stdout
    count = 10 if old else 7
    assert says(podman, *SH, script, "sh", *[word] * count) == f"{len(word)}\n" * count


def test_masked_and_read_only_paths(podman: Podman) -> None:
    script = """head -c1 /proc/timer_list | wc -c; ls /sys/firmware | wc -l
        (echo x >/proc/sys/kernel/domainname) 2>/dev/null || echo refused"""
    assert says(podman, *SH, script) == "0\n0\nrefused\n"


def test_a_hostname(podman: Podman) -> None:
    assert says(podman, "--hostname", "fancy", *SH, "hostname; cat /etc/hostname").split() == ["fancy", "fancy"]
