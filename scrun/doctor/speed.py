"""Judges how fast the staging directory is, by a program that runs here and on the nodes."""

import tempfile

from actors.programs import program
from actors.staging import reach
from scrun.host import Host

from .finding import Finding, ok, warning

SCRIPT = program("staging_speed.sh").decode()
"""Wants a directory as $1, which it leaves as it was; says lines ``NAME=NANOSECONDS``."""
FILES = 200
"""Small files that it writes."""
MEBIBYTES = 16
"""Size of the large one, which it waits for to be on the disk."""
SLOW_FILES = 100
"""Files a second below which an image of 20,000 files, a usual one, takes more than three minutes to be copied."""
SLOW_BYTES = 10
"""Mebibytes a second below which one of 1 GiB takes nearly two."""
SECONDS = 60.0


def staging_speed(host: Host) -> Finding:
    """How fast is the staging directory from here?"""
    directory = host.nearest(reach.place_of(host.settings, host.caller.home))
    with tempfile.TemporaryDirectory(prefix=".scrun-doctor~", dir=directory) as own:
        answer = host.run("/bin/sh", "-c", SCRIPT, "scrun-doctor", own, seconds=SECONDS)
    if answer.status == 124:
        return warning(f"{FILES} small files and one of {MEBIBYTES} MiB take more than {SECONDS:g} s")
    lines = (line.partition("=") for line in answer.text.splitlines())
    return judge_speed({name: value for name, _, value in lines})


def judge_speed(values: dict[str, str]) -> Finding:
    """Judge by the nanoseconds that ``files`` and ``bytes`` took."""
    taken = {name: int(value) for name, value in values.items() if name in {"files", "bytes"} and value.isdigit()}
    if len(taken) < 2:
        return warning("not measured: not all files could be written")
    files = FILES * 1e9 / max(taken["files"], 1)
    mebibytes = MEBIBYTES * 1e9 / max(taken["bytes"], 1)
    said = f"{files:.0f} small files/s, {mebibytes:.0f} MiB/s"
    if files < SLOW_FILES or mebibytes < SLOW_BYTES:
        return warning(
            f"{said}: images take long to be copied", "/etc/scrun/scrun.toml", "[staging]",
            'directory = "/faster/and/shared/by/all/nodes/%u"',
        )  # fmt: skip
    return ok(said)
