"""The place of a job among those that wait, from squeue's list of them."""

import pytest

from actors.slurm import outlook
from actors.slurm.scheduler import Outlook
from actors.slurm.slurm import Slurm
from proto.value import replace
from tests.unit.creations import creation

LIST = """\
CLUSTER: one
9|PENDING|500|debug|2026-11-29T22:10:00|Resources|
11|PENDING|500|debug,long|N/A|Priority|
12|PENDING|400|debug|N/A|Priority|
13|PENDING|400|debug|2026-11-30T08:00:00|Priority|
14|PENDING|900|other|N/A|Priority|
15|PENDING|900|debug|N/A|Dependency|
16|PENDING|900|debug|N/A|QOSMaxCpuPerUserLimit|
17|CONFIGURING|900|debug|2026-11-29T22:00:00|None|
18|PENDING|300|debug|N/A|ReqNodeNotAvail, UnavailableNodes:node3|
19|PENDING|nonsense
"""


@pytest.mark.parametrize(
    ("job", "found"),
    [
        (9, Outlook("PENDING", "Resources", 0, "2026-11-29T22:10:00")),
        (11, Outlook("PENDING", "Priority", 1)),
        (12, Outlook("PENDING", "Priority", 2)),
        (13, Outlook("PENDING", "Priority", 3, "2026-11-30T08:00:00")),
        (14, Outlook("PENDING", "Priority", 0)),
        (17, Outlook("CONFIGURING", "", 0, "2026-11-29T22:00:00")),
        (18, Outlook("PENDING", "ReqNodeNotAvail, UnavailableNodes:node3", 4)),
        (19, None),
        (1, None),
    ],
)
def test_before_a_job_are_those_that_slurm_looks_at_first(job: int, found: Outlook | None) -> None:
    assert outlook.read(LIST, job) == found


def test_all_that_wait_at_once_without_their_places() -> None:
    found = outlook.read_all(LIST)
    for job in (12, 13, 17, 18):
        one = outlook.read(LIST, job)
        assert one is not None
        assert found[job] == replace(one, ahead=0)
    assert 19 not in found
    assert outlook.words(None) == ("-h", "-t", outlook.STATES, "-O", outlook.FORMAT)
    assert outlook.words(1001)[-2:] == ("-u", "1001")


def test_the_question_names_no_job_and_no_user() -> None:
    """A place is one among all; and with another cluster it is that one which is asked."""
    query = Slurm(creation(settings__job={"clusters": "two"}, environ=(b"PATH=/usr/bin",))).outlook(12)
    program, *words = query.command.argv if query else ()
    assert program.endswith(b"/squeue")
    assert words == [b"--clusters=two", b"-h", b"-t", outlook.STATES.encode(), b"-O", outlook.FORMAT.encode()]
    assert query is not None
    assert query.read(LIST) == outlook.read(LIST, 12)
