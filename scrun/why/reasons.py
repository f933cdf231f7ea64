"""Slurm's reasons for which a job waits, in words, with what its owner can do: one row each.

The words are those of squeue(1), JOB REASON CODES, and https://slurm.schedmd.com/resource_limits.html. The limits of
accounts and of qualities of service, of which there are some hundred, are put together of their parts, as Slurm does.
"""

import re

from proto.value import Value


class Reason(Value):
    """Why a job waits.

    Attributes:
        words: a sentence without its beginning and end.
        advice: what can be done, as sentences, with JOB for the job's number; empty if there is only to wait.

    """

    words: str
    advice: str = ""


_LESS = "Less of it starts sooner: fewer nodes or CPUs, less memory, or a shorter time (scrun.time), which fits gaps."
_HELD = "An administrator has to release it; scontrol show job JOB says more."
_NEVER = "Waiting changes nothing: delete the container, and ask for what there is."

REASONS: dict[str, Reason] = {
    "WaitingForScheduling": Reason("the scheduler has not looked at it yet"),
    "Resources": Reason("the nodes that it needs are busy", _LESS),
    "Priority": Reason("jobs of higher priority wait for the same nodes", f"sprio shows the priorities. {_LESS}"),
    "ReqNodeNotAvail": Reason(
        "a node that it needs is in use, reserved, drained or down",
        "sinfo -R says which nodes are out and why; without scrun.nodelist it may get others.",
    ),
    "NodeDown": Reason(
        "a node that it needs is down", "sinfo -R says which and why; without scrun.nodelist it may get others."
    ),
    "BadConstraints": Reason("no node has what it asks for (scrun.constraint, scrun.gres, scrun.mem)", _NEVER),
    "BeginTime": Reason("the time for which it was asked has not come (scrun.begin)"),
    "Dependency": Reason("it waits for another job (scrun.dependency)"),
    "DependencyNeverSatisfied": Reason("the job that it depends on did not end as it should have", _NEVER),
    "JobHeldUser": Reason("it is held by its user", "scontrol release JOB lets it go."),
    "JobHeldAdmin": Reason("it is held by an administrator", _HELD),
    "JobHoldMaxRequeue": Reason("it was put back into the queue too often", _HELD),
    "JobArrayTaskLimit": Reason("as many tasks of its array run as may at a time"),
    "InvalidAccount": Reason("its account is not valid", f"scrun.account names one. {_NEVER}"),
    "InvalidQOS": Reason("its quality of service is not valid", f"scrun.qos names one. {_NEVER}"),
    "AccountNotAllowed": Reason("its account may not use the partition", f"scrun.account names one. {_NEVER}"),
    "QOSNotAllowed": Reason("its quality of service may not use the partition", f"scrun.qos names one. {_NEVER}"),
    "Licenses": Reason("the licenses that it needs are in use", "scontrol show licenses shows them."),
    "Reservation": Reason("its reservation has not begun", "scontrol show reservation shows when it does."),
    "ReservationDeleted": Reason("its reservation does not exist any more", _NEVER),
    "PartitionDown": Reason("its partition is down", "sinfo shows others, scrun.partition chooses one."),
    "PartitionInactive": Reason("its partition starts no jobs", "sinfo shows others, scrun.partition chooses one."),
    "PartitionNodeLimit": Reason(
        "it asks for more nodes than the partition has or gives, or they are down",
        "sinfo -o '%P %l %s %F' shows the partitions' limits; scrun.nodes and scrun.partition choose.",
    ),
    "PartitionTimeLimit": Reason(
        "it asks for more time than the partition gives",
        "sinfo -o '%P %l' shows the partitions' limits; scrun.time and scrun.partition choose.",
    ),
    "BurstBufferResources": Reason("there is too little room in the burst buffer"),
    "BurstBufferStageIn": Reason("its burst buffer is being filled"),
    "Prolog": Reason("Slurm's prolog is running"),
    "Cleaning": Reason("Slurm still clears up after its last run"),
    "Reboot": Reason("its nodes are booting"),
    "JobLaunchFailure": Reason("a node could not launch it", _HELD),
    "SystemFailure": Reason("Slurm, a file system or the network has failed", _HELD),
    "QOSJobLimit": Reason("its quality of service has as many jobs as it may"),
    "QOSResourceLimit": Reason("its quality of service has as much as it may"),
    "QOSTimeLimit": Reason("its quality of service has used up its time"),
    "QOSUsageThreshold": Reason("the share of its account is below what its quality of service wants"),
    "AssociationJobLimit": Reason("its account has as many jobs as it may"),
    "AssociationResourceLimit": Reason("its account has as much as it may"),
    "AssociationTimeLimit": Reason("its account has used up its time"),
}

_OWNERS = {
    "QOS": ("its quality of service", "sacctmgr show qos has the limits, scrun.qos chooses another."),
    "Assoc": ("its account", "sacctmgr show assoc has the limits, scrun.account chooses another."),
}
_WHAT = (
    ("CpuRunMinutes", "CPU minutes that are reserved"), ("CpuMinutes", "CPU minutes"), ("Cpu", "CPUs"),
    ("Mem", "memory"), ("Node", "nodes"), ("GRES", "generic resources"), ("License", "licenses"),
    ("SubmitJob", "jobs"), ("Job", "jobs"), ("Wall", "time"), ("Billing", "billing units"), ("Energy", "energy"),
    ("BB", "burst buffer"),
)  # fmt: skip
"""The first that is in the word."""
_PARTS = re.compile(r"(QOS|Assoc)(Grp|Max|Min)(\w+?)(PerUser|PerAccount|PerJob|PerNode)?(?:Limit|NotSatisfied)?")


def explain(reason: str) -> Reason:
    """What a reason means; one that is not known stays as it is.

    Args:
        reason: as squeue has it, perhaps with more behind a comma: ``ReqNodeNotAvail, UnavailableNodes:node3``.

    """
    word, _, more = reason.partition(",")
    found = REASONS.get(word) or _limit(word)
    if found is None:
        return Reason(f"Slurm calls the reason {reason}", "scontrol show job JOB says more.")
    quoted = f" ({more.strip()})" if more.strip() else ""
    return Reason(f"{found.words}{quoted}", found.advice)


def _limit(word: str) -> Reason | None:
    """A limit of an account or a quality of service, such as ``QOSMaxCpuPerUserLimit`` and ``AssocGrpMemLimit``."""
    parts = _PARTS.fullmatch(word)
    if parts is None:
        return None
    (owner, choice), kind, whose = _OWNERS[parts[1]], parts[2], parts[4] or ""
    what = next((text for part, text in _WHAT if part.lower() in parts[3].lower()), "something")
    if kind == "Min":
        return Reason(f"it asks for less than {owner} wants a job to ask for ({what})", f"{choice} {_NEVER}")
    if kind == "Grp":
        return Reason(f"all jobs of {owner} together have what they may ({what})", choice)
    if whose in {"PerUser", "PerAccount"} or what == "jobs":
        of_whom = "one account" if whose == "PerAccount" else "one user"
        return Reason(f"{owner} gives {of_whom} no more at a time ({what})", choice)
    return Reason(f"it asks for more than {owner} gives one job ({what})", f"{choice} {_NEVER}")
