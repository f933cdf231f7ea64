"""Slurm's words for why a job waits, in ours."""

import re

import pytest

from actors.slurm.option_table import BY_NAME
from scrun.why import paragraph
from scrun.why.reasons import REASONS, explain


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Resources", "the nodes that it needs are busy"),
        ("Priority", "jobs of higher priority wait for the same nodes"),
        (
            "ReqNodeNotAvail, UnavailableNodes:node3",
            "a node that it needs is in use, reserved, drained or down (UnavailableNodes:node3)",
        ),
        ("ReqNodeNotAvail, UnavailableNodes:", "drained or down (UnavailableNodes:)"),
        ("QOSMaxCpuPerUserLimit", "its quality of service gives one user no more at a time (CPUs)"),
        ("QOSMaxJobsPerUserLimit", "its quality of service gives one user no more at a time (jobs)"),
        ("QOSMaxGRESPerUser", "its quality of service gives one user no more at a time (generic resources)"),
        ("QOSMaxNodePerAccountLimit", "its quality of service gives one account no more at a time (nodes)"),
        ("QOSMaxWallDurationPerJobLimit", "it asks for more than its quality of service gives one job (time)"),
        ("QOSMinCpuNotSatisfied", "it asks for less than its quality of service wants a job to ask for (CPUs)"),
        (
            "QOSGrpCPURunMinutesLimit",
            "all jobs of its quality of service together have what they may (CPU minutes that",
        ),
        ("AssocGrpCpuLimit", "all jobs of its account together have what they may (CPUs)"),
        ("AssocGrpCPUMinutesLimit", "all jobs of its account together have what they may (CPU minutes)"),
        ("AssocGrpMemLimit", "all jobs of its account together have what they may (memory)"),
        ("AssocMaxJobsLimit", "its account gives one user no more at a time (jobs)"),
        ("AssocMaxWallDurationPerJobLimit", "it asks for more than its account gives one job (time)"),
        ("AssocGrpUnknown", "all jobs of its account together have what they may (something)"),
        ("Moonphase", "Slurm calls the reason Moonphase"),
        ("Moonphase, full", "Slurm calls the reason Moonphase, full"),
    ],
)
def test_what_a_reason_means(reason: str, words: str) -> None:
    assert words in explain(reason).words


def test_words_and_advice_are_parts_of_sentences() -> None:
    for reason in (*REASONS.values(), explain("QOSMinCpuNotSatisfied"), explain("Moonphase")):
        assert not reason.words.endswith(".")
        assert not reason.advice or reason.advice.endswith(".")


def test_the_options_that_are_advised_exist() -> None:
    advice = [*(f"{row.words} {row.advice}" for row in REASONS.values()), *paragraph.ENDS.values()]
    advice += [explain("QOSGrpCpuLimit").advice, explain("AssocGrpCpuLimit").advice]
    named = set(re.findall(r"scrun\.([a-z-]+)", " ".join(advice)))
    assert {"time", "nodelist", "qos", "account", "mem"} <= named <= set(BY_NAME)
