"""Judges what staging needs: scrun.toml, scrun.lua, the staging directory."""

import os

from actors.slurm.messages import clean
from actors.staging import reach
from actors.staging.filesystem import NETWORK_FILE_SYSTEMS, current_mounts, file_system
from proto.errors import SettingsError, StagingError, reason
from scrun.create import settings
from scrun.host import Host

from .finding import Finding, fault, ok, warning

TRIAL = 1 << 20
ROOM = 512 << 20
ENGINE_WAIT = 240
"""Seconds that podman waits for ``create`` (seen with 5.4)."""

# What staging does, without the container: load the script as its functions would be called.
LOAD = """
import os, sys
sys.path[:0] = sys.argv[1].split(os.pathsep)
from actors.staging.lua.runtime import LuaApi, LuaScript
try:
    LuaScript(sys.argv[2], LuaApi(None, lambda *_: None))
except Exception as error:
    sys.exit(str(error))
"""


def scrun_toml(host: Host) -> Finding:
    """Can the settings be read?"""
    try:
        found = settings.read(host.conf, host.caller, host.environ.get("SCRUN_SCHEDULER", ""))
    except SettingsError as error:
        return fault(error.sentence)
    if (wait := found.scrun.create_wait) >= ENGINE_WAIT:
        return warning(
            f"create_wait is {wait:g}, and podman gives create up after {ENGINE_WAIT} s", site_file(host),
            "[scrun]", "create_wait = 20",
        )  # fmt: skip
    beside = f"{os.path.dirname(host.conf)}/scrun.toml" if host.conf else ""
    places = [beside, settings.SITE, f"{host.caller.home}/.config/scrun/scrun.toml"]
    there = [path for path in places if path and host.exists(path)]
    if beside in there and settings.SITE in there:
        return warning(f"{settings.SITE} has no effect beside {beside}")
    return ok(", ".join(there) or "there is none: everything is at its default")


def scrun_lua(host: Host) -> Finding:
    """Does the script load?"""
    try:
        path = settings.find_lua(host.settings, host.conf)
    except SettingsError as error:
        return fault(error.sentence)
    if not path:
        return ok("there is none: the built-in stager does the work")
    answer = host.python(LOAD, path)
    if answer.status == 124:
        return fault(f"{path} does not come to its end when it is loaded")
    if answer.status:
        lines = answer.text.strip().splitlines()
        return fault(f"{path} cannot be used: {clean(lines[-1]) if lines else 'it does not load'}")
    return ok(f"{path} loads and has both functions")


def staging_directory(host: Host) -> Finding:
    """Can copies be written to where the nodes see them?"""
    path = reach.place_of(host.settings, host.caller.home)
    there = host.nearest(path)
    status = os.statvfs(there)
    left = status.f_bavail * status.f_frsize
    return judge_staging(path, try_to_write(there), file_system(there, current_mounts()), left, site_file(host))


def try_to_write(directory: str) -> str:
    """Write a file of a mebibyte and remove it; why that failed, or nothing.

    Rights alone do not tell: a quota is known to the server, and a network file system says so when all is written.
    """
    path = os.path.join(directory, f".scrun-doctor~{os.urandom(4).hex()}")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, bytes(TRIAL))
            os.fsync(descriptor)
        finally:
            os.unlink(path)
            os.close(descriptor)
    except OSError as error:
        return reason(error)
    return ""


def site_file(host: Host) -> str:
    """The scrun.toml of the site that is in force, or would be."""
    beside = f"{os.path.dirname(host.conf)}/scrun.toml" if host.conf else ""
    return beside if beside and host.exists(beside) else settings.SITE


def judge_staging(path: str, failure: str, kind: str, left: int, place: str) -> Finding:
    """Judge a staging directory.

    Args:
        path: of the directory.
        failure: why it cannot be written, or empty.
        kind: type of its file system.
        left: bytes that are free there.
        place: the file that another directory would be set in.

    """
    lines = (place, "[staging]", 'directory = "/shared/by/all/nodes/%u"')
    if failure:
        return fault(f"{path} cannot be written: {failure}", *lines)
    if kind in {"tmpfs", "ramfs", "overlay"}:
        return warning(f"{path} is on {kind}, which no other machine sees", *lines)
    if left < ROOM:
        return warning(f"{path} has {left >> 20} MiB left; a copy takes as much as its image", *lines)
    if kind not in NETWORK_FILE_SYSTEMS:
        where = kind or "an unknown file system"
        return warning(f"{path} is on {where}; if that is a disk of this machine, no other node sees it", *lines)
    return ok(f"{path} is on {kind}")


def root_squash(host: Host) -> Finding:
    """Can Slurm's daemons, who are root and perhaps nobody, read what is staged?"""
    if host.settings.scrun.scheduler == "local":
        return ok("not needed: scheduler is local")
    path = reach.place_of(host.settings, host.caller.home)
    squashed = reach.is_squashed(path, current_mounts(), host.settings.staging.root_squash)
    try:
        reach.check(host.settings, host.caller.home, tells=False)
    except StagingError as error:
        return judge_way(path, error.sentence, site_file(host), squashed=squashed)
    return judge_way(path, "", site_file(host), squashed=squashed)


def judge_way(path: str, wall: str, place: str, *, squashed: bool) -> Finding:
    """Judge by what is in the way (``reach.check``), and whether root counts as nobody there."""
    if wall:
        return fault(wall, place, "[staging]", 'directory = "/scratch/%u/scrun"')
    if squashed:
        return ok(f"the nodes' root, perhaps nobody in {path}, has an open way to what is staged")
    return ok(f"the nodes' root is root in {path}")
