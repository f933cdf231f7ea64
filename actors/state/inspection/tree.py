"""The processes of a container: anchor, guard, actors, and the commands that run."""

from proto.life import requests
from proto.life.state_file import phase

from .view import View

HEADER = ("process", "pid", "incarnation", "restarts", "status", "mailbox", "lease", "detail")


def table(view: View, _: str) -> requests.Table:
    """A row for each process, in the order of their start."""
    known = {process.name: process for process in view.processes}
    held = ", restarts are held" if view.held else ""
    rows = [("anchor", str(view.anchor), "1", "0", "running", "", "", f"{phase(view.container)}{held}")]
    if guard := known.pop("guard", None):
        numbers = (str(guard.pid), str(guard.incarnation), str(guard.incarnation - 1))
        rows.append(("guard", *numbers, "running", "", "", ""))
    for child in view.children:
        status, known_here = child.status, ("", "", child.reason)
        if (process := known.pop(child.actor, None)) and status == "running":
            status = "frozen" if process.frozen else status
            known_here = (str(process.mailbox), str(process.lease), process.task)
        numbers = (str(child.pid), str(child.incarnation), str(child.restarts))
        rows.append((child.actor, *numbers, status, *known_here))
    for process in known.values():
        detail = f"asked for by {process.task}"
        rows.append((process.name, str(process.pid), "1", "0", "running", "", "", detail))
    return requests.Table(HEADER, tuple(rows))
