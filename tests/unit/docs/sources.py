"""The texts in the sources: what scrun may say, and the names that it makes."""

from __future__ import annotations

import ast
import functools
import pathlib

from tests.unit.docs.markdown import CHECKOUT

FOLDERS = ("proto", "actors", "scrun")


def modules() -> list[pathlib.Path]:
    return sorted(path for folder in FOLDERS for path in (CHECKOUT / folder).rglob("*.py"))


@functools.cache
def nodes(path: pathlib.Path) -> tuple[ast.AST, ...]:
    """All that is in a file of Python, parsed and walked once for all who ask: both take seconds for all files."""
    return tuple(ast.walk(ast.parse(path.read_bytes(), str(path))))


def pattern(node: ast.expr) -> str:
    """A text of the source with … for what is put into it; … alone for what is no text."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return "…"


@functools.cache
def texts() -> tuple[str, ...]:
    """Every text of the code but those that explain it."""
    found = []
    for path in modules():
        explained = {id(node.value) for node in nodes(path) if isinstance(node, ast.Expr)}
        others = (node for node in nodes(path) if id(node) not in explained)
        found += [pattern(node) for node in others if isinstance(node, ast.Constant | ast.JoinedStr)]
    return tuple(text for text in found if len(text) > 1)


def calls_in(path: str, name: str) -> list[ast.Call]:
    return [node for node in nodes(pathlib.Path(path)) if isinstance(node, ast.Call) and called(node) == name]


def name_of(node: ast.expr) -> str:
    """The last part of a dotted name; empty for what is no name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def called(node: ast.Call) -> str:
    return name_of(node.func)
