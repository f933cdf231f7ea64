"""``scrun delete``: end what is left of a container, wait until it has gone, and free its id."""

from proto.errors import NotFoundError
from proto.host.paths import ContainerPaths
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.delete.removal import delete
from scrun.report import diagnostics


def run(line: Line) -> int:
    """Delete the container."""
    force = line.own.flag("force")
    root = root_of(line)
    if line.own.flag("regex"):
        from scrun.cli.matching import each

        each(root, line.id, lambda paths: _delete(line, paths, force=force))
    else:
        _delete(line, ContainerPaths(root, line.id), force=force)
    return 0


def _delete(line: Line, paths: ContainerPaths, *, force: bool) -> None:
    try:
        warnings = delete(paths, force=force)
    except NotFoundError:
        if not force:
            raise
    else:
        for sentence in warnings:
            diagnostics.warn(line, sentence)
