"""Judges what has to do with systemd: podman's settings for it, and what a logout ends."""

from scrun.host import Host

from .engines import Engine, podman_conf, users_file
from .finding import SHELL, Finding, ok, warning


def podman_systemd(host: Host) -> Finding:
    """Do podman's settings fit this host's init?"""
    if not host.find("podman"):
        return ok("podman is not installed")
    conf, problem = podman_conf(host)
    tables = conf.get("engine", {}), conf.get("containers", {})
    return problem or judge_podman(*tables, users_file(host), systemd=host.systemd, session=host.session)


def judge_podman(engine: Engine, containers: Engine, place: str, *, systemd: bool, session: bool) -> Finding:
    """Judge two keys that podman finds out by itself (by the name of process 1), where they say something else.

    Args:
        engine: the table of that name in containers.conf.
        containers: the same.
        place: the file that the user may change.
        systemd: whether systemd runs this host.
        session: whether the user has an instance of it.

    """
    logger, manager = engine.get("events_logger"), engine.get("cgroup_manager")
    if not systemd and logger == "journald":
        return warning(
            'events_logger = "journald", and this host has no journal: each command complains', place,
            "[engine]", 'events_logger = "file"  # or no line at all',
        )  # fmt: skip
    if systemd and logger == "file" and containers.get("log_driver", "journald") == "journald":
        return warning(
            'events_logger = "file" while logs are in the journal: podman logs --follow is refused', place,
            "[engine]", 'events_logger = "journald"  # or no line at all',
        )  # fmt: skip
    if session and manager == "cgroupfs":
        return warning(
            'cgroup_manager = "cgroupfs": containers belong to the login session and may end with it', place,
            "[engine]", 'cgroup_manager = "systemd"  # or no line at all',
        )  # fmt: skip
    return ok(f"its settings fit this host, which runs {'with' if systemd else 'without'} systemd")


def lingering(host: Host) -> Finding:
    """Do containers outlive the user's logout?"""
    who = host.caller
    lingers = host.exists(f"/var/lib/systemd/linger/{who.user}")
    return judge_lingering(who.user, who.uid, session=host.session, lingers=lingers)


def judge_lingering(user: str, uid: int, *, session: bool, lingers: bool) -> Finding:
    """Judge by whether systemd has an instance for the user, and whether it stays (loginctl(1), enable-linger)."""
    if not uid:
        return ok("not needed by root")
    if not session:
        return ok("not needed: the user has no instance of systemd")
    if lingers:
        return ok(f"containers of {user} outlive the logout")
    return warning("at the last logout systemd ends the user's containers", SHELL, f"loginctl enable-linger {user}")
