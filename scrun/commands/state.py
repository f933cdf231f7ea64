"""``scrun state``: print the state file, with the truth about an anchor that is gone."""

from scrun import diagnostics
from scrun.container import find
from scrun.main import root_of
from scrun.parsing import Line


def run(line: Line) -> int:
    """Print the container's state."""
    diagnostics.write(1, find(root_of(line), line.id).state())
    return 0
