"""What users do every day, from a home on NFS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.site import machines
from tests.site.machines import STAGED
from tests.site.terminal import in_terminal

if TYPE_CHECKING:
    from tests.site.machines import User


@pytest.mark.slice
def test_exit_code(alice: User) -> None:
    assert alice.run("podman run --rm busybox sh -c 'exit 7'").returncode == 7


@pytest.mark.slice
def test_standard_streams(alice: User) -> None:
    done = alice.run("podman run --rm -i busybox sh -c 'cat; echo complaint >&2'", input="one\ntwo\n")
    assert (done.returncode, done.stdout) == (0, "one\ntwo\n")
    assert done.stderr == "complaint\n"


@pytest.mark.slice
def test_it_runs_on_a_node_and_not_here(alice: User) -> None:
    assert alice.must("podman run --rm --uts host busybox hostname").strip() in {"node1", "node2"}


@pytest.mark.slice
def test_exec_logs_stop_and_rm(alice: User) -> None:
    alice.must("podman run -d --name life busybox sh -c 'trap \"exit 3\" TERM; echo begun; while :; do sleep 1; done'")
    assert alice.must("podman exec -e WORD=hello life sh -c 'echo $WORD; cat /proc/1/comm'").split() == ["hello", "sh"]
    assert alice.run("podman exec life sh -c 'exit 9'").returncode == 9
    assert alice.must("podman logs life") == "begun\n"
    alice.must("podman stop --time 60 life")
    assert alice.container("life", ".State.ExitCode") == "3"
    alice.must("podman rm life")
    alice.gone()
    assert alice.must(STAGED) == "", "something staged was left"


def test_removal_by_force_gives_the_job_back(alice: User) -> None:
    alice.must("podman run -d --name forced busybox sleep 1000")
    assert "RUNNING" in alice.jobs()
    alice.must("podman rm --force --time 0 forced")
    alice.gone()


@pytest.mark.slice
def test_volume_in_the_home(alice: User) -> None:
    alice.must("mkdir -p ~/data && echo from-home >~/data/in")
    assert (
        alice.must("podman run --rm -v ~/data:/data busybox sh -c 'cp /data/in /data/out; cat /data/out'")
        == "from-home\n"
    )
    assert alice.must("stat -c %U ~/data/out; cat ~/data/out; rm -r ~/data") == "alice\nfrom-home\n"


@pytest.mark.slice
def test_changes_come_back(alice: User) -> None:
    alice.must("podman run --name changed busybox sh -c 'echo new >/etc/new; mkdir /made; rm /etc/group'")
    assert sorted(alice.must("podman diff changed").splitlines()) == ["A /etc/new", "A /made", "C /etc", "D /etc/group"]


@pytest.mark.slice
def test_nothing_is_copied_for_whoever_the_program_runs_as(alice: User) -> None:
    """The one id that there is on NFS is root's or another one: one overlay, or one for each top directory."""
    script = """for user in 0 1000; do
        podman run --rm --user $user busybox awk '$3 == "overlay" { print $2 }' /proc/mounts | sort | tr '\\n' ' '; echo
    done"""
    first, second = alice.must(script).splitlines()
    each = {"/bin", "/etc", "/usr"}
    version = machines.must("node1", "root", "crun --version").split()[2]
    if tuple(map(int, version.split(".")[:2])) < (1, 28):
        assert first.split() == ["/"]
    else:  # it makes mounts read-only after the hooks, so that none can put an overlay over the root
        assert each <= set(first.split())
    assert each <= set(second.split())


@pytest.mark.parametrize(
    "image",
    [
        pytest.param("bare", id="without mount points"),
        pytest.param("closed", id="root directory 0555"),
    ],
)
def test_image_whose_root_directory_lacks_something(alice: User, image: str) -> None:
    alice.must("mkdir -p ~/data && echo here >~/data/file")
    script = "cat /data/file; test -d /proc/self && echo proc"
    assert alice.must(f"podman run --rm -v ~/data:/data {image} sh -c '{script}'").split() == ["here", "proc"]


@pytest.mark.slice
def test_image_with_owners(alice: User) -> None:
    """``chown -R 1000 /app`` and ``USER 1000``; on NFS nobody can give a file away."""
    script = (
        "id -u; stat -c '%a %u' /app /app/data /app/key /bin/become; cat /app/key; "
        "echo x >/app/data/new && echo written"
    )
    printed = alice.must(f'podman run --rm owners sh -c "{script}"').splitlines()
    setuid = printed.pop(4)
    assert printed == ["1000", "755 1000", "755 1000", "600 1000", "secret", "written"]
    assert setuid.startswith("4755 ")


def test_image_is_built_here_by_crun(alice: User) -> None:
    """With scrun each RUN would be a job, and its files would lose their owners on NFS."""
    file = "FROM busybox\\nRUN touch /given && chown 1000 /given\\n"
    alice.must(f"printf '{file}' | podman --runtime crun build -q -t built -f - .")
    assert (
        alice.must("podman --runtime crun run --rm built stat -c %u /given; podman rmi -f built").split()[0] == "1000"
    )


def test_image_that_needs_two_ids_at_once_gets_a_notice(alice: User) -> None:
    """As an entrypoint does that gives a volume to its user: chown fails on NFS, and people are told why."""
    done = alice.run("podman run --rm --user 0 owners chown 33 /app/key")
    assert done.returncode == 1
    assert "owner" in done.stderr


def test_keep_id(alice: User) -> None:
    by_crun = alice.must("podman --runtime crun run --rm --userns=keep-id busybox id -u")
    assert alice.must("podman run --rm --userns=keep-id busybox id -u") == by_crun
    own = "podman run --rm --userns=keep-id --user $(id -u) busybox sh -c 'id -u; touch /tmp/x; stat -c %u /tmp/x'"
    assert alice.must(own).split() == ["1500", "1500"]


def test_no_notify_socket_of_slurmd_reaches_the_program(alice: User) -> None:
    assert "NOTIFY_SOCKET" not in alice.must("podman run --rm busybox env")


def test_size_of_the_terminal(alice: User) -> None:
    assert "33 111" in in_terminal(alice, "podman run --rm -it busybox stty size", rows=33, columns=111)


def test_a_child_killed_for_memory(alice: User) -> None:
    script = "tail -c 400000000 /dev/zero >/dev/null; echo child $?; exit 4"
    done = alice.run(f"podman run --name hungry --memory 100m busybox sh -c '{script}'")
    # Slurm cannot tell whether it was the child or the program: either exit status is known to be right somewhere.
    assert done.returncode in {4, 137}, done.stderr
    assert alice.container("hungry", ".State.ExitCode") == str(done.returncode)
    assert alice.container("hungry", ".State.OOMKilled") == "true"


def test_a_file_that_its_owner_may_not_read(alice: User) -> None:
    """NFS does not let the user's own root read mode 0: this file cannot come back, all others do."""
    script = "mkdir /newdir; echo x >/etc/x; chmod 0 /etc/x; echo a >/etc/zz"
    done = alice.run(f"podman run --name unreadable busybox sh -c '{script}'")
    assert done.returncode == 0
    diff = alice.must("podman diff unreadable").splitlines()
    assert {"A /newdir", "A /etc/zz"} <= set(diff)
    assert "A /etc/x" in diff or "/etc/x" in done.stderr, "lost without a word"


def test_too_much_is_refused_in_one_sentence(alice: User) -> None:
    done = alice.run("podman run --rm --memory 1000g busybox true")
    assert done.returncode in {125, 126, 127}
    assert "memory" in done.stderr.lower()
    assert not alice.jobs()


def test_several_nodes_and_tasks(alice: User) -> None:
    """Each has a pipe of its own, in a directory whose place Slurm tells to nobody."""
    script = "test -p /dev/stdout && echo pipe $SLURM_PROCID; exit 4"
    for options in ("-e SCRUN_NODES=2", "-e SCRUN_NTASKS=2 -e SCRUN_OVERCOMMIT=1"):
        done = alice.run(f"cd /tmp; echo '{{}}' >config.json; podman run --rm {options} busybox sh -c '{script}'")
        assert (done.returncode, sorted(done.stdout.split())) == (4, ["0", "1", "pipe", "pipe"]), done.stderr
        assert alice.must("cat /tmp/config.json; rm /tmp/config.json").strip() == "{}"
    alice.gone()
    assert machines.run("node1", "root", "ls -d /var/lib/slurm/slurmd/oci-job* || true").stdout == ""
