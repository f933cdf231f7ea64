"""``scrun spec``: a config.json to begin with, that a rootless node can run."""

import json
import os

from proto import OCI_VERSION
from proto.errors import BundleError, reason
from scrun.parsing import Line

CONFIG = {
    "ociVersion": OCI_VERSION,
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["/bin/sh", "-c", "hostname; id"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
        "cwd": "/",
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs", "readonly": False},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
        },
        {
            "destination": "/dev/shm",  # noqa: S108 - in the container
            "type": "tmpfs",
            "source": "shm",
            "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
        },
        # A rootless container that shares the host's network may not mount a sysfs of its own.
        {
            "destination": "/sys",
            "type": "none",
            "source": "/sys",
            "options": ["rbind", "nosuid", "noexec", "nodev", "ro"],
        },
    ],
    "annotations": {},
    "linux": {
        "namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "mount"}, {"type": "user"}],
        "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
}


def run(line: Line) -> int:
    """Write the file.

    Raises:
        BundleError: it is there already, or cannot be written.

    """
    path = os.path.join(line.own.text("bundle") or ".", line.own.text("file") or "config.json")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        raise BundleError(f"File {path} exists. Remove it first") from None
    except OSError as error:
        raise BundleError(f"{path} cannot be written: {reason(error)}") from None
    uid, gid = os.getuid(), os.getgid()
    mappings = {
        "uidMappings": [{"containerID": 0, "hostID": uid, "size": 1}],
        "gidMappings": [{"containerID": 0, "hostID": gid, "size": 1}],
    }
    config = CONFIG | {"linux": CONFIG["linux"] | mappings}  # type: ignore[operator]
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(config, indent=2) + "\n")
    return 0
