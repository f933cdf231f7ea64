"""What the doctor makes of the nodes that it visits."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from actors.oci.entry import has_code
from actors.slurm.runtime_words import TELLS_MORE
from actors.staging.overlay.kinds import Verdict
from scrun.doctor import cluster, node_facts, rehearsal
from scrun.doctor.node_facts import Asked, Facts
from scrun.doctor.nodes import EXAMPLE
from scrun.host import Answer

if TYPE_CHECKING:
    from pathlib import Path

SINFO = """\
n1|idle|debug|up|26.05.5
n1|idle|short|up|26.05.5
n2|mixed|debug|up|24.11.5
n3|allocated|debug|up|24.11.5
n4|idle*|debug|up|
n5|idle|old|down|24.11.5
n6|planned|debug|up|22.05.8
n7|mixed-|debug|up|22.05.8
"""


def test_which_nodes_there_are() -> None:
    assert cluster.read_nodes(SINFO) == [
        ("n1", "debug", "", "26.05.5"), ("n2", "debug", "", "24.11.5"), ("n3", "debug", "allocated", "24.11.5"),
        ("n4", "debug", "idle*", ""), ("n6", "debug", "", "22.05.8"), ("n7", "debug", "", "22.05.8"),
    ]  # fmt: skip
    assert cluster.read_nodes(SINFO, "short")[0].partition == "short"
    assert cluster.read_nodes("slurm_load_partitions: Unable to contact slurm controller\n") == []


def test_nodes_that_were_asked_for_and_are_not_there() -> None:
    assert cluster.missing("n1\nn9\nn2\n", cluster.read_nodes(SINFO)) == ["n9"]


GOOD = {
    "oci": "/e/oci.conf", "program": "crun", "found": "/usr/bin/crun", "version": "crun version 1.30",
    "root": "/run/slurm-oci/", "root-open": "yes", "notify": "", "newuidmap": "/usr/bin/newuidmap",
    "uids": "u:7:65536 u:9:1",
    "gids": "u:7:65536", "seen": "yes", "writable": "yes", "kernel": "Linux 6.1", "cgroup": "2", "userns": "yes",
    "mount": "nfs4 rw,nosuid /s", "time": "100", "files": "200000000", "bytes": "160000000", "end": "yes",
}  # fmt: skip
TEXT = "\n".join(EXAMPLE)
ASKED = Asked("26.05.5", 100.5, 101.5)
IDS = (["u:7:65536"], ["u:7:65536"])


def levels(text: str | None = TEXT, lacking: str = "", **changes: str) -> dict[str, tuple[str, str]]:
    values = {name: value for name, value in (GOOD | changes).items() if name != lacking}
    rows = node_facts.judge_facts("n", Facts(values, text), "/s/marker", IDS, ASKED)
    return {row.name: (row.finding.level, row.finding.sentence) for row in rows if row.finding.level != "ok"}


def test_a_node_that_is_well() -> None:
    assert levels() == {}
    rows = node_facts.judge_facts("n", Facts(GOOD, TEXT), "/s/marker", None, ASKED)
    assert [row.name for row in rows] == ["n runtime", "n staging", "n system", "n known faults", "n clock", "n speed"]
    finding = node_facts.judge_overlays(Verdict("Linux 6.1", works=True), "/tmp")
    assert finding.level == "ok"


def test_a_node_without_overlays() -> None:
    finding = node_facts.judge_overlays(Verdict("Linux 4.18", works=False, why="Denied"), "/local")
    assert finding.level == "warning"
    assert finding.sentence.endswith("no overlay works there: Denied")


@pytest.mark.parametrize(
    ("text", "lacking", "row", "level", "words"),
    [
        (None, "", "n runtime", "fault", "there is no /e/oci.conf"),
        ("RunTimeRun=exec crun %b", "", "n runtime", "fault", "lacks RunTime"),
        (TEXT, "found", "n runtime", "fault", "names crun, which is not there"),
        (TEXT, "root-open", "n runtime", "fault", "/run/slurm-oci/ is not there or closed"),
        (TEXT, "seen", "n staging", "fault", "does not see what this host has in /s"),
        (TEXT, "writable", "n staging", "fault", "may not write"),
        (TEXT, "userns", "n system", "fault", "user namespaces cannot be made"),
        (TEXT, "newuidmap", "n ids", "fault", "newuidmap is not installed"),
        (TEXT, "gids", "n ids", "warning", "/etc/subgid there lack"),
    ],
)
def test_what_a_node_lacks(text: str | None, lacking: str, row: str, level: str, words: str) -> None:
    found = levels(text, lacking)
    assert list(found) == [row]
    assert found[row][0] == level
    assert words in found[row][1]


@pytest.mark.parametrize(
    ("changes", "row", "level", "words"),
    [
        ({"mount": "nfs4 rw,noexec,nosuid /s"}, "n staging", "warning", "/s is mounted there with noexec"),
        ({"cgroup": "hybrid"}, "n system", "warning", "crun refuses that"),
        ({"version": "crun version 1.8.1"}, "n known faults", "warning", "CVE-2026-88264"),
        ({"time": "9"}, "n clock", "warning", "behind"),
        ({"time": "500"}, "n clock", "fault", "ahead"),
        ({"time": ""}, "n clock", "warning", "not compared"),
        ({"files": "9000000000"}, "n speed", "warning", "22 small files/s"),
    ],
)
def test_what_is_wrong_with_a_node(changes: dict[str, str], row: str, level: str, words: str) -> None:
    found = levels(**changes)
    assert list(found) == [row]
    assert found[row][0] == level
    assert words in found[row][1]


def test_a_node_without_hooks() -> None:
    assert "a pipe" in levels(f"{TEXT}\nDisableHooks=poststart")["n runtime"][1]


def test_a_slurmd_with_a_known_fault() -> None:
    rows = node_facts.judge_facts("n", Facts(GOOD, TEXT), "/s/marker", None, Asked("24.11.5", 100, 101))
    assert "CVE-2026-65109" in dict(rows)["n known faults"].sentence


def test_other_ids_than_here() -> None:
    finding = node_facts.judge_ids(GOOD | {"uids": "5:7:65535"}, IDS)
    assert (finding.level, finding.lines) == ("warning", ("echo u:7:65536 >>/etc/subuid",))


def test_systemds_socket_on_a_node() -> None:
    plain = TEXT.replace("env -u NOTIFY_SOCKET ", "")
    assert levels(plain, notify="Type=exec") == {}
    assert levels(plain, notify="Type=notify")["n runtime"][0] == "warning"


def test_the_script_says_all_that_is_judged(tmp_path: Path) -> None:
    (tmp_path / "slurm.conf").touch()
    run = "exec env -u NOTIFY_SOCKET sh --root=" + str(tmp_path) + "/%u run %b # x"
    (tmp_path / "oci.conf").write_text(f'# a comment\nRunTimeRun="{run}"\n')
    marker = tmp_path / "marker"
    marker.mkdir()
    # No slurmd of a node of this name runs here, and none of the usual places has a slurm.conf but this one.
    script = node_facts.SCRIPT.replace("/etc/slurm", "/nowhere").replace("/run/slurm", "/nowhere")
    script = script.replace("-lx slurmd", "-lx no-such-daemon")
    environ = os.environ | {"SLURM_CONF": f"{tmp_path}/slurm.conf", "SLURMD_NODENAME": "n"}
    done = subprocess.run(
        ["/bin/sh", "-c", script, "x", str(marker)], env=environ, capture_output=True, text=True, check=True
    )
    facts = node_facts.read_facts(done.stdout)
    assert facts is not None
    assert facts.oci_conf == f'# a comment\nRunTimeRun="{run}"'
    assert facts.values["oci"] == f"{tmp_path}/oci.conf"
    assert facts.values["program"] == "sh"
    assert facts.values["found"].endswith("/sh")
    assert facts.values["root"] == f"{tmp_path}/"
    assert {facts.values[name] for name in ("root-open", "seen", "writable")} == {"yes"}
    assert facts.values["kernel"].startswith("Linux ")
    assert facts.values["time"].isdigit()
    assert facts.values["cgroup"] in {"1", "2", "hybrid"}
    assert {"files", "bytes"} <= set(facts.values)
    assert list(marker.iterdir()) == []
    assert node_facts.read_facts(done.stdout.replace("end=yes", "")) is None


@pytest.mark.parametrize(
    ("answer", "level", "words"),
    [
        (Answer(124, ""), "fault", "in time"),
        (Answer(1, "srun: error: Unable to allocate resources: Requested nodes are busy\n"), "warning", "it is busy"),
        (Answer(1, "srun: error: Immediate execution impossible, insufficient priority\n"), "warning", "busy"),
        (Answer(1, ""), "fault", "status 1"),
    ],
)
def test_a_node_that_says_nothing(answer: Answer, level: str, words: str) -> None:
    finding = node_facts.judge_silence(answer)
    assert (finding.level, words in finding.sentence) == (level, True), finding


@pytest.mark.parametrize(
    ("status", "said", "level", "words", "mends"),
    [
        (126, "", "ok", "a container runs there", False),
        (126, "slurmstepd: something\n", "ok", "a container runs there", False),
        (126, "scrun: node n1 has no oci.conf\n", "fault", "has no oci.conf", False),
        (125, "scrun: Slurm did not give the nodes\n", "fault", "did not give", False),
        (1, "scrun: the nodes are busy and scrun.immediate does not allow to wait\n", "warning", "busy", False),
        (1, "the nodes are busy and scrun.immediate does not allow to wait\n", "warning", "busy", False),
        (1, "write file `/proc/7/gid_map`: Operation not permitted\n", "fault", "gid_map", True),
        (125, "create keyring `x`: Disk quota exceeded\nscrun: it did not; x\n", "fault", "it did not; x", True),
        (125, f"scrun: it did not{TELLS_MORE}\n", "fault", "no container runs there: it did not", False),
        (0, "", "fault", "status 0", False),
        (124, "", "fault", "90 s", False),
    ],
)
def test_the_container(status: int, said: str, level: str, words: str, mends: bool) -> None:
    finding = rehearsal.judge_container(Answer(status, said))
    assert (finding.level, bool(finding.lines)) == (level, mends), finding
    assert words in finding.sentence
    assert TELLS_MORE not in finding.sentence


@pytest.mark.skipif(not has_code(os.uname().machine), reason="no code for this machine")
def test_the_container_s_program_ends_as_no_other(tmp_path: Path) -> None:
    assert rehearsal.write_bundle(str(tmp_path))
    process = json.loads((tmp_path / "config.json").read_text())["process"]
    done = subprocess.run(
        process["args"], executable=f"{tmp_path}/rootfs{rehearsal.PROGRAM}", capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        rehearsal.INSIDE,
        b"",
        b"exec /: permission denied\n",
    )
