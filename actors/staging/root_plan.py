"""What a container's root file system is staged by, and what it is then."""

from typing import Any, Literal

from actors.oci.id_maps import IdMap
from actors.slurm.oci_conf import OciConf
from proto.life.creation import Creation
from proto.life.events import Trees
from proto.value import Value

from .bundle import Draft

Way = Literal["overlay", "overlays", "tree", "copy", "shared"]
PROGRAMS = "node"
"""Directory of the node's programs in the bundle's content."""


class Root(Value):
    """A root file system that is staged.

    Attributes:
        way: see ``root_file_system``.
        mounts: what config.json needs before all other mounts.
        tops: names of the top directories that overlays lie on.
        skipped: names of what the original has in ``/`` and the container has not.
        complete: whether a copy has all that the original has.
        several_owners: whether the files of the image have several owners.
        trees: how the image's trees got there.

    """

    way: Way
    mounts: tuple[dict[str, Any], ...] = ()
    tops: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    complete: bool = True
    several_owners: bool = False
    trees: Trees = Trees()

    @property
    def programs(self) -> bool:
        """Whether the node's programs are beside it."""
        return self.way in {"overlay", "overlays"}


class RootPlan(Value):
    """What it is staged by.

    Attributes:
        creation: the container.
        draft: the bundle that is being made; its directory is the user of shared trees.
        owners: whether files keep their owners.
        ids: of the container's ids on the node, see ``ids_text``.
        inner: of the container's ids in the engine's namespace; nothing where they are the same.
        mounts: of config.json, those of the root file system apart.
        privileged: whether the container may mount what it likes.
        nodes: of the job, as Slurm writes them; empty if unknown.
        changes: whether its changes are wanted at its end.
        conf: the site's oci.conf.
        points: what hooks mount there, which expect their mount points.
        hooked: whether hooks of the node's write into it, also if the program only reads.

    """

    creation: Creation
    draft: Draft
    owners: bool
    ids: tuple[IdMap, IdMap]
    inner: tuple[IdMap, IdMap]
    mounts: tuple[dict[str, Any], ...]
    privileged: bool
    nodes: str
    changes: bool
    conf: OciConf
    points: tuple[dict[str, Any], ...] = ()
    hooked: bool = False
