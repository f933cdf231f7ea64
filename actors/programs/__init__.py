"""Programs in other languages that scrun carries along: shell for the nodes, Lua for scrun.lua. Read when imported.

They are files, so that ``make check`` reads them with shellcheck and a compiler. None runs from here: the text goes to
a node in a command line, or into a Lua runtime.
"""

import os


def program(name: str) -> bytes:
    """The text of a file of this folder; comments of a shell's program stay at home."""
    with open(f"{os.path.dirname(__file__)}/{name}", "rb") as file:
        lines = file.readlines()
    if name.endswith(".sh"):
        lines = [line for line in lines if not line.lstrip().startswith(b"#")]
    return b"".join(lines)
