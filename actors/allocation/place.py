"""Where a job was asked for, so exactly that it can be said whether anybody there still knows it.

The job's comment is ``scrun:COOKIE scrun-at:PLACE``. The place is the run of the kernel (its random boot id), the
process table (pid namespace) and the state directory: wherever that is the same as here, every process that could
hold the job would be seen here. A host's name would not do, for two hosts may have one, and so would images of one
machine with its ``/etc/machine-id``.
"""

import os
from zlib import crc32

from proto.machine import boot_id

MARK = "scrun-at:"


def here(root: str) -> str:
    """The place of a state directory on this machine; empty if the kernel does not tell."""
    boot = boot_id().replace("-", "")
    try:
        table = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return ""
    return f"{boot}.{table}.{crc32(os.fsencode(root)):08x}" if boot else ""


def held(cookie: str) -> bool:
    """Whether a process of this machine knows the job: salloc has the cookie in its command line, and so has srun."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                if cookie.encode() in file.read():
                    return True
        except OSError:
            continue
    return False
