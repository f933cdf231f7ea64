"""Which devices of a container go to a node: a privileged one asks for all that the submit host happens to have."""

_USEFUL = (
    "/dev/nvidia",
    "/dev/dri",
    "/dev/kfd",
    "/dev/infiniband",
    "/dev/fuse",
    "/dev/kvm",
    "/dev/net/tun",
)
"""What a privileged container may want of a node's devices."""
_BASIC = frozenset(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty"))


def keep_device(path: str, *, privileged: bool) -> bool:
    """Whether a device of ``linux.devices`` goes to the node: not the whole list of a privileged container."""
    return not privileged or path.startswith(_USEFUL)


def keep_bound_device(source: str, destination: str, *, privileged: bool) -> bool:
    """The same for a bind mount, by which rootless podman gives devices; one with a name of its own is the user's."""
    return not privileged or source != destination or (source not in _BASIC and source.startswith(_USEFUL))
