"""Where a job was asked for, so exactly that it can be said whether a process there still knows it.

The job's comment has the word ``scrun-at:BOOT.TABLE.ROOT.MACHINE`` (see ``accounting``): the run of the kernel (its
random boot id), the process table (pid namespace), the state directory and the machine. Wherever BOOT, TABLE and ROOT
are the same as here, every process that could hold the job would be seen here.

Where only BOOT differs, this machine has been started anew since, and no process is left that could hold the job. That
is a matter of trust in MACHINE: two hosts may share a name, and images of one machine its ``/etc/machine-id``. So it is
both, and a machine without an id is never taken for itself.
"""

import os
from zlib import crc32

from proto.host.machine import boot_id, host, machine_id

MARK = "scrun-at:"
UNKNOWN = "-"
"""In place of MACHINE, where there is no id."""


def here(root: str) -> str:
    """The place of a state directory on this machine; empty if the kernel does not tell."""
    boot = boot_id().replace("-", "")
    try:
        table = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return ""
    return f"{boot}.{table}.{crc32(os.fsencode(root)):08x}.{_machine()}" if boot else ""


def was_here(place: str, root: str) -> bool:
    """Whether that is the place of this state directory before the machine's last start."""
    boot, _, rest = place.partition(".")
    now, _, same = here(root).partition(".")
    return bool(now) and boot != now and rest == same and not same.endswith(UNKNOWN)


HOLDER = b"scrun-job"
"""A word of the command line of salloc and of its command, which hold a job together."""
_HOLDERS = frozenset((b"salloc", b"srun"))


def is_held(cookie: str) -> bool:
    """Whether a process of this machine holds the job: salloc has the cookie in its command line, and so has srun.

    So has what runs beside a container on its node, which may be this machine and holds no job.
    """
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                line = file.read()
                if cookie.encode() in line and line.partition(b"\0")[0].rpartition(b"/")[2] in _HOLDERS:
                    return True
        except OSError:
            continue
    return False


def _machine() -> str:
    """Everybody can read a job's comment, and the id is to be kept from strangers (machine-id(5)): a sum of it."""
    number = machine_id()
    return f"{crc32(f'scrun {number} {host()}'.encode()):08x}" if number else UNKNOWN
