"""The staging directory and a container's place in it: what it is called, who may reach it, and how it goes."""

import os
import stat

from actors.oci.id_maps import IdMap, stands_for
from actors.staging.tree.copy import remove_tree
from proto.errors import StagingError, reason
from proto.host.paths import above_it
from proto.life.creation import Creation
from proto.value import Value

from .files import make_directory, open_to
from .filesystem import current_mounts
from .reach import is_squashed, place_of


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
