"""Judges whose the staged files can be: whether the staging directory keeps owners, and what follows for builds."""

from actors.staging import reach
from proto.life.settings import IdMapping
from scrun.host import Host, Keeps

from .engines import podman_engine, scrun_names
from .finding import SHELL, Finding, fault, ok, warning
from .staging import site_file


def file_owners(host: Host) -> Finding:
    """How many ids do containers get?"""
    path = reach.place_of(host.settings, host.caller.home)
    return judge_owners(path, host.settings.scrun.id_mapping, host.keeps_owners, host.caller.uid, site_file(host))


def judge_owners(path: str, wish: IdMapping, keeps: Keeps, uid: int, place: str) -> Finding:
    """Judge by the setting ``id_mapping`` and what the staging directory takes."""
    if not uid and wish != "single":
        return ok("root's containers keep their ids")
    if wish == "single":
        return ok("containers get one id: id_mapping is single")
    if keeps == "unknown":
        return ok(f"not found out for {path}: podman unshare did not answer")
    if keeps == "yes":
        return ok(f"{path} keeps owners: the nodes need newuidmap and the user's subordinate ids")
    if wish == "full":
        return fault(
            f"{path} keeps no owners, and id_mapping is full: no container with several users can be staged",
            place, "[scrun]", 'id_mapping = "auto"',
        )  # fmt: skip
    return ok(f"{path} keeps no owners: containers get one id, and the nodes need no subordinate ids")


def podman_build(host: Host) -> Finding:
    """Would each RUN of a build be a job that cannot change owners?"""
    if not host.find("podman"):
        return ok("podman is not installed")
    engine, problem = podman_engine(host)
    default = engine.get("runtime") in scrun_names(engine, host.launcher)
    return problem or judge_build(default=default, keeps=host.keeps_owners if default else "unknown")


def judge_build(*, default: bool, keeps: Keeps) -> Finding:
    """Judge by whether scrun is podman's default runtime, and whether the staging directory keeps owners."""
    if not default:
        return ok("builds run on this host")
    if keeps == "no":
        return warning(
            "scrun is podman's default, so each RUN of a build is a job, in which chown fails", SHELL,
            "podman --runtime crun build …",
        )  # fmt: skip
    return ok("each RUN of a build is a job; podman --runtime crun build builds here")
