"""The processes of a container: anchor, guard, actors, and the commands that run."""

from proto.life import messages as m
from proto.life.state_file import phase

from .view import View, cell

HEADER = ("process", "pid", "incarnation", "restarts", "status", "mailbox", "lease", "detail")


def table(view: View, _: str) -> m.Table:
    """A row for each process, in the order of their start."""
    known = {process.name: process for process in view.processes}
    rows = [("anchor", str(view.anchor), "1", "0", "running", "", "", phase(view.container))]
    if guard := known.pop("guard", None):
        numbers = (str(guard.pid), str(guard.incarnation), str(guard.incarnation - 1))
        rows.append(("guard", *numbers, "running", "", "", ""))
    for child in view.children:
        process = known.pop(child.actor, None)
        runs = process is not None and child.status == "running"
        mailbox, lease = (str(process.mailbox), cell(process.lease)) if process and runs else ("", "")
        detail = process.task if process and runs else child.reason
        numbers = (str(child.pid), str(child.incarnation), str(child.restarts))
        rows.append((child.actor, *numbers, child.status, mailbox, lease, detail))
    for process in known.values():
        detail = f"asked for by {process.task}"
        rows.append((process.name, str(process.pid), "1", "0", "running", "", "", detail))
    return m.Table(HEADER, tuple(rows))
