"""config.json with one thing wrong: every property of every sample, in turn replaced by everything that it is not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))
Place = tuple[str | int, ...]
# (A bool is an int and a float none; the last four are texts that are no file name, no UTF-8, no number, no end.)
WRONG: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 1 << 70, "", "x", [], {}, [None], [1], [[]], [{}], {"a": 1}, {"": {}}, {"x": []},
    "a\0b", "\ud800", "9" * 400, "/" * 5000,
)  # fmt: skip


def places() -> Iterator[tuple[str, Place]]:
    """Sample and place of every property, once for all that look alike (two mounts, two samples)."""
    seen: set[Place] = set()
    for path in SAMPLES:
        for place in _places(json.loads(path.read_text()), ()):
            shape = tuple("*" if isinstance(key, int) else key for key in place)
            if shape not in seen:
                seen.add(shape)
                yield path.stem, place


def _places(value: Any, place: Place) -> Iterator[Place]:
    if place:
        yield place
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, (*place, index))


def sample(name: str, rootfs: Path) -> dict[str, Any]:
    """A sample that would run: with a root file system and a program that are there."""
    config: dict[str, Any] = json.loads((SAMPLES[0].parent / f"{name}.json").read_text())
    config["root"]["path"] = str(rootfs)
    program = rootfs / config["process"]["args"][0].lstrip("/")
    if not program.exists():
        program = rootfs / "bin" / program.name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch(0o755)
    return config


def mutated(config: dict[str, Any], place: Place) -> Iterator[tuple[str, dict[str, Any]]]:
    """The config without the property, and with each wrong value in its place."""
    for index in range(-1, len(WRONG)):
        changed = copy.deepcopy(config)
        holder: Any = changed
        for key in place[:-1]:
            holder = holder[key]
        if index < 0:
            del holder[place[-1]]
        else:
            holder[place[-1]] = copy.deepcopy(WRONG[index])
        yield "nothing" if index < 0 else repr(WRONG[index])[:20], changed
