"""Judges what the user's account has: subordinate ids, user namespaces, the state directory."""

import os

from proto.errors import SettingsError
from proto.host.paths import make_root
from scrun.host import Answer, Host

from .finding import SHELL, Finding, fault, ok, warning

ENOUGH = 65536


def subordinate_ids(host: Host) -> Finding:
    """Has the user ids to be mapped into containers?"""
    who = host.caller
    texts = (host.read("/etc/subuid") or "", host.read("/etc/subgid") or "")
    return judge_subordinate_ids(*texts, who.user, who.uid, mapper=bool(host.find("newuidmap")))


def judge_subordinate_ids(subuid: str, subgid: str, user: str, uid: int, *, mapper: bool) -> Finding:
    """Judge by the two files, and by whether there is newuidmap(1), which maps what they give."""
    if uid == 0:
        return ok("not needed by root")
    counts = [count_ids(text, user, uid) for text in (subuid, subgid)]
    if min(counts) < ENOUGH:
        return warning(
            f"{user} has {counts[0]} user ids and {counts[1]} group ids to map; to unpack most images needs {ENOUGH}",
            SHELL,
            f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}  # or a range that is free",
            "podman system migrate",
        )
    if not mapper:
        return fault(
            "the command newuidmap is not installed, so rootless podman cannot use the user's subordinate ids", SHELL,
            "apt install uidmap  # or: dnf install shadow-utils",
        )  # fmt: skip
    return ok(f"{counts[0]} user ids and {counts[1]} group ids for {user}")


def count_ids(text: str, user: str, uid: int) -> int:
    """How many ids a file like /etc/subuid gives to a user, by name or number."""
    return sum(int(line.rpartition(":")[2]) for line in lines_of(text, user, uid))


def lines_of(text: str, user: str, uid: int) -> list[str]:
    """The lines of such a file that give ids to a user."""
    found = []
    for line in text.splitlines():
        name, _, rest = line.strip().partition(":")
        size = rest.partition(":")[2]
        if name in {user, str(uid)} and size.isascii() and size.isdigit():
            found.append(line.strip())
    return found


def user_namespaces(host: Host) -> Finding:
    """May the user make user namespaces, and map the own id into them as old clients of Slurm need it?"""
    who = host.caller
    answer = host.run("unshare", "-U", f"--map-user={who.uid}", f"--map-group={who.gid}", "--", "true")
    knobs = {path: (host.read(f"/proc/sys/{path}") or "").strip() for path in KNOBS}
    return judge_user_namespaces(answer, knobs)


# Setting to the value that forbids user namespaces, and the one that allows them.
KNOBS = {
    "user/max_user_namespaces": ("0", "15000"),
    "kernel/unprivileged_userns_clone": ("0", "1"),
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "0"),
}


def judge_user_namespaces(answer: Answer, knobs: dict[str, str]) -> Finding:
    if answer.status == 0:
        return ok("they can be made")
    if answer.status == 127:
        return fault(
            "the command unshare is not installed", SHELL, "apt install util-linux  # or: dnf install util-linux"
        )
    closed = [(path.replace("/", "."), good) for path, (bad, good) in KNOBS.items() if knobs.get(path) == bad]
    if closed:
        names = " and ".join(name for name, _ in closed)
        lines = [f"{name} = {good}" for name, good in closed]
        return fault(
            f"they cannot be made: the kernel's setting {names} forbids it", "/etc/sysctl.d/scrun.conf", *lines
        )
    if "unrecognized option" in answer.text:
        return warning("unshare is older than util-linux 2.36; rootless podman with Slurm before 23.02 needs it")
    return fault("they cannot be made, and no setting of the kernel that we know of is the reason")


def state_directory(host: Host) -> Finding:
    """Can state be kept where the later verbs look for it?"""
    root = host.root
    try:
        make_root(root)
    except SettingsError as error:
        return fault(error.sentence)
    status = os.statvfs(root)
    return judge_state_directory(root, host.environ.get("XDG_RUNTIME_DIR", ""), status.f_bavail * status.f_frsize)


def judge_state_directory(root: str, runtime: str, free: int) -> Finding:
    """Judge by path, ``XDG_RUNTIME_DIR`` and bytes left."""
    if free < 8 << 20:
        return warning(f"{root} has {free >> 20} MiB left; a container's log may take 8")
    if root.startswith("/tmp/scrun-"):  # noqa: S108 - the fallback of proto.host.paths.default_root
        return warning(
            f"XDG_RUNTIME_DIR is not set, so state is kept in {root}, where cleaners may take it away", SHELL,
            "loginctl enable-linger",
        )  # fmt: skip
    if runtime and not runtime.startswith("/"):
        return warning(f"XDG_RUNTIME_DIR is no absolute path, so state is kept in {root}")
    return ok(root)


def machine_id(host: Host) -> Finding:
    """Has this machine a name for life, by which what it left behind before a reboot can be told?"""
    return judge_machine_id(host.read("/etc/machine-id"))


def judge_machine_id(text: str | None) -> Finding:
    """Judge the contents of /etc/machine-id (machine-id(5))."""
    word = (text or "").strip()
    if len(word) == 32 and word.strip("0123456789abcdef") == "" and word.strip("0"):
        return ok("/etc/machine-id can be read")
    why = "is not there, or cannot be read" if text is None else "holds no machine's id"
    return warning(
        f"/etc/machine-id {why}: after a reboot scrun gc cannot tell which jobs were this host's", SHELL,
        "systemd-machine-id-setup  # or: dbus-uuidgen --ensure=/etc/machine-id",
    )  # fmt: skip
