"""scrun with odd actors, for tests: ``python -IS odd_actors.py ROOT/scrun/__main__.py ODDITY … -- ARGS``.

An oddity is the name of an actor that is broken from its birth, or ``hasty``: whoever dies is replaced at once.
"""

import os
import runpy
import sys
from typing import NoReturn

BROKEN = "odd_actors"
"""Name of this module for the anchor, which finds an actor's body by the name of its module."""


def main(begin: object, channel: int) -> NoReturn:
    """Body of a broken actor."""
    raise LookupError("cannot work here")


def run(program: str, oddities: list[str], arguments: list[str]) -> None:
    """Run scrun; the anchor is forked from this process, and the actors are forked from the anchor."""
    sys.path.insert(0, os.path.dirname(os.path.dirname(program)))
    from actors.process import supervision
    from proto.value import replace

    sys.modules[BROKEN] = sys.modules[__name__]
    if "hasty" in oddities:
        supervision.BACK_OFF = (0.0, 0.0, 0.0, 0.0, 0.0)
    supervision.TABLE = tuple(replace(s, main=BROKEN) if s.name in oddities else s for s in supervision.TABLE)
    sys.argv = [program, *arguments]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    words = sys.argv[2:]
    end = words.index("--")
    run(sys.argv[1], words[:end], words[end + 1 :])
