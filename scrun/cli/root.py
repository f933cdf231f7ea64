"""The state directory that a command is about."""

import os

from proto.errors import NotFoundError, ScrunError, UsageError
from proto.host.paths import default_root, real_uid

from .parsing import Line


def root_of(line: Line, *, must_exist: bool = False) -> str:
    """The state directory that the command line and the environment mean, as an absolute path.

    Raises:
        ScrunError: it cannot be one.
        NotFoundError: it is not there, though it must exist.

    """
    given = line.options.text("root")
    if not given:
        return default_root({"XDG_RUNTIME_DIR": os.environ.get("XDG_RUNTIME_DIR", "")})
    root = os.path.abspath(given)
    if root == "/":
        raise ScrunError("the state directory cannot be / itself")
    if must_exist and not os.path.isdir(root):
        raise NotFoundError(f"the state directory {root} does not exist")
    return root


def is_root() -> bool:
    """Whether the caller is this host's root, and not that of a user's namespace."""
    return os.getuid() == 0 == real_uid()


def is_own(root: str) -> bool:
    """Whether a state directory is the caller's: in another user's are commands that root shall not run.

    Raises:
        OSError: it is not there.

    """
    return os.stat(root).st_uid == os.getuid()


def check_all_users(line: Line, verb: str) -> None:
    """See whether the caller may have ``--all-users``.

    Args:
        line: the command line.
        verb: what would be done with the containers.

    Raises:
        UsageError: the caller is not root, or names one directory.

    """
    if not is_root():
        raise UsageError(f"only root may {verb} the containers of all users; leave --all-users out")
    if line.options.text("root"):
        raise UsageError("--all-users looks where each user's state directory is; leave --root out")
