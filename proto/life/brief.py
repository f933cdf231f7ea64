"""A container's journal for the verb that cannot afford the classes of what it says: ``exec``.

The life cycle of ``proto.life.lifecycle`` needs ``typing``, msgpack and forty classes, which takes three times as long
as an interpreter that does nothing.
"""

from proto.errors import InternalError, ProtocolError
from proto.value import Value
from proto.wire.msgpack_subset import unpack

from .frames import RECORD_LIMIT, contents, payloads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Brief(Value):
    """What whoever adds a program to a container has to know of it; see ``Creation`` and ``Container``.

    Attributes:
        environ, cookie, id, root, rootfs, slurm: of the creation.
        uid, gid, namespaced: its caller.
        scheduler, slurm_conf, runtime: its settings.
        clusters, het_group: the job options, or empty.
        job_id, nodes, bundle: of job and step; the bundle is the nodes'.
        step: ``running``, ``ended``, or ``none`` as long as it has not begun.

    """

    environ: tuple[bytes, ...]
    cookie: str
    id: str
    root: str
    rootfs: str
    uid: int
    gid: int
    namespaced: bool
    scheduler: str
    slurm_conf: str
    runtime: str
    clusters: str = ""
    het_group: str = ""
    slurm: tuple[int, int] = (0, 0)
    job_id: int = 0
    nodes: str = ""
    bundle: str = ""
    step: str = "none"


def read(path: str, container_id: str) -> Brief:
    """Read a journal.

    Raises:
        InternalError: it says nothing of use.

    """
    facts: dict[str, Any] = {}
    try:
        for _, payload in payloads(contents(path)):
            record: Any = unpack(payload, RECORD_LIMIT)
            facts[record[1]] = record[2]
        return _brief(facts)
    except (KeyError, TypeError, ValueError, ProtocolError) as error:
        raise InternalError(f"the journal of container {container_id} cannot be read: {error!r}") from None


def _brief(facts: "dict[str, Any]") -> Brief:
    """By the last event of each kind, of which the journal has none twice that matters here."""
    creation = facts["created-by"]["creation"]
    granted, staged, started = (facts.get(word, {}) for word in ("job-granted", "staged-in", "step-started"))
    settings, caller = creation["settings"], creation["caller"]
    return Brief(
        environ=tuple(creation["environ"]),
        **{name: creation[name] for name in ("cookie", "id", "root", "rootfs")},
        **{name: caller[name] for name in ("uid", "gid", "namespaced")},
        **{name: settings["scrun"][name] for name in ("scheduler", "slurm_conf", "runtime")},
        clusters=settings["job"].get("clusters", ""),
        het_group=settings["job"].get("het-group", ""),
        slurm=tuple(creation.get("slurm", (0, 0))),
        job_id=granted.get("job_id", 0),
        nodes=started.get("nodes") or granted.get("nodes", ""),
        bundle=staged.get("bundle", ""),
        step="ended" if "step-ended" in facts else "running" if "step-started" in facts else "none",
    )
