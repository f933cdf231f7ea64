"""Jobs that scrun asked for and that no container here knows."""

from __future__ import annotations

from scrun.left_overs import strangers


def test_strangers() -> None:
    queue = (
        "1|RUNNING|scrun:aa\n"
        "2|PENDING|scrun:bb\n"
        "3|RUNNING|(null)\n"
        "4|RUNNING|my scrun job\n"
        "5|RUNNING|mine,scrun:cc\n"
        "6|RUNNING|a|b scrun:aa\n"
        "squeue: error: x\n"
    )
    assert strangers(queue, {"aa", ""}) == [2, 5]
    assert strangers("", {"aa"}) == []
