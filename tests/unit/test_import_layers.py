"""Imports run one way only, down the list of rooms; no circle of files; and proto needs no library but msgpack."""

from __future__ import annotations

import ast
import functools
import pathlib
import re
import sys
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import pytest

from actors.process.supervision import TABLE as ACTORS
from scrun.cli.grammar import VERBS
from tests.unit.docs.sources import nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]

LIBRARIES = {
    "proto": {"msgpack"},
    "actors": {"msgpack", "zmq", "pykka", "lupa", "pyslurm", "yaml"},
    "scrun": {"msgpack", "zmq", "prometheus_client", "rich", "textual"},
    "distribution": set(),
}
"""What a folder may import besides the project's own and the standard library."""

ROOMS = (
    "proto", "proto.wire", "proto.host", "proto.life",
    "actors.programs", "actors.process", "actors.oci", "actors.slurm", "actors.staging", "actors.stdio", "actors.state",
    "actors.signals", "actors.allocation", "actors.guard", "actors.anchor", "actors",
    "scrun.packages", "scrun.cli", "scrun.report", "scrun.box", "scrun.why", "scrun.hub", "scrun.hooks", "scrun.create",
    "scrun.host", "scrun.delete", "scrun.exec", "scrun.tap", "scrun.exporter", "scrun.doctor", "scrun.console",
    "scrun.commands", "scrun", "distribution",
)  # fmt: skip
"""From the ground to the roof. A file may import what is in its own room and in those before it."""

BY_NAME = {
    "scrun.main": {f"scrun.commands.{module}" for module, *_ in VERBS.values()},
    "actors.anchor.children": {specification.main for specification in ACTORS},
}
"""The two modules that import by a name which is known only as they run, and what that can be."""

IN_TEXT = re.compile(r"\bfrom ((?:actors|proto|scrun)[\w.]*) import\b")
"""What a program in a string imports: the guard becomes an interpreter by such a one."""

FILES = sorted(path for folder in LIBRARIES for path in (CHECKOUT / folder).rglob("*.py"))


def module_of(path: pathlib.Path) -> str:
    return ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in FILES}


@functools.cache
def imported(path: pathlib.Path) -> frozenset[str]:
    """The absolute name of everything that the file imports, wherever in it, for running or for its types."""
    return frozenset(_imported(path))


def _imported(path: pathlib.Path) -> Iterator[str]:
    package = path.relative_to(CHECKOUT).parent.parts
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            name = ".".join(filter(None, (base, node.module)))
            yield from (f"{name}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from IN_TEXT.findall(node.value)
    yield from BY_NAME.get(module_of(path), ())


def ours(path: pathlib.Path) -> set[str]:
    """The modules of the project that the file imports."""
    names = {name if name in MODULES else name.rpartition(".")[0] for name in imported(path)}
    return {name for name in names if name in MODULES}


def room_of(module: str) -> str:
    return max((room for room in ROOMS if f"{module}.".startswith(f"{room}.")), key=len)


def test_each_room_is_there() -> None:
    assert {room_of(module) for module in MODULES} == set(ROOMS)


def test_imports_by_name_are_known() -> None:
    dynamic = {m for m, path in MODULES.items() if {"__import__", "import_module"} & set(names_in(path))}
    assert dynamic == set(BY_NAME)
    assert set().union(*BY_NAME.values()) <= set(MODULES)


def names_in(path: pathlib.Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def test_what_programs_in_strings_import_is_there() -> None:
    constants = [node.value for path in FILES for node in nodes(path) if isinstance(node, ast.Constant)]
    named = {name for text in constants if isinstance(text, str) for name in IN_TEXT.findall(text)}
    assert {"actors.guard.clean_up", "actors.staging.lua.runtime"} <= named <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_down(module: str) -> None:
    floor = ROOMS.index(room_of(module))
    up = [name for name in ours(MODULES[module]) if ROOMS.index(room_of(name)) > floor]
    assert not up


@pytest.mark.parametrize("module", MODULES)
def test_libraries_are_those_of_the_folder(module: str) -> None:
    known = {*LIBRARIES, *sys.stdlib_module_names, *LIBRARIES[module.partition(".")[0]]}
    assert not {name.partition(".")[0] for name in imported(MODULES[module])} - known


def test_no_file_imports_itself_in_a_circle() -> None:
    try:
        TopologicalSorter({module: ours(path) - {module} for module, path in MODULES.items()}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_rooms_without_a_circle_know_no_other_way() -> None:
    """A list of rooms in which nothing can be wrong would be of no use: turned round, most imports run up."""
    wrong = [
        (module, name)
        for module, path in MODULES.items()
        for name in ours(path)
        if ROOMS.index(room_of(name)) < ROOMS.index(room_of(module))
    ]
    assert len(wrong) > 300
