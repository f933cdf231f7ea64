"""Judges whether the limits that an engine is told reach scrun, which asks Slurm for as much."""

from scrun.host import Host

from .finding import Finding, ok, warning

UNIFIED = "/sys/fs/cgroup/cgroup.controllers"
"""It is there with control groups of version 2 alone."""


def podman_resources(host: Host) -> Finding:
    """Do ``--cpus`` and ``--memory`` of podman reach scrun?"""
    if not host.find("podman"):
        return ok("podman is not installed")
    return judge(host.caller.uid, unified=host.exists(UNIFIED))


def judge(uid: int, *, unified: bool) -> Finding:
    """Judge by who calls podman, and by the version of the control groups (seen with podman 4.3)."""
    if not uid or unified:
        return ok("--cpus and --memory of podman become the job's")
    return warning(
        "control groups of version 1: podman of a user drops --cpus and --memory before scrun sees them; say "
        "--annotation scrun.cpus-per-task=N and --annotation scrun.mem=SIZE"
    )
