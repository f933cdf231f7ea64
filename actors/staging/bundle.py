"""Reads and writes bundles: what is where in one, config.json, and the entry file."""

import json
import os
from typing import Any

from actors.oci import config_file, config_form
from actors.oci.entry import ENTRY_MODE, ENTRY_NAME, entry_file, entry_path, has_code
from actors.oci.node_config import environment
from actors.oci.streams import Streams
from proto.errors import StagingError, reason
from proto.life.creation import Creation
from proto.life.events import Trees
from proto.value import Value

from .directory import Rights
from .files import make_directory, write_file

Config = dict[str, Any]
PRIVATE = "private"
"""Directory in a bundle with an open way to it: what is not for everybody."""


class Staged(Value):
    """What the step is launched with.

    Attributes:
        bundle: for ``srun --container``.
        rootfs: the root file system's path, as stage-out gets it.
        entry: whether the bundle has the entry file; without it the program has to be launched by its own name.
        notice: what of the image could not be kept; one sentence, or nothing.
        programs: directory of what runs on the node before and after the container, or nothing.
        trees: how the image got there.

    """

    bundle: str
    rootfs: str
    entry: bool
    notice: str = ""
    programs: str = ""
    trees: Trees = Trees()


def read_config(bundle: str) -> Config:
    """Read a bundle's config.json, which a script may have changed since it was checked.

    Raises:
        StagingError: it is not there, or has not the form of one.

    """
    path = os.path.join(bundle, "config.json")
    try:
        config = config_file.read(path)
    except OSError as error:
        raise StagingError(f"cannot read {path}: {reason(error)}") from None
    except ValueError as error:
        raise StagingError(f"{path} is not JSON: {error}") from None
    if wrong := config_form.fault(config):
        raise StagingError(f"{wrong} ({path})")
    checked: Config = config_form.without_nulls(config)
    return checked


class Draft(Value):
    """A bundle that is being made.

    Attributes:
        work: its directory.
        content: directory in it for all but config.json.
        home: where ``work`` will be.
        rights: who may reach it.

    """

    work: str
    content: str
    home: str
    rights: Rights

    @property
    def final(self) -> str:
        """Where ``content`` will be."""
        return self.home + self.content.removeprefix(self.work)

    @property
    def root(self) -> str:
        """Where the directory will be that the runtime knows as the root."""
        return f"{self.home}/rootfs"


def write_config(bundle: str, config: Config, mode: int = 0o600) -> None:
    """Write a bundle's config.json, whole or not at all."""
    text = json.dumps(config, ensure_ascii=False, separators=(",", ":"))
    write_file(os.path.join(bundle, "config.json"), text.encode("utf-8", "surrogateescape"), mode)


def wants_entry(creation: Creation) -> bool:
    """Whether the program is entered through an entry file.

    The scheduler ``local`` has no node that could be without a runtime, and leaves the command to config.json.
    """
    return creation.settings.scrun.entry and creation.settings.scrun.scheduler != "local"


def entry_of(creation: Creation) -> str:
    """Path of the entry file in the container, or nothing if there is none."""
    if not wants_entry(creation) or not has_code(os.uname().machine):
        return ""
    return entry_path(creation.cookie, creation.entry_directory)


def write_entry(directory: str, config: Config, streams: Streams | None, *, null_input: bool) -> None:
    """Put the entry file, with the container's variables in it, into a directory.

    If config.json has none, an entry file that is there already has them: this is done again.
    """
    path = os.path.join(directory, ENTRY_NAME)
    variables = environment(config)
    if variables or not os.path.exists(path):
        pipe, stdin = streams.pipe if streams else "", os.devnull if null_input else ""
        waits = bool(streams and streams.terminal)
        content = entry_file(os.uname().machine, variables, pipe, stdin, waits=waits)
        write_file(path, content, ENTRY_MODE)


def make_content(bundle: str, rights: Rights) -> str:
    """The directory in a bundle for all but config.json: the bundle itself, or one that is made."""
    if not rights.split:
        return bundle
    make_directory(f"{bundle}/{PRIVATE}", rights.content)
    return f"{bundle}/{PRIVATE}"


def content_of(bundle: str) -> str:
    """The same directory, of a bundle that is there."""
    return f"{bundle}/{PRIVATE}" if os.path.isdir(f"{bundle}/{PRIVATE}") else bundle
