"""config.json that is none: one sentence, exit 1, nothing left, and no hang. (More mutations, in process:
``tests/unit/oci/test_mutations.py``.)"""

from __future__ import annotations

import itertools
import json
import random
from typing import TYPE_CHECKING

from tests.slurm.test_errors import ENGINE_WORDS
from tests.unit.oci.mutations import mutated, places, sample

if TYPE_CHECKING:
    import pathlib

    from tests.slurm.runtime import Runtime

GUARD = 20.0
"""Seconds after which a call counts as hung; the machine may be busy."""

# How the config.json (C) is made, by the unprivileged user, and what the sentence says of it.
GARBAGE = {
    "fifo": ("mkfifo C", "is not a regular file"),
    "directory": ("mkdir C", "is not a regular file"),
    "device": ("ln -s /dev/zero C", "is not a regular file"),
    "terminal": ("ln -s /dev/tty C", "config.json"),
    "socket": ("python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"C\")'", "config.json cannot be read"),
    "unreadable": ("echo {} >C; chmod 000 C", "cannot be read"),
    "loop": ("ln -s C C", "its links make a loop"),
    "dangling": ("ln -s nowhere C", "config.json not found"),
    "missing": ("true", "JSON specification file config.json not found"),
    "empty": (": >C", "is not valid JSON"),
    "text": ("echo hello >C", "is not valid JSON"),
    "cut": ('echo \'{"ociVersion": "1.0\' >C', "is not valid JSON"),
    "NaN": ("echo '{\"ociVersion\": NaN}' >C", "NaN is no number"),
    "infinite": ("echo '{\"x\": -Infinity}' >C", "is no number"),
    "noise": ("head -c 100000 /dev/urandom >C", "is not valid JSON"),
    "zeros": ("head -c 100000 /dev/zero >C", "is not valid JSON"),
    "huge": ("head -c 20000000 /dev/zero | tr '\\0' ' ' >C; echo '{}' >>C", "is larger than 16 MiB"),
    "endless": ("truncate -s 1T C", "is larger than 16 MiB"),
    "deep": ("python3 -c \"print('[' * 1000000)\" >C", "is nested too deeply"),
    "deep objects": ("python3 -c \"print('{\\\"a\\\":' * 200 + '1' + '}' * 200)\" >C", "is nested too deeply"),
    "long number": ("python3 -c \"print('{\\\"a\\\":' + '9' * 100000 + '}')\" >C", "is not valid JSON"),
    "list": ("echo '[]' >C", "must be an object"),
    "nothing": ("echo null >C", "must be an object"),
    "bare": ("echo '{}' >C", "is missing in config.json"),
    "UTF-16": ("echo '{}' | iconv -t UTF-16 >C", "is not valid JSON"),
}


def refused(runtime: Runtime, bundle: pathlib.Path) -> str:
    """``create`` refuses it; return the sentence."""
    pid_file = runtime.pid_file("x")
    words = ("create", "--bundle", str(bundle), "--pid-file", str(pid_file), "x")
    sentence = runtime.fails(*words, timeout=GUARD)
    assert not pid_file.exists()
    assert runtime.left("x") == []
    return sentence


def test_garbage(runtime: Runtime) -> None:
    bundle = runtime.bundle()
    for name, (script, words) in GARBAGE.items():
        made = f"cd {bundle} && rm -rf config.json; {script.replace('C', 'config.json')}"
        done = runtime.runner(["/bin/sh", "-c", made])
        assert done.returncode == 0, (name, done.stderr)
        sentence = refused(runtime, bundle)
        assert words in sentence, name
        assert not ENGINE_WORDS.search(sentence), name


def test_a_slice_of_the_mutations(runtime: Runtime) -> None:
    """Types that no property has, at places that differ from run to run; the seed is in the failure."""
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    bundle = runtime.bundle()
    rootfs = runtime.directory / "rootfs"
    for name, place in chance.sample(list(places()), 6):
        config = sample(name, rootfs)
        config["process"]["terminal"] = True  # without a console socket create refuses whatever else is right
        for what, changed in itertools.islice(mutated(config, place), chance.randrange(8), None, 8):
            text = json.dumps(changed)
            assert runtime.runner(["/bin/sh", "-c", f"cat >{bundle}/config.json"], text).returncode == 0
            sentence = refused(runtime, bundle)
            assert sentence, (seed, place, what)
            assert "internal error" not in sentence, (seed, place, what, sentence)
