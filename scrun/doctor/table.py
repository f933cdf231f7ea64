"""The table of checks, in the order in which a container meets what they look at."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from scrun.host import Host

from . import (
    account,
    clocks,
    credentials,
    engines,
    identity,
    images,
    limits,
    nodes,
    owners,
    resources,
    sessions,
    slurm,
    staging,
    storage,
    versions,
)
from .finding import SHELL, Finding, fault

CHECKS: tuple[tuple[str, Callable[[Host], Finding]], ...] = (
    ("scrun in PATH", identity.scrun_in_path),
    ("podman runtime", engines.podman_runtime),
    ("podman errors", engines.podman_json),
    ("podman environment", engines.podman_environment),
    ("podman storage", storage.podman_storage),
    ("podman and systemd", sessions.podman_systemd),
    ("podman resources", resources.podman_resources),
    ("podman build", owners.podman_build),
    ("docker runtime", engines.docker_runtime),
    ("lingering", sessions.lingering),
    ("machine-id", account.machine_id),
    ("state directory", account.state_directory),
    ("limits", limits.limits),
    ("pipes", limits.pipes),
    ("watches", limits.watches),
    ("scrun.toml", staging.scrun_toml),
    ("slurm.conf", slurm.slurm_conf),
    ("Slurm's commands", slurm.commands),
    ("pyslurm", slurm.pyslurm),
    ("known faults", versions.known_faults),
    ("credentials", credentials.credentials),
    ("TLS", credentials.tls),
    ("controller", slurm.controller),
    ("clock", clocks.clock),
    ("user namespaces", account.user_namespaces),
    ("subordinate ids", account.subordinate_ids),
    ("scrun.lua", staging.scrun_lua),
    ("staging directory", staging.staging_directory),
    ("root_squash", staging.root_squash),
    ("file owners", owners.file_owners),
    ("image stores", images.image_stores),
    ("oci.conf", nodes.oci_conf),
)


class Row(NamedTuple):
    """A check's name and what it found."""

    name: str
    finding: Finding


def examine(host: Host) -> Iterator[Row]:
    """Make every check; one that fails itself is a fault and keeps none of the others from being made."""
    for name, check in CHECKS:
        try:
            yield Row(name, check(host))
        except Exception as error:
            yield Row(name, fault(f"this check failed itself: {type(error).__name__}: {error}"))


def text(row: Row) -> str:
    """A row for people, with what to do below it."""
    finding = row.finding
    lines = [f"{finding.level:8} {row.name:19} {finding.sentence}"]
    if finding.lines:
        lines.append("             run:" if finding.place == SHELL else f"             add to {finding.place}:")
        lines += [f"                 {line}" for line in finding.lines]
    return "".join(f"{line}\n" for line in lines)
