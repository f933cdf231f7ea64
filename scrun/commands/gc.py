"""``scrun gc``: clear up what dead containers left, and name the jobs that have none."""

from scrun.main import root_of
from scrun.packages import use_packages
from scrun.parsing import Line


def run(line: Line) -> int:
    """Clear up, or say what would be; one line for each thing."""
    use_packages()
    from scrun.doctor.host import Host
    from scrun.left_overs import collect

    collect(root_of(line, must_exist=True), Host(line), dry=line.own.flag("dry-run"))
    return 0
