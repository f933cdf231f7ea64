"""Who called scrun, and what of the caller's environment Slurm's commands get."""

import grp
import os
import pwd

from proto.host.paths import DEFAULT_PATH, real_gid, real_uid
from proto.life.creation import Caller

KEPT = ("PATH", "TZ", "KRB5CCNAME", "MUNGE_SOCKET")
KEPT_PREFIXES = ("SLURM_", "SPANK_")
# Formats that a user likes would make Slurm's answers unreadable for scrun; tokens are of no use to its commands.
DROPPED = ("SLURM_TIME_FORMAT", "SLURM_CONF", "SLURM_JWT")


def find() -> Caller:
    """Look the caller up."""
    uid = real_uid()
    gid = real_gid()
    try:
        entry = pwd.getpwuid(uid)
        user, home = entry.pw_name, entry.pw_dir
    except KeyError:
        user, home = str(uid), os.environ.get("HOME", "/")
    try:
        group = grp.getgrgid(gid).gr_name
    except KeyError:
        group = str(gid)
    return Caller(uid, gid, user, group, home, namespaced=uid != os.getuid() or gid != os.getgid())


def kept_environ(environ: dict[bytes, bytes], caller: Caller, slurm_conf: str) -> tuple[bytes, ...]:
    """The environment for Slurm's commands, ``K=V``: what they need, and none of the user's secrets."""
    found = {
        "PATH": DEFAULT_PATH.encode(),
        "HOME": os.fsencode(caller.home),
        "USER": os.fsencode(caller.user),
        "LOGNAME": os.fsencode(caller.user),
        "LC_ALL": b"C.UTF-8",
    }
    for key, value in environ.items():
        name = os.fsdecode(key)
        if (name in KEPT or name.startswith(KEPT_PREFIXES)) and name not in DROPPED and value:
            found[name] = value
    if slurm_conf:
        found["SLURM_CONF"] = os.fsencode(slurm_conf)
    return tuple(os.fsencode(name) + b"=" + value for name, value in sorted(found.items()))
