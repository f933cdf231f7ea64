"""Reads and writes bundles: where they are, who may reach what, and the entry file."""

import json
import os
import stat
from typing import Any

from actors.oci import config_file, config_form
from actors.oci.entry import ENTRY_MODE, ENTRY_NAME, entry_file, entry_path, has_code
from actors.oci.id_maps import IdMap, stands_for
from actors.oci.node_config import environment
from actors.oci.streams import Streams
from actors.staging.tree.copy import remove_tree
from proto.errors import StagingError, reason
from proto.host.paths import above_it
from proto.life.creation import Creation
from proto.life.events import Trees
from proto.value import Value

from .filesystem import current_mounts
from .reach import is_squashed, place_of

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


class Rights(Value):
    """Modes of what is staged.

    Attributes:
        way: of the directories that lead to config.json.
        content: of those that lead to all the rest.
        config: of config.json itself.

    """

    way: int = 0o700
    content: int = 0o700
    config: int = 0o600

    @property
    def split(self) -> bool:
        """Whether more people reach config.json than the rest, which then is in a directory of its own."""
        return self.config != 0o600


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


def write_file(path: str, content: bytes, mode: int) -> None:
    """Write a file under another name and rename it."""
    temporary = f"{path}.new"
    with open(temporary, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
        os.fchmod(file.fileno(), mode)
    os.replace(temporary, path)


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


def staging_directory(creation: Creation) -> str:
    """The directory for staged containers, made if it is not there.

    Raises:
        StagingError: it cannot be made, or belongs to another user.

    """
    path = place_of(creation.settings, creation.caller.home)
    mask = os.umask(0o066)  # for the directories above it: what is in them says itself who may enter
    try:
        os.makedirs(path, 0o700, exist_ok=True)
        status = os.stat(path)
    except OSError as error:
        raise StagingError(f"cannot make the staging directory {path}: {reason(error)}") from None
    finally:
        os.umask(mask)
    if status.st_uid != os.geteuid():
        raise StagingError(
            f"the staging directory {path} belongs to somebody else; directory of [staging] in scrun.toml may have %u, "
            "the user's name, in it"
        )
    if status.st_mode & 0o002:
        raise StagingError(f"anybody may write into the staging directory {path}; take that right away (chmod o-w)")
    return path


def rights_of(creation: Creation, uid_map: IdMap) -> Rights:
    """Who may reach what is staged.

    It is the user's alone, but for two cases. If the user's own id is none of the container's (root's container in a
    user namespace, ``nomap``), what the node's runtime does inside that namespace counts as another user's doing:
    such a user may go through, and still not look around. And where root is the user nobody (``reach``), that user has
    to be able to read config.json.

    Raises:
        StagingError: the container's ids could not get as far as the staging directory.

    """
    path = staging_directory(creation)
    wish = creation.settings.staging.root_squash
    squashed = creation.settings.scrun.scheduler != "local" and is_squashed(path, current_mounts(), wish)
    strange = bool(uid_map) and not stands_for(uid_map, creation.caller.uid)
    if strange:
        for above in above_it(path):
            if not os.stat(above).st_mode & stat.S_IXOTH:
                raise StagingError(
                    f"{above} cannot be entered by the ids of the container's user namespace, of which "
                    f"{creation.caller.user} is none; set directory of [staging] in scrun.toml to a place below open "
                    "directories (mode 0711)"
                )
    rights = Rights(
        way=0o711 if squashed or strange else 0o700,
        content=0o711 if strange else 0o700,
        config=0o644 if squashed else 0o600,
    )
    open_to(path, rights.way & 0o077)
    return rights


def make_content(bundle: str, rights: Rights) -> str:
    """The directory in a bundle for all but config.json: the bundle itself, or one that is made."""
    if not rights.split:
        return bundle
    make_directory(f"{bundle}/{PRIVATE}", rights.content)
    return f"{bundle}/{PRIVATE}"


def content_of(bundle: str) -> str:
    """The same directory, of a bundle that is there."""
    return f"{bundle}/{PRIVATE}" if os.path.isdir(f"{bundle}/{PRIVATE}") else bundle


def make_directory(path: str, mode: int) -> None:
    """Make a directory with this mode, whatever the caller's umask."""
    os.mkdir(path, 0o700)
    open_to(path, mode)


def open_to(path: str, mode: int) -> None:
    """Add rights to a directory that is there; none is taken away."""
    has = stat.S_IMODE(os.stat(path).st_mode)
    if mode & ~has:
        os.chmod(path, has | mode)


def container_directory(creation: Creation) -> str:
    """Where this container is staged.

    An id is unique in one state directory only; the staging directory serves all of a user's, on all login hosts.
    """
    return os.path.join(staging_directory(creation), _name(creation))


def _name(creation: Creation) -> str:
    return f"{creation.id}~{creation.cookie}"  # no id has a tilde in it


def staged_with(place: str, cookie: str) -> list[str]:
    """Paths of what is staged, or half staged, for the container with this cookie."""
    names = os.listdir(place) if os.path.isdir(place) else []
    return [os.path.join(place, name) for name in names if cookie in name.split("~")[1:]]


def new_directory(creation: Creation, mode: int) -> str:
    """Make the directory in which a container is staged until it is complete.

    Each attempt has its own: a ``cp`` of one that was killed may still be writing.
    """
    path = os.path.join(staging_directory(creation), f".new~{_name(creation)}~{os.urandom(4).hex()}")
    make_directory(path, mode)
    return path


def discard(creation: Creation) -> None:
    """Remove the staged container, and what earlier attempts have left.

    Raises:
        StagingError: something could not be removed.

    """
    staging = staging_directory(creation)
    gone = os.path.join(staging, f".gone~{_name(creation)}~{os.urandom(4).hex()}")
    left = (f".gone~{_name(creation)}~", f".new~{_name(creation)}~")
    try:
        try:
            os.rename(os.path.join(staging, _name(creation)), gone)
        except FileNotFoundError:
            pass
        names = [name for name in os.listdir(staging) if name.startswith(left)]
    except OSError as error:
        raise StagingError(f"cannot clear up the staging directory {staging}: {reason(error)}") from None
    for name in names:
        remove_tree(os.path.join(staging, name))
