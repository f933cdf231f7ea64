"""Where scrun is: itself, and the third-party packages for the verbs that need them (msgpack, zmq, pykka …).

The interpreter runs without ``site``, so that no package's ``.pth`` file taxes every call of the runtime.
"""

import os
import sys

PROGRAM = (sys.executable, "-IS", f"{os.path.dirname(os.path.abspath(__file__))}/__main__.py")
"""What the launcher becomes, for those who call scrun's own verbs."""


def directories() -> list[str]:
    """Where third-party packages are.

    Installed, the root is ``site-packages/_scrun`` and the packages are beside it; in a checkout they are in
    its ``.venv``.
    """
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if os.path.basename(root) == "_scrun":
        return [os.path.dirname(root)]
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return [f"{root}/.venv/lib/{version}/site-packages"]


def use_packages() -> None:
    """Append those directories to ``sys.path``."""
    for directory in directories():
        if directory not in sys.path and os.path.isdir(directory):
            sys.path.append(directory)
