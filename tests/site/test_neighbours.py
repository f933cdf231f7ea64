"""Two nodes, and several users beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.site import machines

if TYPE_CHECKING:
    from tests.site.machines import User

SECRET = "for-alice-alone"


@pytest.mark.parametrize("node", machines.NODES)
def test_a_node_is_chosen(alice: User, node: str) -> None:
    done = alice.run(f"podman run --rm --uts host --annotation scrun.nodelist={node} busybox hostname")
    assert (done.stdout.strip(), done.returncode) == (node, 0)


def test_two_users_at_once(alice: User, bob: User) -> None:
    script = "podman run --rm --uts host --annotation scrun.nodelist=node1 busybox sh -c 'echo {0}; exit {1}'"
    running = [(user, user.start(script.format(user.name, code)), code) for user, code in ((alice, 3), (bob, 4))]
    for user, process, code in running:
        with process:
            printed, complaint = process.communicate(timeout=machines.COMMAND)
        assert (process.returncode, printed) == (code, f"{user.name}\n"), complaint


def test_nobody_sees_what_another_has_staged(alice: User, bob: User) -> None:
    """Environment, arguments and files; names are no secret, and whoever stages on NFS must let nobody through."""
    alice.must(f"podman run -d --name staged -e WORD={SECRET} busybox sh -c 'sleep 1000; : {SECRET}'")
    staged = alice.must("find /scratch/alice/scrun -type f")
    assert "/rootfs/" in staged or "busybox" in staged, staged
    read = 'while read -r path; do cat "$path" 2>/dev/null && echo "= $path"; done'
    for machine in ("login", "node1", "node2"):
        done = machines.run(machine, "bob", read, input=staged)
        assert SECRET not in done.stdout
        # Of all files config.json alone is for others, since slurmstepd reads it as nobody.
        others = [line for line in done.stdout.splitlines() if line.startswith("= ")]
        assert all(line.endswith("/config.json") for line in others), others
        listing = machines.run(machine, "bob", "find /scratch/alice/scrun -mindepth 1")
        assert not listing.stdout


def test_nobody_sees_the_state_of_another(alice: User, bob: User) -> None:
    alice.must(f"podman run -d --name known -e WORD={SECRET} busybox sleep 1000")
    identity = alice.container("known", ".Id")
    assert identity in alice.must("scrun list --quiet")
    assert identity not in bob.must("scrun list --quiet")
    assert bob.run(f"scrun kill {identity} KILL").returncode
    assert alice.container("known", ".State.Status") == "running"


def test_a_user_without_subordinate_ids(carol: User) -> None:
    """Runs with the one id that there is, or is refused in one sentence."""
    done = carol.run("podman run --rm bare sh -c 'id -u; exit 7'")
    if done.returncode == 7:
        assert done.stdout.strip() == "0"
        return
    assert done.returncode in {125, 126}
    sentences = [line for line in done.stderr.splitlines() if line.startswith("Error:")]
    assert len(sentences) == 1
    assert "id" in sentences[0]
