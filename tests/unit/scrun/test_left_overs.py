"""Jobs that scrun asked for and that no container here knows."""

from __future__ import annotations

from scrun.delete.left_overs import strangers


def test_strangers() -> None:
    queue = (
        "1|RUNNING|scrun:aa\n"
        "2|PENDING|scrun:bb\n"
        "3|RUNNING|(null)\n"
        "4|RUNNING|my scrun job\n"
        "5|RUNNING|mine,scrun:cc\n"
        "6|RUNNING|a|b scrun:aa\n"
        "7|RUNNING|scrun:dd scrun-at:k.1.x\n"
        "8|RUNNING|scrun:ee scrun-at:k.1.x scrun-at:k.1.y\n"
        "9|COMPLETING|scrun:ff\n"
        "squeue: error: x\n"
    )
    found = [(stranger.job_id, stranger.cookie, stranger.place) for stranger in strangers(queue, {"aa", ""})]
    assert found == [(2, "bb", ""), (5, "cc", ""), (7, "dd", "k.1.x"), (8, "ee", "")]
    assert strangers("", {"aa"}) == []
