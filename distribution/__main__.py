"""``python -m distribution DIRECTORY``: write the manual page and the completions, where a prefix has them."""

import os
import sys

from . import bash, fish, manpage, zsh

FILES = {
    "share/man/man1/scrun.1": manpage.page,
    "share/bash-completion/completions/scrun": bash.completion,
    "share/zsh/site-functions/_scrun": zsh.completion,
    "share/fish/vendor_completions.d/scrun.fish": fish.completion,
}


def write(prefix: str) -> None:
    """Write all files below the prefix."""
    for name, make in FILES.items():
        path = f"{prefix}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(make())


if __name__ == "__main__":
    write(sys.argv[1])
