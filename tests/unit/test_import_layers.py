"""Imports run one way only, scrun -> actors -> proto, and proto needs no library but msgpack."""

from __future__ import annotations

import ast
import pathlib
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]

# What a folder may import besides itself and the standard library.
ALLOWED = {
    "proto": {"msgpack"},
    "actors": {"proto", "msgpack", "zmq", "pykka", "lupa", "pyslurm", "yaml"},
    "scrun": {"proto", "actors", "msgpack", "zmq"},
    "distribution": {"proto", "actors", "scrun"},
}

MODULES = sorted(path for folder in ALLOWED for path in (CHECKOUT / folder).rglob("*.py"))


def imported(path: pathlib.Path) -> Iterator[tuple[int, str]]:
    """Every import in the file, wherever in it, as line and absolute name."""
    package = path.relative_to(CHECKOUT).parent.parts
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            assert base, f"{path}:{node.lineno}: a relative import leaves the folder"
            yield node.lineno, ".".join([*base, node.module or ""])
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            yield node.lineno, node.module


def test_there_are_modules() -> None:
    assert {path.relative_to(CHECKOUT).parts[0] for path in MODULES} == set(ALLOWED)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_imports_keep_to_their_layer(path: pathlib.Path) -> None:
    folder = path.relative_to(CHECKOUT).parts[0]
    allowed = ALLOWED[folder] | {folder} | sys.stdlib_module_names
    wrong = [f"line {line}: {name}" for line, name in imported(path) if name.split(".")[0] not in allowed]
    assert not wrong
