"""A container of the doctor's own: the smallest one, run as an engine's would be, from ``create`` to ``delete``.

Its root file system has directories only and one program, which is the entry file's code. That is told to become ``/``,
which no program can, so it exits with 126: a status that nothing gives which has not been inside. Whether root of the
node can read the bundle, whether oci.conf is right, whether ids can be mapped: all of it shows here.
"""

import json
import os

from actors.oci.entry import entry_file, has_code
from actors.oci.example import config
from actors.slurm.messages import BUSY
from actors.slurm.runtime_words import TELLS_MORE
from scrun.host import Answer

from .finding import SHELL, Finding, fault, ok, warning

PROGRAM = "/inside"
INSIDE = 126
JOB_NAME = "scrun-doctor"
WAIT = 10
"""Seconds that a job may be queued: the doctor looks at nodes that have room."""
SECONDS = 90.0

UIDMAP = "apt install uidmap  # or: dnf install shadow-utils"
# What the runtimes say, and what to do.
MENDS = (
    ("id_map", UIDMAP),
    ("newuidmap", UIDMAP),
    ("newgidmap", UIDMAP),
    ("user namespace", "sysctl -w user.max_user_namespaces=15000"),
    # crun makes a keyring for each container, and a user may have 200 of them (keyrings(7)).
    ("create keyring", "sysctl -w kernel.keys.maxkeys=5000 kernel.keys.maxbytes=500000"),
)


def write_bundle(directory: str) -> bool:
    """Write the bundle into an empty directory.

    Returns:
        Whether that could be done: there is code for two kinds of machines.

    Raises:
        OSError: it cannot be written.

    """
    if not has_code(os.uname().machine):
        return False
    rootfs = f"{directory}/rootfs"
    for name in ("", "dev", "proc", "sys"):
        os.makedirs(f"{rootfs}/{name}", 0o755, exist_ok=True)
    with open(f"{rootfs}{PROGRAM}", "wb") as file:
        file.write(entry_file(os.uname().machine))
        os.fchmod(file.fileno(), 0o755)
    table = config(0, 0, rootless=False)
    table["process"] |= {"terminal": False, "args": [PROGRAM, "/", "/"], "env": []}
    table["root"]["readonly"] = False
    with open(f"{directory}/config.json", "w", encoding="utf-8") as file:
        json.dump(table, file)
    return True


def options(node: str, partition: str) -> dict[str, str]:
    """The job's options, as variables: a minute at most, and only if it starts at once."""
    return {
        "SCRUN_JOB_NODELIST": node,
        "SCRUN_PARTITION": partition,
        "SCRUN_TIMELIMIT": "1",
        "SCRUN_IMMEDIATE": str(WAIT),
        "SCRUN_JOB_NAME": JOB_NAME,
    }


def judge_container(answer: Answer) -> Finding:
    """Judge ``scrun run``: a failure of its own comes with a sentence, whatever the status."""
    said = [line.strip() for line in answer.text.splitlines() if line.strip()]
    own = [line.removeprefix("scrun: ") for line in said if line.startswith("scrun: ")]
    if answer.status == INSIDE and not own:
        return ok("a container runs there")
    if answer.status == 124:
        return fault(f"a container did not come to its end in {SECONDS:g} s")
    sentence = (own or said or [f"it ended with status {answer.status} and not a word"])[-1]
    if sentence == BUSY:
        return warning("a container was not tried: the node is busy")
    low = answer.text.lower()
    mend = next((line for mark, line in MENDS if mark in low), "")
    said_so = f"no container runs there: {sentence.removesuffix(TELLS_MORE)}"
    return fault(said_so, SHELL, mend) if mend else fault(said_so)
