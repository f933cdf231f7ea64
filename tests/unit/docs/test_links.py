"""Whatever the documents point to is there: files, headings, tests, targets of make, packages."""

from __future__ import annotations

import ast
import os
import re
import sys
import tomllib

import pytest

from tests.unit.docs import markdown, sources

EVERYTHING = (*markdown.DOCUMENTS, *markdown.OTHERS)
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
FOLDERS = ("proto", "actors", "scrun", "tests", "docs", "examples", ".ci")
PACKAGES = {"pyzmq": "zmq", "pyyaml": "yaml", "prometheus-client": "prometheus_client"}


def files() -> dict[str, set[str]]:
    """Every file and folder of the project, by its own name: the paths that it has."""
    found: dict[str, set[str]] = {}
    for folder in FOLDERS:
        for place, _, names in os.walk(markdown.CHECKOUT / folder):
            relative = os.path.relpath(place, markdown.CHECKOUT)
            if "__pycache__" not in relative:
                for name in (*names, ""):
                    path = os.path.normpath(f"{relative}/{name}")
                    found.setdefault(os.path.basename(path), set()).add(path)
    return found


FILES = files()


@pytest.mark.parametrize("document", EVERYTHING)
def test_relative_links_lead_somewhere(document: str) -> None:
    wrong = []
    for target in LINK.findall("\n".join(markdown.prose(document))):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = os.path.normpath(os.path.join(os.path.dirname(document), path)) if path else document
        if not (markdown.CHECKOUT / there).exists():
            wrong.append(target)
        elif anchor and anchor not in markdown.anchors(there):
            wrong.append(f"{target}: no such heading")
    assert wrong == []


def test_there_are_links_with_headings() -> None:
    links = [link for document in markdown.DOCUMENTS for link in LINK.findall(markdown.text(document))]
    assert sum("#" in link for link in links) > 3
    assert all(any(f"{name}" in link for link in links) for name in map(os.path.basename, markdown.DOCUMENTS[1:]))


@pytest.mark.parametrize("document", markdown.DOCUMENTS)
def test_files_of_the_project_that_are_named_exist(document: str) -> None:
    wrong = []
    for span in markdown.spans(" ".join(markdown.prose(document))):
        word = span.rstrip("/")
        if re.fullmatch(rf"(?:{'|'.join(FOLDERS)})/[\w./*-]+", word):
            there = list(markdown.CHECKOUT.glob(word)) if "*" in word else FILES.get(os.path.basename(word), ())
            wrong += [] if there and ("*" in word or word in there) else [span]
        elif re.fullmatch(r"\w+\.py", word) and word not in FILES:
            wrong.append(span)
    assert wrong == []


@pytest.mark.parametrize("document", markdown.DOCUMENTS)
def test_tests_that_are_named_exist(document: str) -> None:
    named = {span for span in markdown.spans(markdown.text(document)) if re.fullmatch(r"test_\w+", span)}
    assert named <= functions() | {name.removesuffix(".py") for name in FILES}


def functions() -> set[str]:
    found: set[str] = set()
    for path in (markdown.CHECKOUT / "tests").rglob("test_*.py"):
        found |= set(re.findall(r"^\s*def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE))
    return found


@pytest.mark.parametrize("document", EVERYTHING)
def test_targets_of_make_exist(document: str) -> None:
    makefile = (markdown.CHECKOUT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    text = markdown.text(document)
    lines = [*markdown.spans(text), *re.findall(r"^ *(make .*)", text, re.MULTILINE)]
    named = {line.split()[1] for line in lines if re.match(r"make [a-z]", line)}
    assert named <= targets


def test_the_dependencies_are_what_the_code_imports() -> None:
    rows = markdown.table("docs/architecture.md", "Dependencies", "package").column("package")
    documented = [row.removesuffix(" (extra)") for row in rows]
    imported = set()
    for path in sources.modules():
        for node in sources.nodes(path):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            imported |= {name.partition(".")[0] for name in names}
    imported -= {*sys.stdlib_module_names, *sources.FOLDERS}
    assert sorted(PACKAGES.get(name, name) for name in documented) == sorted(imported)
    project = tomllib.loads((markdown.CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {re.split(r"\W", requirement)[0] for requirement in project["dependencies"]}
    assert {name for name, row in zip(documented, rows, strict=True) if name == row} == required
