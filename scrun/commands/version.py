"""``scrun --version``: the lines that docker, containerd and runc's tests look for."""

import os

from proto import OCI_VERSION, __version__
from scrun.cli.parsing import Line
from scrun.report.lines import show


def run(line: Line) -> int:  # noqa: ARG001 - every verb has the same signature
    """Print name and version, the commit in a checkout, and the specification."""
    commit = _commit(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    lines = [
        f"scrun version {__version__}",
        *([f"commit: {commit}"] if commit else []),
        f"spec: {OCI_VERSION}",
    ]
    show("\n".join(lines) + "\n")
    return 0


def _commit(root: str) -> str:
    """The commit of a checkout, or empty."""
    try:
        with open(f"{root}/.git/HEAD", encoding="utf-8") as file:
            head = file.read().strip()
        if head.startswith("ref: "):
            with open(f"{root}/.git/{head[5:]}", encoding="utf-8") as file:
                head = file.read().strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return head
