"""Finds the root file system of an image that an engine of this host has, for as long as it is needed.

podman mounts an image as it would for a container, so that its layers are named. docker mounts nothing without a
container, so one is made, and not started.
"""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from proto.errors import NotFoundError, StagingError


@contextmanager
def mounted(name: str) -> Iterator[str]:
    """The directory with an image's root file system; a name that is a path is that directory.

    Args:
        name: of an image, or a path that has a slash at its beginning or a point.

    Raises:
        NotFoundError: there is no such directory, and no engine has such an image.
        StagingError: an engine could not mount it.

    """
    if name.startswith(("/", "./", "../")) or name == ".":
        if not os.path.isdir(name):
            raise NotFoundError(f"there is no directory {name}")
        yield os.path.realpath(name)
        return
    for command, opened in (("podman", _by_podman), ("docker", _by_docker)):
        if _run(command, "image", "inspect", "--format", "{{.Id}}", name) is not None:
            with opened(name) as path:
                yield path
            return
    raise NotFoundError(f"neither podman nor docker has an image {name} here; pull it first (a directory: ./{name})")


@contextmanager
def _by_podman(name: str) -> Iterator[str]:
    path = _run("podman", "image", "mount", name)
    if not path:
        raise StagingError(f"podman cannot mount the image {name}; call scrun as root, or by podman unshare")
    try:
        yield path
    finally:
        _run("podman", "image", "unmount", name)


@contextmanager
def _by_docker(name: str) -> Iterator[str]:
    container = f"scrun-image-{secrets.token_hex(6)}"
    if _run("docker", "create", "--name", container, name, "true") is None:
        raise StagingError(f"docker cannot make a container of the image {name}")
    try:
        layers = _run(
            "docker", "inspect", "--format", "{{.GraphDriver.Data.LowerDir}} {{.GraphDriver.Data.MergedDir}}", container
        )
        with _overlay(*(layers or " ").rpartition(" ")[::2]) as path:
            yield path
    finally:
        _run("docker", "rm", "--force", container)


@contextmanager
def _overlay(lowers: str, merged: str) -> Iterator[str]:
    """Mount an image's layers where docker itself would mount its container."""
    below = lowers.partition(":")[2]  # the first one is docker's own, with its mount points
    if not merged.startswith("/") or not below:
        raise StagingError("docker does not tell the layers of the image: its storage driver must be overlay2")
    os.makedirs(merged, 0o700, exist_ok=True)
    # Two directories at least: an empty one is the other, if the image has one layer.
    empty = f"{os.path.dirname(merged)}/empty"
    os.makedirs(empty, 0o700, exist_ok=True)
    if _run("mount", "-t", "overlay", "overlay", "-o", f"ro,lowerdir={below}:{empty}", merged) is None:
        raise StagingError(f"the layers of the image cannot be mounted at {merged}; call scrun as root")
    try:
        yield merged
    finally:
        _run("umount", merged)
        os.rmdir(empty)


def _run(*argv: str) -> str | None:
    """Run a command; its output without the last line feed, or None if it failed or is not there."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
