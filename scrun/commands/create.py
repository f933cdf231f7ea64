"""``scrun create``: check everything, reserve the id, have the anchor begin, and run the hooks that belong here."""

from actors.boot import Embryo
from actors.stdio.null import mend
from proto.host.paths import ContainerPaths
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.create import container, creating
from scrun.packages import use_packages


def run(line: Line) -> int:
    """Create the container; silent, since standard error is the container's."""
    use_packages()
    mend()
    with Embryo() as anchor:
        paths = ContainerPaths(root_of(line), line.id)
        creation, bundle = creating.prepare(line, paths.root)
        container.make(paths, creation, bundle, anchor, container.hand_pidfd(line))
    return 0
