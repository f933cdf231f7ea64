"""Who makes and who takes a message, read off the sources: a process consists of what its first module imports."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING

from actors.anchor import loop
from actors.guard import clean_up
from actors.process import supervision
from proto.life import lifecycle
from tests.unit.docs.markdown import CHECKOUT
from tests.unit.docs.sources import called, name_of, nodes

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

ACTORS = {specification.name: specification.main for specification in supervision.TABLE}
PROCESSES = (*ACTORS, "anchor", "guard")
# What imports the actors for others to run in is not all one process: these two are what their own folder or file says.
_ANCHOR = loop.__name__.rpartition(".")[0].replace(".", "/")
_GUARD = clean_up.__name__


def _file(module: str) -> pathlib.Path | None:
    path = CHECKOUT / module.replace(".", "/")
    found = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in found if candidate.is_file()), None)


def _imports(path: pathlib.Path) -> Iterator[str]:
    """Every module that the file names, wherever in it; ``from x import y`` may mean x.y, too."""
    package = path.relative_to(CHECKOUT).parent.parts
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@functools.cache
def _sources(process: str) -> frozenset[pathlib.Path]:
    """All that speaks for a process; the life cycle is left out, it looks at facts and sends none."""
    if process == "anchor":
        return frozenset((CHECKOUT / _ANCHOR).rglob("*.py"))
    todo, found = [ACTORS.get(process, _GUARD)], set()
    while todo:
        path = _file(todo.pop())
        if path is not None and path not in found:
            found.add(path)
            todo += _imports(path) if process in ACTORS else ()
    return frozenset(path for path in found if path.stem != lifecycle.__name__.rpartition(".")[2])


@functools.cache
def makers(name: str) -> frozenset[str]:
    """The processes in whose sources a value of that class is made."""
    return frozenset(p for p in PROCESSES if any(name in _made(path) for path in _sources(p)))


@functools.cache
def takers(name: str) -> frozenset[str]:
    """The processes that look for one: in a pattern, as key of a table, or with isinstance."""
    return frozenset(p for p in PROCESSES if any(name in _taken(path) for path in _sources(p)))


@functools.cache
def _made(path: pathlib.Path) -> frozenset[str]:
    return frozenset(called(node) for node in nodes(path) if isinstance(node, ast.Call))


@functools.cache
def _taken(path: pathlib.Path) -> frozenset[str]:
    found: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.MatchClass):
            found.add(name_of(node.cls))
        elif isinstance(node, ast.Dict):
            found.update(name_of(key) for key in node.keys if key is not None)
        elif isinstance(node, ast.Call) and called(node) == "isinstance":
            found.update(name_of(part) for part in ast.walk(node.args[1]) if isinstance(part, ast.expr))
    return frozenset(found)


def layers() -> set[str]:
    """The first words of all topics on the tap."""
    found = set()
    for path in _sources("state"):
        for node in nodes(path):
            if not (isinstance(node, ast.Call) and called(node) in {"publish", "publish_data"}):
                continue
            topic = node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
            if isinstance(topic, ast.Constant):
                found.add(str(topic.value).partition(".")[0])
    return found


def calls(name: str) -> list[ast.Call]:
    """All calls of that name, in all processes."""
    paths = set().union(*(_sources(process) for process in PROCESSES))
    everything = (node for path in sorted(paths) for node in nodes(path))
    return [node for node in everything if isinstance(node, ast.Call) and called(node) == name]
