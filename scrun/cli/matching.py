"""crun's ``kill --regex`` and ``delete --regex``: one verb for all containers whose id matches."""

import os
import re
from collections.abc import Callable

from proto.errors import NotFoundError, UsageError
from proto.host.paths import ContainerPaths, check_id


def each(root: str, pattern: str, act: Callable[[ContainerPaths], None]) -> None:
    """Do something to every container whose id matches the whole pattern; none is no error.

    Raises:
        UsageError: the pattern is none.

    """
    try:
        matches = re.compile(pattern).fullmatch
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(f"{pattern[:80]!r} is no regular expression: {error}") from None
    try:
        names = sorted(os.listdir(root))
    except OSError:
        return
    for name in filter(matches, names):
        try:
            act(ContainerPaths(root, check_id(name)))
        except (NotFoundError, UsageError):
            pass  # gone since, or one on its way out
