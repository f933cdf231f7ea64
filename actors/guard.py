"""The guard: the one process that survives SIGKILL of the anchor, and clears up after it.

It is a shell that waits: a forked interpreter would hold 5 MB of pages that it once shared, for the whole life of
the container (measured), a waiting shell holds 0.2. It becomes an interpreter when there is something to do, and
until that is done it holds the container's lock. No text of a user's is in the script: what it needs are arguments.
"""

import os
import sys

_WAIT = 'read -r word; exec "$@"'
# A signal that ends ``read`` early must not be taken for the anchor's death; the guard ignores them all.
_CLEAN_UP = (
    "import sys; root, id_, anchor, *path = sys.argv[1:]; sys.path[:0] = path; "
    "from actors.clean_up import main; main(root, id_, int(anchor))"
)


def become(root: str, container_id: str, anchor: int) -> None:
    """Turn this process, whose descriptor 0 is the guard's end of the socketpair, into the guard.

    Args:
        root: state directory.
        container_id: the container's id.
        anchor: pid of the anchor.

    """
    path = [entry for entry in sys.path if os.path.isdir(entry)]
    then = [sys.executable, "-IS", "-c", _CLEAN_UP, root, container_id, str(anchor), *path]
    os.execv("/bin/sh", ["scrun-guard", "-c", _WAIT, "scrun-guard", *then])
