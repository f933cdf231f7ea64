"""What a layer of an overlay says about the layers below it: whiteouts and opaque directories (overlayfs.rst).

A copy of a layer has to say the same, in the words of a mount with ``userxattr``, whatever the engine's own mount was.
"""

import os
import stat

from proto.value import Value

OPAQUE = "user.overlay.opaque"
_OPAQUE = (OPAQUE, "trusted.overlay.opaque")
_STRANGE = tuple(
    f"{kind}.overlay.{word}" for kind in ("user", "trusted") for word in ("redirect", "metacopy", "whiteouts")
)


class Marks(Value):
    """Paths relative to the layer.

    Attributes:
        whiteouts: of names that lower layers have and this one hides.
        opaque: of directories that hide those of lower layers.
        strange: whether something in it is to be had by another layer's name or contents only.

    """

    whiteouts: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    strange: bool = False


def marks_of(layer: str) -> Marks:
    """Look through a layer; 150,000 files take some 0.5 s.

    Raises:
        OSError: a directory of it cannot be read.

    """
    whiteouts, opaque = [], []
    strange = False
    todo = [""]
    while todo:
        here = todo.pop()
        with os.scandir(os.path.join(layer, here)) as entries:
            for entry in entries:
                path = os.path.join(here, entry.name)
                if entry.is_symlink():
                    continue
                if entry.is_dir(follow_symlinks=False):
                    todo.append(path)
                    if any(_attribute(entry.path, name) == b"y" for name in _OPAQUE):
                        opaque.append(path)
                elif not entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
                        whiteouts.append(path)
                    continue
                strange = strange or any(_attribute(entry.path, name) is not None for name in _STRANGE)
    return Marks(tuple(whiteouts), tuple(opaque), strange)


def put(tree: str, marks: Marks) -> None:
    """Give a copy of a layer its marks.

    Raises:
        OSError: the file system takes no such thing.

    """
    for path in marks.opaque:
        os.setxattr(f"{tree}/{path}", OPAQUE, b"y", follow_symlinks=False)
    for path in marks.whiteouts:
        try:
            os.mknod(f"{tree}/{path}", stat.S_IFCHR, 0)
        except FileExistsError:
            continue  # copied as the device that it is


def _attribute(path: str, name: str) -> bytes | None:
    try:
        return os.getxattr(path, name, follow_symlinks=False)
    except OSError:
        return None
