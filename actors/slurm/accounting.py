"""A container in Slurm's books: the name and the comment of its job, which lead from the one to the other and back.

The comment is a line of words, and what the user has asked for as a comment behind them::

    scrun:COOKIE scrun-at:PLACE scrun-host:HOST scrun-id:ID scrun-name:NAME scrun-image:IMAGE

It is the comment because every release has that field, each user may write it, and slurmdbd keeps it where it is told
to (slurm.conf(5): ``AccountingStoreFlags=job_comment``). ``--extra`` (since 23.02) can choose nodes
(``SchedulerParameters=extra_constraints``), and the comment of the administrators is theirs alone.

slurmctld takes 1024 bytes of a comment and of a name, 22.05 at least, and slurmdbd keeps 255 of a name.
"""

import os
import re

from proto.errors import SettingsError
from proto.life.creation import Creation

from . import origin

COOKIE = "scrun:"
"""What the comment begins with; scrun finds its job by it again."""
MARKS = (COOKIE, "scrun-")
"""How words begin that are scrun's own."""
COMMENT_LIMIT = 200
"""Bytes of the user's own comment: with all that scrun says of the longest names it is below 1024."""
NAME_LIMIT = 64
HOST_LIMIT = 64
IMAGE_LIMIT = 256
DEFAULT_NAME = "scrun"
_NOT_PLAIN = re.compile(r"[^\w.:/@+-]", re.ASCII)
_ENGINES_ID = re.compile(r"[0-9a-f]{64}")
"""An id that no person has chosen: containers of podman, docker, containerd and cri-o have such."""


def comment(creation: Creation) -> str:
    """The job's comment."""
    said = {
        COOKIE: creation.cookie,
        origin.MARK: origin.here(creation.root),
        "scrun-host:": _plain(creation.host, HOST_LIMIT),
        "scrun-id:": creation.id,
        "scrun-name:": _plain(creation.name, NAME_LIMIT),
        "scrun-image:": _plain(creation.image, IMAGE_LIMIT),
    }
    words = [f"{mark}{value}" for mark, value in said.items() if value]
    return " ".join(filter(None, (*words, creation.settings.job.get("comment", ""))))


def job_name(creation: Creation) -> str:
    """The name of a job for which none was asked: the container's, else its image's."""
    chosen = "" if _ENGINES_ID.fullmatch(creation.id) else creation.id
    image = creation.image.rpartition("/")[2].partition("@")[0].partition(":")[0]
    return _plain(creation.name or chosen or image, NAME_LIMIT) or DEFAULT_NAME


def check_comment(text: str, source: str) -> None:
    """See whether a comment of the user's has room, and cannot be taken for scrun's words.

    Raises:
        SettingsError: it is not so; ``source`` says where the comment is from.

    """
    if len(os.fsencode(text)) > COMMENT_LIMIT:
        raise SettingsError(f"{source} has more than the {COMMENT_LIMIT} bytes that a comment may have")
    if any(word.startswith(MARKS) for word in text.replace(",", " ").split()):
        raise SettingsError(f"{source} has a word that begins with {' or '.join(MARKS)}, as scrun's own words do")


def _plain(text: str, limit: int) -> str:
    """A text of the user's as one word that means nothing to a shell, a terminal or squeue."""
    return _NOT_PLAIN.sub("_", text)[:limit]
