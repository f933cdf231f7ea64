"""How far the copy of an image has come, in words for people."""


def sentence(part: int, parts: int, files: int, size: int, total: int) -> str:
    """Layer, files, MiB and per cent.

    Args:
        part: which of the image's trees it is.
        parts: of how many; engines' layers are trees.
        files: what is copied of it.
        size: the same, in bytes.
        total: its bytes; 0 if they are not known.

    """
    layer = f"layer {part} of {parts}: " if parts > 1 else ""
    if not total:
        return f"{layer}{files} files, {size >> 20} MiB"
    return f"{layer}{files} files, {size >> 20} of {total >> 20} MiB, {min(100, 100 * size // total)} %"
