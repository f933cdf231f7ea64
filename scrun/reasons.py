"""Reasons of the kernel in words of our own.

podman and docker search error texts for "permission denied" and "no such file or directory" and take them for a
fault of the user's program (exit status 126 or 127).
"""

_REASONS = {
    1: "the system does not allow it",  # EPERM
    2: "it is not there",  # ENOENT
    13: "you may not",  # EACCES
    17: "it is there already",  # EEXIST
    20: "a part of the path is a file",  # ENOTDIR
    21: "it is a folder",  # EISDIR
    28: "the file system is full",  # ENOSPC
    30: "the file system is read-only",  # EROFS
    36: "the name is too long",  # ENAMETOOLONG
    40: "its links make a loop",  # ELOOP
    122: "your quota is used up",  # EDQUOT
}


def reason(error: OSError) -> str:
    """Why a call failed."""
    number = error.errno or 0
    return _REASONS.get(number) or f"error {number} of the system"
