"""Runs programs on real overlays, in a mount namespace of its own, and brings their changes into the tree below.

A line of JSON comes in for each: where, how the overlay is mounted, what the tree below is made by, and the program.
One goes out: how often each kind of operation was done, and what is different in the end.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from actors.staging.tree.changes import apply_changes
from actors.staging.tree.mirror import mirror
from proto.errors import StagingError
from tests.process.staging.tree_programs import BEGINNING, FACTS, describe, run

if TYPE_CHECKING:
    from collections.abc import Iterable

TAR = ("tar", "--format=posix", "--xattrs", "--xattrs-include=*", "--sparse", "--numeric-owner")


def archive_of(upper: str, archive: str) -> None:
    subprocess.run(
        [*TAR, "-cf", archive, "-C", upper, "."], check=True, env={"PATH": os.environ["PATH"], "LC_ALL": "C"}
    )


def apart(place: str, options: str, before: Iterable[Any], program: Iterable[Any], cut: int) -> tuple[Any, list[str]]:
    lower, upper, work, merged, tree = (f"{place}/{name}" for name in ("lower", "upper", "work", "merged", "tree"))
    for directory in (lower, merged):
        os.mkdir(directory)
    if "tmpfs" in options:
        os.mkdir(f"{place}/memory")
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{place}/memory"], check=True)
        upper, work = f"{place}/memory/upper", f"{place}/memory/work"
    os.mkdir(upper)
    os.mkdir(work)
    reached: Counter[str] = Counter()
    run(lower, [*BEGINNING, *without_sockets(before)], Counter())
    subprocess.run(["cp", "-a", lower, tree], check=True)
    words = f"lowerdir={lower},upperdir={upper},workdir={work}{options.removesuffix(' tmpfs')}"
    mount = ["mount", "-t", "overlay", "overlay", "-o", words, merged]
    subprocess.run(mount, check=True)
    try:
        run(merged, without_sockets(program), reached)
        # Mounted anew: a link or a pipe that was copied up has no room for the mark that tells its old number, so two
        # names of one inode have two numbers as long as the kernel remembers the old one.
        subprocess.run(["umount", merged], check=True)
        subprocess.run(mount, check=True)
        wanted = describe(merged)
        archive_of(upper, f"{place}/tar")
    finally:
        subprocess.run(["umount", merged], check=True)
        if "tmpfs" in options:
            subprocess.run(["umount", f"{place}/memory"], check=True)
    return reached, judged(f"{place}/tar", tree, wanted, cut)


def into_an_overlay(place: str, options: str, before: Iterable[Any], program: Iterable[Any]) -> tuple[Any, list[str]]:
    """The original is an engine's overlay, as podman's and docker's are, and the program has had a copy of it."""
    lower, upper, work, merged, copy = (f"{place}/{name}" for name in ("lower", "upper", "work", "merged", "copy"))
    for directory in (lower, upper, work, merged):
        os.mkdir(directory)
    reached: Counter[str] = Counter()
    run(lower, [*BEGINNING, *before], Counter())
    mount = ["mount", "-t", "overlay", "overlay", "-o"]
    mount += [f"lowerdir={lower},upperdir={upper},workdir={work}{options}", merged]
    subprocess.run(mount, check=True)
    try:
        subprocess.run(["cp", "-a", merged, copy], check=True)
        run(copy, list(program), reached)
        found = []
        for _ in "once", "again":
            count = mirror(copy, merged, frozenset())
            found += [word for word in (count.failure, count.refusal) if word]
        subprocess.run(["umount", merged], check=True)
        subprocess.run(mount, check=True)
        found += different(without_holes(describe(merged)), without_holes(describe(copy)))
    finally:
        subprocess.run(["umount", merged], check=True)
    return reached, found


def without_holes(tree: dict[str, Any]) -> dict[str, Any]:
    """The kernel copies up whole MiB where it finds data, though only an attribute was set."""
    return {
        path: (*facts[:5], (facts[5][0], facts[5][2]), *facts[6:]) if stat.S_ISREG(facts[0]) else facts
        for path, facts in tree.items()
    }


def without_sockets(program: Iterable[Any]) -> list[Any]:
    """A socket is in no tar: where a file was replaced by one, the file stays."""
    return [operation for operation in program if operation[0] != "socket"]


def judged(archive: str, tree: str, wanted: dict[str, Any], cut: int) -> list[str]:
    with open(archive, "rb") as file, open(f"{archive}.cut", "wb") as half:
        half.write(file.read()[: cut % (os.path.getsize(archive) - 10240 + 512)])
    found = []
    before = describe(tree)
    try:
        apply_changes(f"{archive}.cut", tree, frozenset())
        found.append("half an archive was taken for a whole one")
    except StagingError:
        found += different(describe(tree), before)
    for _ in "once", "again":
        count = apply_changes(archive, tree, frozenset())
        found += different(describe(tree), wanted)
        found += [word for word in (count.failure, count.refusal) if word]
    return found


def different(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [
        f"{path!r}: {one.get(path)} != {other.get(path)}"
        for path in sorted(one.keys() | other.keys())
        if as_in_a_tar(one.get(path)) != as_in_a_tar(other.get(path))
    ]


def as_in_a_tar(facts: Any) -> Any:
    """Without other names of device nodes and pipes: GNU tar makes a new one of each name."""
    return facts[:FACTS] if facts and facts[0] in {stat.S_IFCHR, stat.S_IFIFO} else facts


def main() -> None:
    for line in sys.stdin:
        what, *words = json.loads(line)
        reached, found = (apart if what == "apart" else into_an_overlay)(*words)
        print(json.dumps([reached, found]), flush=True)


if __name__ == "__main__":
    main()
