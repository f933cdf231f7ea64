"""Judges the site's stores of images: what a container would pass over without a word."""

import os

from actors.staging.filesystem import NETWORK_FILE_SYSTEMS, current_mounts, file_system
from actors.staging.images.store import distrust
from scrun.host import Host

from .finding import SHELL, Finding, ok, warning


def image_stores(host: Host) -> Finding:
    """Can the site's stores of images be trusted, and do the nodes see them?"""
    table = current_mounts()
    found = [(path, distrust(path), file_system(path, table)) for path in host.settings.staging.images]
    return judge_stores(found)


def judge_stores(stores: list[tuple[str, str, str]]) -> Finding:
    """Judge by each store's path, why it is not used (or nothing), and the type of its file system.

    Containers look at it in an engine's user namespace, where root and strangers look alike; here they do not.
    """
    for path, wrong, _ in stores:
        if wrong:
            mend = f"chown root: {path} && chmod go-w {path}" if os.path.isdir(path) else f"install -d -m 755 {path}"
            return warning(wrong, SHELL, mend)
    local = [(path, kind) for path, _, kind in stores if kind not in NETWORK_FILE_SYSTEMS]
    for path, kind in local:
        return warning(f"{path} is on {kind or 'an unknown file system'}; the nodes must see it under the same path")
    return ok(", ".join(path for path, _, _ in stores) or "there is none")
