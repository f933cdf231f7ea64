"""docs/install.md as a program: its numbered sections and their fenced blocks."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALL = pathlib.Path(__file__).resolve().parents[2] / "docs/install.md"

_HEADING = re.compile(r"## (?:(\d+)\. )?(.*)")
_FENCE = re.compile(r"\s*```(\w*)")
_PATH = re.compile(r"`(/[^`\s]+)`")


@dataclasses.dataclass(frozen=True)
class Block:
    """What stands between two fences."""

    language: str
    text: str


@dataclasses.dataclass
class Section:
    """A section such as ``## 3. containers.conf, on the login hosts``."""

    title: str
    blocks: list[Block] = dataclasses.field(default_factory=list)
    paths: list[str] = dataclasses.field(default_factory=list)

    def texts(self, language: str) -> list[str]:
        """The blocks in that language, in their order."""
        return [block.text for block in self.blocks if block.language == language]

    @property
    def file(self) -> str:
        """The file that the section is about: the first absolute path in its prose."""
        return self.paths[0]


def read(text: str) -> dict[int, Section]:
    """The numbered sections.

    Raises:
        ValueError: a fence is never closed.
    """
    sections: dict[int, Section] = {}
    section = Section("")  # what stands outside numbered sections is read and thrown away
    lines = iter(text.splitlines())
    for line in lines:
        if heading := _HEADING.fullmatch(line):
            section = Section(heading[2])
            if heading[1]:
                sections[int(heading[1])] = section
        elif fence := _FENCE.match(line):
            section.blocks.append(Block(fence[1], _until_fence(lines, section.title)))
        else:
            section.paths += _PATH.findall(line)
    return sections


def _until_fence(lines: Iterator[str], title: str) -> str:
    inside: list[str] = []
    for line in lines:
        if _FENCE.fullmatch(line):
            return "".join(each + "\n" for each in inside)
        inside.append(line)
    raise ValueError(f"a block in the section “{title}” is never closed")
