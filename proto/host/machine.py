"""Which machine this is, and since when: what was recorded here may be read elsewhere, or after the next start.

On the path of the hot verbs: imports ``os`` only.
"""

import os

BOOT_ID = "/proc/sys/kernel/random/boot_id"
MACHINE_ID = "/etc/machine-id"


def boot_id() -> str:
    """The kernel's random word for the time since the machine was started; empty where there is no /proc."""
    return _word(BOOT_ID)


def machine_id() -> str:
    """The number that the installation keeps over all starts (machine-id(5)); empty where there is none (yet)."""
    word = _word(MACHINE_ID)
    return word if len(word) == 32 and word.strip("0") and not word.strip("0123456789abcdef") else ""


def host() -> str:
    """The machine's name."""
    return os.uname().nodename


def _word(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, 64).decode("ascii", "replace").strip()
    finally:
        os.close(descriptor)
