"""What was done as changes were brought back, for the log, and what could not be done."""

from proto.errors import reason


class MirrorCount:
    """Numbers of entries, and the first of those that failed.

    Attributes:
        copied, changed, removed: numbers of entries: put there anew, given other attributes, taken away.
        failed: how many could not be brought back.
        failure: the first of them, with the reason; empty if there is none.
        refused: how many came back, but without an owner or an extended attribute, which the file system refuses.
        refusal: the first of those.

    """

    def __init__(self) -> None:
        self.copied = 0
        self.changed = 0
        self.removed = 0
        self.failed = 0
        self.failure = ""
        self.refused = 0
        self.refusal = ""

    def add(self, other: "MirrorCount") -> None:
        """Count what another one has counted after this one."""
        self.copied += other.copied
        self.changed += other.changed
        self.removed += other.removed
        self.failed += other.failed
        self.failure = self.failure or other.failure
        self.refused += other.refused
        self.refusal = self.refusal or other.refusal

    def fail(self, path: str, error: OSError) -> None:
        """Note an entry that could not be brought back."""
        self.failed += 1
        self.failure = self.failure or f"{path}: {reason(error)}"

    def refuse(self, path: str, what: list[str]) -> None:
        """Note what an entry came back without; nothing, if the list is empty."""
        if what:
            self.refused += 1
            self.refusal = self.refusal or f"{path}: {what[0]}"
