"""Slurm's old clients inside a user namespace.

In rootless podman's namespace ``getuid()`` is 0, and salloc and srun before 23.02 write that into their request,
which slurmctld then refuses ("Invalid user id"). A second namespace that maps the real id onto the first one's 0
makes them tell the truth; it needs no privilege. MUNGE knows the true id through the kernel in any case.
"""

from proto.errors import SchedulerError


def prefix(namespaced: bool, uid: int, gid: int, unshare: bytes | None) -> tuple[bytes, ...]:
    """Return the words to put before a command whose request carries the caller's uid.

    Args:
        namespaced: whether we are in a namespace that hides the real uid.
        uid: the real one.
        gid: the real one.
        unshare: absolute path of unshare(1) from util-linux 2.36 or later, if it was found.

    Raises:
        SchedulerError: it is needed and was not found.

    """
    if not namespaced:
        return ()
    if not unshare:
        raise SchedulerError("the command unshare of util-linux is needed for rootless podman and is not in PATH")
    return (unshare, b"-U", b"--map-user=%d" % uid, b"--map-group=%d" % gid, b"--")
