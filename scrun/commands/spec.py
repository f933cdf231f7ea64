"""``scrun spec``: a config.json to begin with."""

import json
import os

from actors.oci.example import config
from proto.errors import BundleError, reason
from scrun.cli.parsing import Line


def run(line: Line) -> int:
    """Write the file.

    Raises:
        BundleError: it is there already, or cannot be written.

    """
    path = os.path.join(line.own.text("bundle") or ".", line.own.text("file") or "config.json")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        raise BundleError(f"File {path} exists. Remove it first") from None
    except OSError as error:
        raise BundleError(f"{path} cannot be written: {reason(error)}") from None
    uid, gid = os.getuid(), os.getgid()
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(config(uid, gid, rootless=uid != 0 or line.own.flag("rootless")), indent=2) + "\n")
    return 0
