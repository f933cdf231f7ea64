"""Which machine this is, and since when: what was recorded here may be read elsewhere, or after the next start.

On the path of the hot verbs: imports ``os`` only.
"""

import os


def boot_id() -> str:
    """The kernel's random word for the time since the machine was started; empty where there is no /proc."""
    try:
        descriptor = os.open("/proc/sys/kernel/random/boot_id", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, 64).decode("ascii", "replace").strip()
    finally:
        os.close(descriptor)


def host() -> str:
    """The machine's name."""
    return os.uname().nodename
