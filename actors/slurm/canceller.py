"""Who cancelled a job: slurmctld does not tell, slurmdbd does (sacct(1), JOB STATE CODES: ``CANCELLED by UID``)."""

import re

_BY = re.compile(r"^CANCELLED by (\d{1,10})$", re.MULTILINE)


def words(job_id: int) -> list[str]:
    """The words behind ``sacct``."""
    return ["-X", "-n", "-P", "-o", "State", "-j", str(job_id)]


def read(text: str) -> int | None:
    """The user's id; None if nobody cancelled it, or the books do not know yet."""
    found = _BY.search(text)
    return int(found[1]) if found else None
