"""Judges what podman and docker know of scrun: containers.conf and daemon.json."""

import json
import os
import tomllib
from typing import Any

from scrun.host import Host

from .configuration import is_configless
from .finding import Finding, fault, ok, warning
from .identity import Look, look_with

PASSES_ENVIRONMENT = (4, 8)
"""podman hands its environment to ``create`` from here on."""

Engine = dict[str, Any]


# --- podman ---------------------------------------------------------------------------------------------------------


def podman_runtime(host: Host) -> Finding:
    """Does podman know scrun by name?"""
    if not host.find("podman"):
        return ok("podman is not installed")
    engine, problem = podman_engine(host)
    return problem or judge_runtime(engine, host.launcher, users_file(host), look_with(host))


def judge_runtime(engine: Engine, launcher: str, place: str, look: Look) -> Finding:
    """Judge the runtimes of containers.conf; of several paths podman takes the first that is there."""
    entry = ("[engine.runtimes]", f'scrun = ["{launcher}"]')
    names = scrun_names(engine, launcher)
    if not names:
        return warning("podman has no runtime scrun; podman --runtime=PATH works all the same", place, *entry)
    paths = [path for name in names for path in engine["runtimes"][name]]
    there = [path for path in paths if look(path) != "nothing"]
    if not there:
        return fault(f"podman's runtime {names[0]} is at {', '.join(paths)}, where nothing is", place, *entry)
    if look(there[0]) == "another":
        return fault(f"podman's runtime {names[0]} is {there[0]}, another program, perhaps Slurm's own", place, *entry)
    default = engine.get("runtime")
    how = "by default" if default in {*names, *paths} else f"with --runtime={names[0]}"
    return ok(f"podman runs scrun {how}")


def podman_json(host: Host) -> Finding:
    """Does podman ask scrun for errors as JSON? Else it reports them wrapped in conmon's."""
    if not host.find("podman"):
        return ok("podman is not installed")
    engine, problem = podman_engine(host)
    return problem or judge_json(engine, host.launcher, users_file(host))


def judge_json(engine: Engine, launcher: str, place: str) -> Finding:
    listed = [str(name) for name in engine.get("runtime_supports_json") or ()]
    # podman looks the base name of the path up.
    if os.path.basename(launcher) in listed:
        return ok("podman reads scrun's errors")
    words = ", ".join(f'"{name}"' for name in [*(listed or ["crun", "runc"]), os.path.basename(launcher)])
    return warning(
        "runtime_supports_json lacks scrun: podman's errors are less clear", place, "[engine]",
        f"runtime_supports_json = [{words}]",
    )  # fmt: skip


def podman_environment(host: Host) -> Finding:
    """Does slurm.conf, or the name of who has it, arrive at ``create``?"""
    if not host.find("podman"):
        return ok("podman is not installed")
    engine, problem = podman_engine(host)
    version = podman_version(host.run("podman", "--version").text)
    if is_configless(host):
        return problem or judge_server(engine, version, host.environ.get("SLURM_CONF_SERVER", ""), users_file(host))
    return problem or judge_environment(engine, version, host.conf, host.bare_conf, users_file(host))


def judge_environment(engine: Engine, version: tuple[int, int], conf: str, bare: str, place: str) -> Finding:
    """Judge by podman's version, slurm.conf in force, and the one that is found without any environment."""
    given = passed(engine, "SLURM_CONF")
    if not conf:
        return warning("not looked at, for want of slurm.conf")
    if given and given[-1] != conf:
        return warning(f"conmon_env_vars names {given[-1]}, but here SLURM_CONF is {conf}")
    if given or bare == conf:
        return ok("scrun finds slurm.conf when podman calls it")
    if version >= PASSES_ENVIRONMENT:
        return ok("podman passes SLURM_CONF on")
    return fault(
        f"podman {version[0]}.{version[1]} does not pass SLURM_CONF on to scrun", place, "[engine]",
        f'conmon_env_vars = ["SLURM_CONF={conf}"]',
    )  # fmt: skip


def judge_server(engine: Engine, version: tuple[int, int], server: str, place: str) -> Finding:
    """Judge where there is no slurm.conf, by podman's version and the controller that the environment names."""
    if not server:
        return ok("Slurm's commands find the controller without a variable")
    given = passed(engine, "SLURM_CONF_SERVER")
    if given and given[-1] != server:
        return warning(f"conmon_env_vars names {given[-1]}, but here SLURM_CONF_SERVER is {server}")
    if given or version >= PASSES_ENVIRONMENT:
        return ok("podman passes SLURM_CONF_SERVER on")
    return fault(
        f"podman {version[0]}.{version[1]} does not pass SLURM_CONF_SERVER on to scrun", place, "[engine]",
        f'conmon_env_vars = ["SLURM_CONF_SERVER={server}"]',
    )  # fmt: skip


def passed(engine: Engine, variable: str) -> list[str]:
    """The values that containers.conf has conmon give to a variable; the last one counts."""
    entries = (str(entry).partition("=") for entry in engine.get("conmon_env_vars") or ())
    return [value for name, _, value in entries if name == variable]


def podman_version(text: str) -> tuple[int, int]:
    """``podman version 4.3.1``; (0, 0) if it is something else."""
    parts = text.strip().rpartition(" ")[2].split(".")
    if len(parts) < 2 or not (parts[0].isdigit() and parts[1].isdigit()):
        return (0, 0)
    return int(parts[0]), int(parts[1])


def scrun_names(engine: Engine, launcher: str) -> list[str]:
    """The runtimes of containers.conf that are scrun."""
    found = []
    for name, paths in (engine.get("runtimes") or {}).items():
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            continue
        if any(os.path.basename(path) == "scrun" or path == launcher for path in paths):
            found.append(name)
    return found


def users_file(host: Host) -> str:
    """The containers.conf that the user may change."""
    if host.caller.uid == 0:
        return "/etc/containers/containers.conf"
    config = host.environ.get("XDG_CONFIG_HOME") or f"{host.caller.home}/.config"
    return f"{config}/containers/containers.conf"


def podman_engine(host: Host) -> tuple[Engine, Finding | None]:
    """The table [engine] of all files that podman reads, or what is wrong with one of them."""
    conf, problem = podman_conf(host)
    return conf.get("engine", {}), problem


def podman_conf(host: Host) -> tuple[dict[str, Engine], Finding | None]:
    """All tables of all files that podman reads, or what is wrong with one of them."""
    users = users_file(host)
    files = ["/usr/share/containers/containers.conf"]
    for path in dict.fromkeys(("/etc/containers/containers.conf", users)):
        files += [path, *(f"{path}.d/{name}" for name in host.names(f"{path}.d") if name.endswith(".conf"))]
    if override := host.environ.get("CONTAINERS_CONF"):
        files = [override]
    conf: dict[str, Engine] = {}
    for path in files:
        text = host.read(path)
        if text is None:
            continue
        try:
            for section, table in tomllib.loads(text).items():
                conf[section] = merge(conf.get(section, {}), table)
        except (tomllib.TOMLDecodeError, AttributeError, TypeError):
            return {}, fault(f"{path} is no valid TOML, so podman does not run at all")
    return conf, None


def merge(below: Engine, above: Engine) -> Engine:
    """Values of the later file count; of the table of runtimes, each entry for itself."""
    runtimes = {**below.get("runtimes", {}), **above.get("runtimes", {})}
    return {**below, **above, "runtimes": runtimes}


# --- docker ---------------------------------------------------------------------------------------------------------


def docker_runtime(host: Host) -> Finding:
    """Does dockerd know scrun?"""
    if not host.find("dockerd"):
        return ok("docker is not installed")
    places = ["/etc/docker/daemon.json", f"{host.caller.home}/.config/docker/daemon.json"]
    found = [path for path in places if host.exists(path)]
    place = found[-1] if found else places[0]
    return judge_docker(place, host.read(place), host.launcher, look_with(host))


def judge_docker(place: str, text: str | None, launcher: str, look: Look) -> Finding:
    """Judge daemon.json."""
    lines = json.dumps({"runtimes": {"scrun": {"path": launcher}}}, indent=2).splitlines()
    if not (text or "").strip():
        return warning("docker has no runtime scrun", place, *lines)
    try:
        runtimes = json.loads(text or "").get("runtimes") or {}
        paths = {name: str(entry.get("path", "")) for name, entry in runtimes.items()}
    except (ValueError, AttributeError):
        return fault(f"{place} is no valid JSON, so dockerd does not start")
    names = [name for name, path in paths.items() if os.path.basename(path) == "scrun" or path == launcher]
    if not names:
        return warning("docker has no runtime scrun", place, *lines)
    found = look(paths[names[0]])
    if found == "nothing":
        return fault(f"docker's runtime {names[0]} is at {paths[names[0]]}, where nothing is", place, *lines)
    if found == "another":
        said = f"docker's runtime {names[0]} is {paths[names[0]]}, another program, perhaps Slurm's own"
        return fault(said, place, *lines)
    return ok(f"docker runs scrun with --runtime={names[0]}")
