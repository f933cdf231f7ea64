"""The size of the terminal in a staged config.json.

From 23.11 on slurmstepd leaves ``process.terminal`` on for ``srun --pty``, so the runtime makes a terminal of its
own. That one has no size until the outer one changes (seen with 24.11 and crun 1.21), unless config.json tells one.
"""

import os

from proto.errors import StagingError
from proto.host.terminal import window_size

from .bundle import read_config, write_config


def tell(bundle: str) -> None:
    """Write down the size that the container's terminal has now.

    The engine sets it between ``create`` and ``start``, when the bundle has been staged. A bundle that cannot be
    changed from here stays as it is, and so does one whose terminal has no size.

    Args:
        bundle: absolute path of the staged bundle.

    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rows, columns = window_size(terminal)
    finally:
        os.close(terminal)
    if not rows or not columns:
        return
    try:
        config = read_config(bundle)
        mode = os.stat(f"{bundle}/config.json").st_mode & 0o777
        size = {"height": rows, "width": columns}
        write_config(bundle, {**config, "process": {**config["process"], "consoleSize": size}}, mode)
    except (OSError, StagingError, KeyError):
        return
