"""``scrun state``: print the state file, with the truth about an anchor that is gone."""

from scrun.box.box import find
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.report.lines import show


def run(line: Line) -> int:
    """Print the container's state."""
    show(find(root_of(line), line.id).state())
    return 0
