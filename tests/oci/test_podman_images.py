"""What a container sees of its image, what it changes, and what is left of that on nodes and in shared trees."""

from __future__ import annotations

import pathlib
import secrets
from typing import TYPE_CHECKING

import pytest

from tests.conftest import wait_until
from tests.oci.node import ONE_OVERLAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Runner
    from tests.oci.podman import Podman

NODE = pathlib.Path("/tmp")


@pytest.fixture(autouse=True)
def nothing_on_the_node() -> Iterator[None]:
    before = set(NODE.glob(".scrun-*"))
    yield
    wait_until(lambda: set(NODE.glob(".scrun-*")) <= before, 20, what="the end of what containers change on the node")


CHANGES = """
echo more >>/etc/passwd; rm /etc/group; echo new >/etc/new; ln /etc/new /etc/hard; ln -s new /etc/soft
rm -rf /var/tmp; mkdir /var/tmp; echo again >/var/tmp/again; chmod 710 /home; echo top >/top
mkdir /opt; touch /opt/in
"""
LOOK = """
tail -n 1 /etc/passwd; test ! -e /etc/group; cat /etc/new; stat -c %h /etc/hard; readlink /etc/soft; ls -A /var/tmp
stat -c %a /home; cat /top; ls /opt
"""
SEEN = "more\nnew\n2\nnew\nagain\n710\ntop\nin\n"


@pytest.fixture(params=["overlay", "overlays", "copy", "overlay squashed", "overlays squashed", "copy squashed"])
def any_way(request: pytest.FixtureRequest, user_settings: Callable[[str], None]) -> None:
    """The test holds however a root file system gets to the node, and wherever it is staged."""
    way, _, squashed = request.param.partition(" ")
    directory = f'directory = "{request.getfixturevalue("squashed")}"\n' if squashed else ""
    user_settings(f'[staging]\nmode = "{way}"\n{directory}')


@pytest.mark.usefixtures("any_way")
def test_a_directory_of_the_user_s_is_changed_also_by_a_container_that_is_removed(
    podman: Podman, as_user: Runner
) -> None:
    make = (
        'd=$(mktemp -d ~/rootfs.XXXXXX); podman export "$(podman create --name "$1" busybox)" | tar xC "$d"; echo "$d"'
    )
    directory = as_user(["sh", "-c", make, "sh", podman.name()], "", 60).stdout.strip()
    try:
        for options in (("--rm",), ()):
            script = f"echo new >/etc/f{len(options)}; rm /etc/group; mkdir /etc/group"
            done = podman.run(*options, "--rootfs", directory, "sh", "-ec", script)
            assert done.stdout == "", done
            assert as_user(["cat", f"{directory}/etc/f{len(options)}"]).stdout == "new\n"
            assert as_user(["rmdir", f"{directory}/etc/group"]).returncode == 0
            assert as_user(["touch", f"{directory}/etc/group"]).returncode == 0
    finally:
        as_user(["podman", "unshare", "rm", "-rf", directory])


@pytest.mark.usefixtures("any_way")
@pytest.mark.parametrize("user", ["0:0", "1000:100"])
def test_whoever_the_program_runs_as_nothing_is_left(podman: Podman, user: str) -> None:
    name = podman.create(
        "--user", user, "busybox", "sh", "-ec", "id -u; echo new >/tmp/new; ls -l /tmp/new; cat /tmp/new"
    )
    for _ in range(2):
        assert podman.ok("start", "-a", name).split("\n")[::2] == [user.partition(":")[0], "new"]
    assert "A /tmp/new" in podman.ok("diff", name).splitlines()


@pytest.mark.usefixtures("any_way")
def test_what_a_container_changes_is_its_own_and_lasts(podman: Podman) -> None:
    name = podman.name()
    assert podman.ok("run", "--name", name, "busybox", "sh", "-ec", CHANGES) == ""
    image = f"{name}-image"
    podman.ok("commit", name, image)
    try:
        assert podman.run("--rm", image, "sh", "-ec", LOOK).stdout == SEEN
    finally:
        podman.ok("rmi", image)
    differences = set(podman.ok("diff", name).splitlines())
    assert {"A /top", "A /opt", "A /opt/in", "A /etc/new", "D /etc/group", "C /etc/passwd"} <= differences
    assert not {line for line in differences if "scrun" in line or "/proc" in line}
    assert podman.run("--rm", "busybox", "sh", "-c", "ls /top /etc/new /opt; test -e /etc/group").stdout == ""


OVERLAYS = """awk '$3 == "overlay" { print $2 }' /proc/mounts | sort"""
TOPS = ["/bin", "/etc", "/home", "/root", "/run", "/tmp", "/usr", "/var"]


def test_one_overlay_or_one_for_each_top_directory(podman: Podman, user_settings: Callable[[str], None]) -> None:
    assert podman.run("--rm", "busybox", "sh", "-c", OVERLAYS).stdout.split() == (["/"] if ONE_OVERLAY else TOPS)
    user_settings('[staging]\nmode = "overlays"\n')
    assert podman.run("--rm", "busybox", "sh", "-c", OVERLAYS).stdout.split() == TOPS


def test_where_root_is_nobody_one_id_that_is_not_root_s_has_overlays(squashed_podman: Podman) -> None:
    root = ["/"] if ONE_OVERLAY else TOPS
    assert squashed_podman.run("--rm", "busybox", "sh", "-c", OVERLAYS).stdout.split() == root
    assert squashed_podman.run("--rm", "--user", "1000", "busybox", "sh", "-c", OVERLAYS).stdout.split() == TOPS


@pytest.mark.slice
def test_a_second_start_goes_on_where_the_first_ended(podman: Podman) -> None:
    script = """
        cat /b; echo old >/a; ln -f /a /b; echo new >/a; cat /b; stat -c %h /a
        test -e /sparse || truncate -s 1G /sparse; test $(stat -c %b /sparse) -lt 100; stat -c %s /sparse
    """
    name = podman.create("busybox", "sh", "-c", script)
    assert podman.ok("start", "-a", name) == "new\n2\n1073741824"
    assert podman.ok("start", "-a", name) == "new\nnew\n2\n1073741824"


@pytest.mark.skipif(not ONE_OVERLAY, reason="each top directory is a mount point with this crun")
def test_top_directories_can_be_removed_and_renamed(podman: Podman) -> None:
    # (not /var: since 23.02 slurmd mounts a directory of its own there)
    script = "rm -r /home && mv /tmp /tmp2 && mv /usr /home && ls / | tr '\\n' ' '"
    assert podman.run("--rm", "busybox", "sh", "-c", script).stdout.split() == [
        "bin", "dev", "etc", "home", "proc", "root", "run", "sbin", "sys", "tmp2", "var",
    ]  # fmt: skip


def test_two_images_whose_files_have_equal_sizes_and_times(podman: Podman, as_user: Runner) -> None:
    names = [f"localhost/{secrets.token_hex(4)}" for _ in range(2)]
    try:
        for number, name in enumerate(names):
            script = f"FROM busybox\nRUN echo version={number} >/f && touch -d @1000000 /f /"
            podman_build(as_user, name, script)
        for options in ((), ("--read-only",)):
            for number, name in enumerate(names):
                assert podman.run("--rm", *options, name, "cat", "/f").stdout == f"version={number}\n"
    finally:
        podman("rmi", "-f", *names)


def podman_build(as_user: Runner, name: str, script: str) -> None:
    build = 'd=$(mktemp -d); cat >$d/Containerfile; podman build -q -t "$0" --timestamp 0 $d; s=$?; rm -r $d; exit $s'
    done = as_user(["sh", "-c", build, name], script, 90)
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("staged_anywhere")
def test_a_mount_point_is_in_no_other_container(podman: Podman) -> None:
    for options in (("--read-only",), ()):
        volume = ("-v", "/etc/hostname:/etc/app.conf", "-v", "/etc/hostname:/work/app.conf")
        assert podman.run("--rm", *options, *volume, "busybox", "cat", "/etc/app.conf").returncode == 0
        assert podman.run("--rm", *options, "busybox", "ls", "/etc/app.conf", "/work").stdout == ""


def test_a_privileged_container_cannot_write_into_a_shared_tree(podman: Podman) -> None:
    script = "mount -o remount,rw /etc; mount -o remount,rw /; touch /etc/x; umount -l /etc; touch /etc/x; true"
    podman.run("--rm", "--read-only", "--privileged", "busybox", "sh", "-c", script)
    assert podman.run("--rm", "busybox", "ls", "/etc/x").stdout == ""


def test_several_tasks_share_one_copy(podman: Podman) -> None:
    script = "mktemp /tmp/task.XXXXXX >/dev/null; until test $(ls /tmp | wc -l) = 2; do sleep 0.1; done; echo both"
    done = podman.run("--rm", "--annotation", "scrun.nodes=2", "busybox", "sh", "-c", script)
    assert done.stdout == "both\nboth\n"


def test_what_a_killed_container_has_changed_comes_back(podman: Podman) -> None:
    name = podman.ready("echo precious >/etc/f; echo top >/f; echo ready; while :; do sleep 0.1; done")
    podman.ok("kill", "--signal", "KILL", name)
    podman.ok("wait", name)
    assert {"A /etc/f", "A /f"} <= set(podman.ok("diff", name).splitlines())


@pytest.mark.slice
@pytest.mark.usefixtures("staged_anywhere")
def test_exec_sees_what_the_program_has_changed(podman: Podman) -> None:
    name = podman.ready("echo precious >/etc/f; echo ready; while :; do sleep 0.1; done")
    assert podman.ok("exec", name, "sh", "-c", "cat /etc/f; echo two >/etc/g") == "precious"
    assert podman.ok("exec", name, "cat", "/etc/g") == "two"
    podman.ok("rm", "-f", "-t", "0", name)
