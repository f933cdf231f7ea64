"""The guard: the one process that survives SIGKILL of the anchor, and clears up after it.

It is a shell that waits: a forked interpreter would hold 5 MB of pages that it once shared, for the whole life of
the container (measured), a waiting shell holds 0.2. It becomes an interpreter when there is something to do, and
until that is done it holds the container's lock. No text of a user's is in the script: what it needs are arguments.
"""

import os
import sys

# It must outlive what is sent to the anchor's relatives; a signal that ends ``read`` early is not the anchor's death.
_WAIT = 'trap "" HUP INT QUIT USR1 USR2 PIPE TERM; read -r word; exec "$@"'
_CLEAN_UP = (
    "import sys; anchor, journal, *path = sys.argv[3:]; sys.path[:0] = path; "
    "from actors.guard.clean_up import main; main(int(anchor), int(journal))"
)


SHELL = b"/bin/sh"


def words(root: str, container_id: str, anchor: int, journal: int) -> list[bytes]:
    """The words with which a shell is the guard; its descriptor 0 is its end of the socketpair.

    Args:
        root: state directory; for those who look at the list of processes.
        container_id: the container's id; the same.
        anchor: pid of the anchor.
        journal: descriptor of the journal.

    """
    path = [entry for entry in sys.path if os.path.isdir(entry)]
    then = [sys.executable, "-IS", "-c", _CLEAN_UP, root, container_id, str(anchor), str(journal), *path]
    return [os.fsencode(word) for word in ("scrun-guard", "-c", _WAIT, "scrun-guard", *then)]
