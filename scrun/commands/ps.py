"""``scrun ps``: the anchor, which is all of the container that this host has."""

import subprocess

from proto.errors import UnsupportedError
from scrun.box.box import find
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.report.lines import show


def run(line: Line) -> int:
    """Print the processes: a list of pids, or the lines of ps(1) that are about them."""
    container = find(root_of(line), line.id)
    pids = [] if container.status == "stopped" else [container.anchor]
    if line.own.text("format") == "json":
        show(f"[{','.join(map(str, pids))}]")
    elif pids:
        show(filtered(_ps(line.arguments[1:] or ["-ef"]), pids))
    return 0


def _ps(arguments: list[str]) -> str:
    try:
        done = subprocess.run(["/bin/ps", *arguments], check=False, capture_output=True, text=True, errors="replace")
    except OSError:
        raise UnsupportedError("ps needs the command /bin/ps; --format json works without it") from None
    if done.returncode != 0:
        raise UnsupportedError(f"ps refuses these options: {done.stderr}")
    return done.stdout


def filtered(text: str, pids: list[int]) -> str:
    """The header and the lines whose column PID is one of ``pids``."""
    lines = text.splitlines()
    header = lines[0].split() if lines else []
    if "PID" not in header:
        raise UnsupportedError("ps prints no column PID with these options")
    column = header.index("PID")
    wanted = {str(pid) for pid in pids}
    rows = [
        line
        for line in lines[1:]
        if line.split(None, column + 1)[column : column + 1] and line.split()[column] in wanted
    ]
    return "".join(f"{line}\n" for line in [lines[0], *rows])
