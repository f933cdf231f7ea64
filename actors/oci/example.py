"""A config.json to begin with, as runc's but for what a node would refuse or the program could not use.

There is no network namespace, for the network is the node's, and no cgroup to mount, for that is the job's.
"""

from typing import Any

from proto import OCI_VERSION
from proto.host.paths import DEFAULT_PATH

CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
SECURE = ["nosuid", "noexec", "nodev"]


def config(uid: int, gid: int, *, rootless: bool) -> dict[str, Any]:
    """The configuration of a shell on a terminal, for a container with or without a user namespace."""
    return {
        "ociVersion": OCI_VERSION,
        "process": {
            "terminal": True,
            "user": {"uid": 0, "gid": 0},
            "args": ["sh"],
            "env": [f"PATH={DEFAULT_PATH}", "TERM=xterm"],
            "cwd": "/",
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), CAPABILITIES),
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": True},
        "hostname": "scrun",
        "mounts": _mounts(rootless=rootless),
        "linux": {
            "namespaces": [{"type": name} for name in ("pid", "ipc", "uts", "mount", *(["user"] if rootless else []))],
            **(_mappings(uid, gid) if rootless else {}),
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }


def _mounts(*, rootless: bool) -> list[dict[str, Any]]:
    terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
    # Whoever shares the network of the host may not mount a sysfs of their own, unless they are root there.
    system = ("none", "/sys", ["rbind", *SECURE, "ro"]) if rootless else ("sysfs", "sysfs", [*SECURE, "ro"])
    table: list[tuple[str, str, str, list[str]]] = [
        ("/proc", "proc", "proc", []),
        ("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        # Group 5 is tty; a user namespace of one id has no group 5.
        ("/dev/pts", "devpts", "devpts", terminals if rootless else [*terminals, "gid=5"]),
        ("/dev/shm", "tmpfs", "shm", [*SECURE, "mode=1777", "size=65536k"]),  # noqa: S108 - in the container
        ("/dev/mqueue", "mqueue", "mqueue", SECURE),
        ("/sys", *system),
    ]
    rows = [dict(zip(("destination", "type", "source", "options"), row, strict=True)) for row in table]
    return [{key: value for key, value in row.items() if value} for row in rows]


def _mappings(uid: int, gid: int) -> dict[str, Any]:
    return {
        "uidMappings": [{"containerID": 0, "hostID": uid, "size": 1}],
        "gidMappings": [{"containerID": 0, "hostID": gid, "size": 1}],
    }
