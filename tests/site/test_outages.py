"""What becomes of a container when a part of the site is away for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.site import machines
from tests.site.machines import OUTAGE, STAGED, root, wait_until

if TYPE_CHECKING:
    from tests.site.machines import User

# Writes a number each second, and ends with 5 once told so.
COUNT = "i=0; while [ ! -e /data/end ]; do i=$((i+1)); echo $i; sleep 1; done; exit 5"


def counting(user: User, *options: str) -> None:
    """Start the container ``count`` on node1 and wait for its first word."""
    user.must("rm -rf ~/data; mkdir ~/data")
    user.must(
        f"podman run -d --replace --name count {' '.join(options)} --annotation scrun.nodelist=node1 "
        f"-v ~/data:/data busybox sh -c '{COUNT}'"
    )
    wait_until(lambda: user.must("podman logs count"), "first word of the container")


def lines(user: User) -> int:
    return len(user.must("podman logs count").splitlines())


def ends_well(user: User) -> None:
    """It still counts; told to end, its own exit status comes, and nothing is left."""
    heard = lines(user)
    wait_until(lambda: lines(user) > heard, "more words of the container", OUTAGE)
    user.must("touch ~/data/end")
    assert user.must("podman wait count", timeout=OUTAGE).strip() == "5"
    numbers = user.must("podman logs count").split()
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)], "words were lost or came twice"
    user.must("podman rm count")
    user.gone()


def test_nfs_server_away_for_half_a_minute(alice: User) -> None:
    counting(alice)
    root("systemctl stop nfs-server; sleep 30; systemctl start nfs-server")
    ends_well(alice)


def test_slurmdbd_away(alice: User) -> None:
    root("systemctl stop slurmdbd")
    try:
        counting(alice)
        alice.must("touch ~/data/end")
        assert alice.must("podman wait count").strip() == "5"
    finally:
        root("systemctl start slurmdbd")


def test_slurmctld_restarted(alice: User) -> None:
    counting(alice)
    root("systemctl restart slurmctld")
    ends_well(alice)


def test_reboot_of_the_node(fresh: None, alice: User) -> None:
    """The administrator does not wait for the container on it."""
    counting(alice)
    machines.reboot("node1")
    assert alice.must("podman wait count", timeout=OUTAGE).strip() == "137"
    assert "node1" in alice.must("podman logs count 2>&1").splitlines()[-1]
    alice.gone()


def test_scontrol_reboot_waits_for_the_container(fresh: None, alice: User) -> None:
    """Slurm lets what runs run on, reboots, and takes new containers afterwards."""
    counting(alice)
    boot = machines.boot_of("node1")
    root("scontrol reboot nextstate=resume node1")
    ends_well(alice)
    wait_until(lambda: machines.boot_of("node1") not in {boot, ""}, "reboot of node1", OUTAGE)
    machines.command("settled")
    alice.must("podman run --rm --annotation scrun.nodelist=node1 busybox true", timeout=OUTAGE)


def test_reboot_of_the_login_host(fresh: None, alice: User) -> None:
    """Nobody is left who would wait for the container: gc gives its job back."""
    counting(alice)
    assert alice.jobs()
    machines.reboot("login", "systemctl reboot -ff")  # its homes are its own NFS, and it would wait for them
    alice.run("scrun gc")
    alice.gone()
    assert alice.must("scrun list --quiet") == ""
    assert alice.must(STAGED) == ""
    alice.must("podman rm --force count")
