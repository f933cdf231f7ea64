"""``python3 -m tests.cluster.squash DIRECTORY MOUNT_POINT PID_FILE``: mount the one at the other, until umount(8)."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import sys

from tests.cluster.squash import wire
from tests.cluster.squash.tree import Tree

FILE_SYSTEM = b"fuse.sshfs"
"""A name by which scrun knows it for a network file system: it has to find the walls by itself, as on a site."""


def mount(device: int, mount_point: str) -> None:
    # No "default_permissions": then the kernel asks us instead of letting root pass.
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"squashed", os.fsencode(mount_point), FILE_SYSTEM, 0, options.encode()):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), mount_point)


def serve(device: int, tree: Tree) -> None:
    """Answer until it is unmounted, which is an OSError with ENODEV."""
    buffer = memoryview(bytearray(wire.BUFFER))
    while True:
        try:
            size = os.readv(device, [buffer])
        except FileNotFoundError:
            continue  # the request was taken back
        if answer := tree.answer(wire.request(buffer[:size])):
            try:
                os.write(device, answer)
            except FileNotFoundError:
                pass  # nobody waits for it any more


def main() -> None:
    directory, mount_point, pid_file = sys.argv[1:]
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setgroups([])
    os.umask(0)  # the kernel has seen to it
    tree = Tree(directory)
    device = os.open("/dev/fuse", os.O_RDWR)
    mount(device, mount_point)
    with open(pid_file, "w", encoding="utf-8") as file:
        print(os.getpid(), file=file)
    try:
        serve(device, tree)
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise


main()
