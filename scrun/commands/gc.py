"""``scrun gc``: clear up what dead containers left, and name the jobs that have none."""

from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.packages import use_packages


def run(line: Line) -> int:
    """Clear up, or say what would be; one line for each thing."""
    use_packages()
    from scrun.delete.left_overs import collect
    from scrun.host import Host

    collect(root_of(line, must_exist=True), Host(line), dry=line.own.flag("dry-run"))
    return 0
