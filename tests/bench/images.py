"""Figure 6: ``podman run`` of large images, against a small one and against runc on this host; builds on them."""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING, NamedTuple

from .rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bench import Bench

NAME = "images"
STARTS = 20
MINUTES = 300.0
"""Seconds that one command may take: an image has to be made, and the first container of it copies it."""
STEPS = 10
NOTE = "warm: the image was used before; made of random bytes, in podman's overlay storage"


class Shape(NamedTuple):
    """An image to be made: files of equal size, 100 in a directory, beside a busybox."""

    name: str
    files: int
    size: int


SMALL = Shape("2 MB", 0, 0)
SHAPES = (SMALL, Shape("700 MB in 15,000 files", 15_000, 47_000), Shape("450 MB in 150,000 files", 150_000, 3_000))
QUICK = (SMALL, Shape("5 MB in 100 files", 100, 47_000))


def measure(bench: Bench) -> Iterator[Row]:
    """Each image in turn: cold, then warm in three ways."""
    shapes = QUICK if bench.quick else SHAPES
    images = {shape: _image(bench, shape) for shape in shapes}
    try:
        yield from _starts(bench, images)
        yield from _builds(bench, images)
    finally:
        for image in images.values():
            bench.run("podman", "rmi", "--force", image, limit=MINUTES)


def _starts(bench: Bench, images: dict[Shape, str]) -> Iterator[Row]:
    ways = {
        "writable": ("podman", "run", "--rm"),
        "read-only": ("podman", "run", "--rm", "--read-only"),
        "runc here": ("podman", "--runtime", "runc", "run", "--rm"),
    }
    took: dict[tuple[Shape, str], list[float]] = {(shape, way): [] for shape in images for way in ways}
    cold = {shape: _start(bench, ways["writable"], image) for shape, image in images.items()}
    for _ in range(bench.times(STARTS, 2)):
        for shape, image in images.items():
            for way, words in ways.items():
                took[shape, way].append(_start(bench, words, image))
    small = cold[SMALL]
    for shape in images:
        if shape is not SMALL:
            yield Row(NAME, f"{shape.name}: first start", "ms", (cold[shape],), "2 MB", (small,))
        for way in ways:
            base = () if shape is SMALL else tuple(took[SMALL, way])
            aim = "<= 1.2" if base and way != "runc here" else ""
            values = tuple(took[shape, way])
            yield Row(NAME, f"{shape.name}: {way}", "ms", values, "2 MB" if base else "", base, aim, NOTE)


def _builds(bench: Bench, images: dict[Shape, str]) -> Iterator[Row]:
    """Ten RUN steps over each image but the last, which only has more files."""
    took = {}
    for shape, image in list(images.items())[:2]:
        lines = [f"FROM {image}", *(f"RUN echo {number} >/step" for number in range(STEPS))]
        directory = bench.directory / f"build-{image.rpartition('-')[2]}"
        directory.mkdir()
        (directory / "Containerfile").write_text("\n".join(lines))
        words = ("podman", "build", "--quiet", "--no-cache", "--tag", f"{image}-built", str(directory))
        took[shape] = bench.good(*words, limit=MINUTES).milliseconds
        bench.run("podman", "rmi", "--force", f"{image}-built", limit=MINUTES)
    small, large = took
    yield Row(NAME, f"{STEPS} RUN steps over {large.name}", "ms", (took[large],), "2 MB", (took[small],), "<= 1.5")


def _start(bench: Bench, words: tuple[str, ...], image: str) -> float:
    return bench.good(*words, image, "true", limit=MINUTES).milliseconds


def _image(bench: Bench, shape: Shape) -> str:
    """Make it; return its name."""
    name = f"localhost/bench-{os.getpid()}-{shape.files}"
    archive = bench.directory / "image.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(bench.directory / "rootfs", "")
        for number in range(shape.files):
            info = tarfile.TarInfo(f"data/{number // 100}/{number}")
            info.size, info.mtime = shape.size, 1_000_000
            tar.addfile(info, io.BytesIO(os.urandom(shape.size)))
    bench.good("podman", "import", "--quiet", str(archive), name, limit=MINUTES)
    archive.unlink()
    return name
