"""Judges what staging needs: scrun.toml, scrun.lua, the staging directory."""

import os

from actors.allocation.messages import clean
from actors.staging.filesystem import NETWORK_FILE_SYSTEMS, current_mounts, file_system
from proto.errors import SettingsError
from scrun import settings

from .finding import Finding, fault, ok, warning
from .host import Host

# What staging does, without the container: load the script as its functions would be called.
LOAD = """
import os, sys
sys.path[:0] = sys.argv[1].split(os.pathsep)
from actors.staging.lua_runtime import LuaApi, LuaScript
try:
    LuaScript(sys.argv[2], LuaApi(None, lambda *_: None))
except Exception as error:
    sys.exit(str(error))
"""


def scrun_toml(host: Host) -> Finding:
    """Can the settings be read?"""
    try:
        settings.read(host.conf, host.caller, host.environ.get("SCRUN_SCHEDULER", ""))
    except SettingsError as error:
        return fault(error.sentence)
    beside = f"{os.path.dirname(host.conf)}/scrun.toml" if host.conf else ""
    places = [beside, settings.SITE, f"{host.caller.home}/.config/scrun/scrun.toml"]
    found = [path for path in places if path and host.exists(path)]
    if beside in found and settings.SITE in found:
        return warning(f"{settings.SITE} has no effect beside {beside}")
    return ok(", ".join(found) or "there is none: everything is at its default")


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
    chosen = host.settings.staging_directory
    path = chosen or f"{host.caller.home}/.scrun"
    there = path
    while not host.exists(there) and there != "/":
        there = os.path.dirname(there)
    return judge_staging(path, os.access(there, os.W_OK | os.X_OK), file_system(there, current_mounts()))


def judge_staging(path: str, writable: bool, kind: str) -> Finding:
    """Judge by path, right to write and type of the file system."""
    lines = ("/etc/scrun/scrun.toml", "[staging]", 'directory = "/shared/by/all/nodes/%u"')
    if not writable:
        return fault(f"{path} cannot be written", *lines)
    if kind in {"tmpfs", "ramfs", "overlay"}:
        return warning(f"{path} is on {kind}, which no other machine sees", *lines)
    if kind not in NETWORK_FILE_SYSTEMS:
        where = kind or "an unknown file system"
        return warning(f"{path} is on {where}; if that is a disk of this machine, no other node sees it", *lines)
    return ok(f"{path} is on {kind}")
