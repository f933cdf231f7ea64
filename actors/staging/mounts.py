"""Brings sources of bind mounts that only this host has to the nodes, and what the program changes there back.

A copy is ``CONTENT/mounts/INDEX``; which of them come back, and what they were like when the program began, is in
``BUNDLE/mounts.json``.
"""

import json
import os
import re
from collections.abc import Iterable
from typing import Any

from actors.oci.bind_source import is_below
from actors.oci.copies import Copy
from proto.errors import StagingError

from . import record
from .commands import Commands, Result
from .files import make_directory, write_file
from .loglevel import Level, Log

RECORDS = "mounts.json"
_ENVIRON = {b"PATH": b"/usr/local/bin:/usr/bin:/bin", b"LC_ALL": b"C"}
_FATAL = re.compile(rb"(No space left on device|Disk quota exceeded|Input/output error|Read-only file system)$")


def stage(bundle: str, content: str, copies: Iterable[Copy], run: Commands, log: Log, *, owners: bool) -> None:
    """Copy the sources, and take down what has to come back.

    Args:
        bundle: the bundle that is being made.
        content: the directory in it (or itself) for all but config.json.
        copies: what to copy.
        run: runs ``cp``.
        log: told what could not be copied.
        owners: whether files keep their owners.

    Raises:
        StagingError: a source is not there any more, or there is no room.

    """
    make_directory(f"{content}/mounts", 0o755)
    taken: list[dict[str, Any]] = []
    for copy in copies:
        source = os.path.realpath(copy.source)
        if is_below(content, source):
            raise StagingError(f"{copy.source} cannot be copied for the nodes: the staging directory is in it")
        target = f"{content}/mounts/{copy.index}"
        for each in (*reversed(copy.below), source):
            _copy(each, target, run, log, owners=owners, whole=not copy.returns)
        if copy.returns:
            status = os.stat(source)
            path = target.removeprefix(f"{bundle}/")
            taken.append(
                {"source": source, "copy": path, "file": status.st_ino, "device": status.st_dev, "owners": owners}
                | {"record": record.take(target)}
            )
    if taken:
        write_file(f"{bundle}/{RECORDS}", json.dumps(taken).encode(), 0o600)


def _copy(source: str, target: str, run: Commands, log: Log, *, owners: bool, whole: bool) -> None:
    """Copy a file, or a directory into what is there of it; what cannot be copied of the latter is left out.

    What is mounted in a directory comes along only if it is ``whole``: what comes back belongs to one file system.
    """
    directory = os.path.isdir(source)
    what = ["-a"] if owners else ["-dR", "--preserve=mode,timestamps,links"]
    bound = [] if whole else ["--one-file-system"]
    words = ["cp", "--reflink=auto", *what, *bound, "-T", "--", source, target]
    result = run.run([os.fsencode(word) for word in words], _ENVIRON)
    if result.status == 0:
        return
    lines = [line for line in result.output.splitlines() if line]
    fatal = [line for line in lines if _FATAL.search(line)]
    if fatal or not directory or not os.path.isdir(target):
        why = (fatal or lines or [b"status %d" % result.status])[0]
        raise StagingError(f"copying {source} failed: {_words(why)}")
    log(Level.INFO, f"not all of {source} can go to a node: {len(lines)} notices, the first: {_words(lines[0])}")
    log(Level.DEBUG, Result(result.status, result.output[:20000]).text)


def _words(line: bytes) -> str:
    return line.removeprefix(b"cp: ").decode(errors="backslashreplace")


def bring_back(bundle: str, log: Log) -> str:
    """Bring back what the program has changed; return what could not be done, or nothing.

    Args:
        bundle: the staged bundle.
        log: told what was brought back.

    """
    try:
        with open(f"{bundle}/{RECORDS}", encoding="ascii") as file:
            taken = json.load(file)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        return f"what the program changed in mounted directories cannot be found: {error}"
    from .returning import bring  # what it imports takes time, and is needed only here

    failures = []
    for each in taken:
        copy = f"{bundle}/{each['copy']}"
        if why := bring(each, copy, log):
            failures.append(f"changes could not be brought back to {each['source']}: {why}{_kept(bundle, copy)}")
    return "; ".join(failures)


def _kept(bundle: str, copy: str) -> str:
    """Put a copy aside whose changes have no other place, and say where; the bundle is about to be removed."""
    place, name = os.path.split(bundle)
    path = f"{place}/kept-{name.replace('~', '-')}-{os.path.basename(copy)}"
    try:
        os.rename(copy, path)
    except OSError:
        return ""
    return f"; all that the program left there is in {path}"
