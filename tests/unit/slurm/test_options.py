"""Job options: where they come from, which wins, and what reaches salloc and srun."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from actors.slurm import oci_conf, step_options
from actors.slurm.commands import environment, first_words, parse_version
from actors.slurm.option_lists import LISTS
from actors.slurm.option_sources import unknown_variables
from actors.slurm.option_table import ALIASES, BY_NAME, EXTRA_VARIABLES, TABLE
from actors.slurm.options import fit, resolve, word
from actors.slurm.pyslurm import check
from actors.slurm.user_namespace import prefix
from proto.errors import SchedulerError, SettingsError
from scrun.cli.grammar import DEBUG_VARIABLES

DOCUMENTED = [
    "ACCOUNT",
    "ACCTG_FREQ",
    "BURST_BUFFER",
    "CLUSTERS",
    "CLUSTER_CONSTRAINT",
    "CONSTRAINT",
    "CORE_SPEC",
    "CPUS_PER_GPU",
    "CPUS_PER_TASK",
    "CPU_BIND",
    "CPU_FREQ_REQ",
    "DELAY_BOOT",
    "DEPENDENCY",
    "DISTRIBUTION",
    "EPILOG",
    "EXACT",
    "EXCLUSIVE",
    "GPUS",
    "GPUS_PER_NODE",
    "GPUS_PER_SOCKET",
    "GPUS_PER_TASK",
    "GPU_BIND",
    "GPU_FREQ",
    "GRES",
    "GRES_FLAGS",
    "HINT",
    "JOB_NAME",
    "JOB_NODELIST",
    "JOB_NUM_NODES",
    "LABELIO",
    "MEM_BIND",
    "MEM_PER_CPU",
    "MEM_PER_GPU",
    "MEM_PER_NODE",
    "MPI_TYPE",
    "NCORES_PER_SOCKET",
    "NETWORK",
    "NSOCKETS_PER_NODE",
    "NTASKS",
    "NTASKS_PER_CORE",
    "NTASKS_PER_GPU",
    "NTASKS_PER_NODE",
    "NTASKS_PER_TRES",
    "OPEN_MODE",
    "OVERCOMMIT",
    "OVERLAP",
    "PARTITION",
    "POWER",
    "PROFILE",
    "PROLOG",
    "QOS",
    "REMOTE_CWD",
    "REQ_SWITCH",
    "RESERVATION",
    "SIGNAL",
    "SLURMD_DEBUG",
    "SPREAD_JOB",
    "TASK_EPILOG",
    "TASK_PROLOG",
    "THREADS",
    "THREADS_PER_CORE",
    "THREAD_SPEC",
    "TIMELIMIT",
    "TRES_BIND",
    "TRES_PER_TASK",
    "UNBUFFEREDIO",
    "USE_MIN_NODES",
    "WAIT4SWITCH",
    "WCKEY",
    "WORKING_DIR",
]
"""The job variables of scrun(1) in the editions 23.02, 24.05 and 24.11."""


def from_(
    annotations: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    caller: dict[str, str] | None = None,
    resources: dict[str, Any] | None = None,
    defaults: dict[str, str] | None = None,
) -> dict[str, str]:
    env = [f"{key}={value}".encode() for key, value in (container or {}).items()]
    return resolve(annotations or {}, env, caller or {}, resources or {}, defaults or {})


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_variable_sets_an_option(name: str) -> None:
    assert len(from_(caller={f"SCRUN_{name}": "1"})) == 1


def test_names_are_unambiguous() -> None:
    variables = [variable for option in TABLE for variable in option.variables] + list(EXTRA_VARIABLES)
    assert len(set(variables)) == len(variables)
    assert not set(ALIASES) & set(BY_NAME)
    assert len(BY_NAME) == len(TABLE)


def test_the_order_of_the_sources() -> None:
    sources: dict[str, Any] = {
        "annotations": {"scrun.mem": "1"}, "container": {"SCRUN_MEM_PER_NODE": "2"},
        "caller": {"SCRUN_MEM_PER_NODE": "3"}, "resources": {"memory": {"limit": 4 << 20}}, "defaults": {"mem": "5"},
    }  # fmt: skip
    for expected, name in zip(("1", "2", "3", "4M", "5"), list(sources), strict=True):
        assert from_(**sources) == {"mem": expected}
        del sources[name]
    assert from_() == {}


def test_a_wish_displaces_what_excludes_it_in_weaker_sources_only() -> None:
    assert from_({"scrun.mem-per-cpu": "1"}, defaults={"mem": "5"}) == {"mem-per-cpu": "1"}
    assert from_({"scrun.oversubscribe": "no", "scrun.exclusive": ""}) == {"oversubscribe": "no", "exclusive": "yes"}


@pytest.mark.parametrize(
    ("annotations", "sentence"),
    [
        (
            {"scrun.mem-per-cpu": "1", "scrun.mem": "2"},
            "annotation scrun.mem-per-cpu and annotation scrun.mem exclude each other (salloc(1)): give one of them",
        ),
        (
            {"scrun.mem": "1", "scrun.memory": "2"},
            "annotation scrun.mem says 1, and annotation scrun.memory says 2: give one of them",
        ),
    ],
)
def test_two_wishes_in_one_source(annotations: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_(annotations)
    assert caught.value.sentence == sentence


def test_an_empty_value_sets_nothing() -> None:
    assert from_({"scrun.partition": "", "scrun.mem": " "}, defaults={"partition": "p", "ntasks": ""}) == {
        "partition": "p"
    }
    assert from_(container={"SCRUN_PARTITION": "", "SCRUN_NTASKS": ""}, caller={"SCRUN_PARTITION": "q"}) == {
        "partition": "q"
    }


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "SCRUN_TIMELIMT",
            "variable SCRUN_TIMELIMT of the container is not a job option; did you mean SCRUN_TIMELIMIT?",
        ),
        (
            "SCRUN_SHEDULER",
            "variable SCRUN_SHEDULER of the container is not a job option; did you mean SCRUN_SCHEDULER?",
        ),
        ("SCRUN_XYZZY", "variable SCRUN_XYZZY of the container is not a job option"),
        ("SCRUN_PTY", "variable SCRUN_PTY of the container is not a job option: a terminal is the engine's to ask for"),
    ],
)
def test_a_misspelt_variable_of_the_container_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_(container={name: "1"})
    assert caught.value.sentence.startswith(sentence)
    assert from_(caller={name: "1"}) == {}
    assert unknown_variables({name: "1"}, "of the container") == [caught.value.sentence]


def test_variables_that_scrun_knows_otherwise() -> None:
    names = [*DEBUG_VARIABLES, "SCRUN_SCHEDULER", "SCRUN_CONTAINER_ID", "SCRUN_ANNOTATION_x.y", "SCRUN_EXEC_0"]
    assert from_(container=dict.fromkeys(names, "x")) == {}


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        ("nodelist", "node1+node[3-4];node6", "node1,node[3-4],node6"),
        ("partition", "gpu+;short", "gpu+,short"),
        ("dependency", "after:5+10;afterok:6", "after:5+10,afterok:6"),
        ("tres-bind", "gres/gpu:map:0;1+gres/nic:closest", "gres/gpu:map:0,1+gres/nic:closest"),
        ("constraint", "a+b;c", "a+b;c"),
        ("begin", "now+1hour", "now+1hour"),
    ],
)
def test_lists_in_annotations(annotation: str, value: str, expected: str) -> None:
    assert from_({f"scrun.{annotation}": value}) == {annotation: expected}
    variable = BY_NAME[annotation].variables[0]
    assert from_(container={variable: value}) == {annotation: value}


def test_lists_are_of_options() -> None:
    assert set(LISTS) <= set(BY_NAME)
    assert set(LISTS.values()) == {"+;", ";"}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"cpu": {"quota": 150000, "period": 100000}}, {"cpus-per-task": "2"}),
        ({"cpu": {"quota": 100000}}, {"cpus-per-task": "1"}),
        ({"cpu": {"cpus": "0-3,2,7"}}, {"cpus-per-task": "5"}),
        ({"cpu": {"quota": 150000, "cpus": "0-7"}}, {"cpus-per-task": "2"}),
        ({"cpu": {"cpus": ""}}, {}),
        ({"cpu": {"cpus": "0-x"}}, {}),
        ({"cpu": {"cpus": "0-99999999999"}}, {}),
        ({"memory": {"limit": 1 << 20, "swap": 2 << 20, "reservation": 5 << 20}}, {"mem": "1M"}),
        ({"memory": {"limit": 1048577}}, {"mem": "2M"}),
        ({"cpu": {"quota": 0, "period": 0}, "memory": {"limit": 0}, "blockIO": {}}, {}),
        ({"cpu": {"quota": -1}, "memory": {"limit": -1}}, {}),
        ({"memory": {"limit": 9223372036854771712}}, {}),
        ({"cpu": None, "memory": None, "pids": {"limit": 2048}}, {}),
    ],
)
def test_limits_count_only_when_asked_for(resources: dict[str, Any], expected: dict[str, str]) -> None:
    assert from_(resources=resources) == expected


@pytest.mark.parametrize(
    ("text", "value"), [("", "yes"), ("yes", "yes"), ("1", "yes"), ("7", "yes"), ("no", "no"), ("0", "no"), ("x", "no")]
)
def test_flags_follow_slurm_s_rule(text: str, value: str) -> None:
    assert from_(caller={"SCRUN_OVERCOMMIT": text}) == {"overcommit": value}


@pytest.mark.parametrize(
    ("annotation", "value", "words"),
    [
        ("scrun.partitoin", "x", "did you mean scrun.partition?"),
        ("scrun.container", "x", "annotation scrun.container is not a job option: scrun says itself"),
        ('"scrun.nodelist', 'node1,node2"', 'annotation "scrun.nodelist begins with a quote, which this engine keeps'),
        ("scrun.partition", "--uid=0", "begins with a dash"),
        ("scrun.partition", "a\nb", "line break"),
        ("scrun.partition", "a\0b", "NUL"),
        ("scrun.ntasks", "x", "not a whole number"),
        ("scrun.gres", "help", "asks for help"),
        ("scrun.input", "/etc/passwd", "standard input is for all, none, or one task's number"),
    ],
)
def test_mistakes_are_named(annotation: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words.replace(".", r"\.").replace("?", r"\?")):
        from_({annotation: value})


def test_other_annotations_are_left_alone() -> None:
    others = {"org.example": "x", "scrun.staging": "copy"}
    assert resolve(others, (), {}, {}, {}, frozenset({"staging"})) == {}


def test_one_word_for_one_option() -> None:
    assert word(BY_NAME["partition"], "a b; c") == "--partition=a b; c"
    assert word(BY_NAME["nice"], "-5") == "--nice=-5"
    assert word(BY_NAME["exclusive"], from_({"scrun.exclusive": "exclusive"})["exclusive"]) == "--exclusive"
    assert word(BY_NAME["exclusive"], "user") == "--exclusive=user"
    assert not word(BY_NAME["hold"], "no")


def test_versions() -> None:
    with pytest.raises(SettingsError, match=r"tres-bind needs Slurm 23\.11 or later; this is Slurm 22\.05"):
        fit({"tres-bind": "x"}, (22, 5))
    assert fit({"power": "x", "qos": "q"}, (24, 5)) == (
        {"qos": "q"}, ("job option power is ignored: Slurm 24.05 has it no more",)
    )  # fmt: skip
    assert fit({"power": "x"}, (23, 11))[0] == {"power": "x"}
    assert fit({"tres-bind": "x"}, (0, 0))[0] == {"tres-bind": "x"}
    assert parse_version("slurm-wlm 22.05.8\n") == (22, 5)
    assert parse_version("slurm 24.11.5") == (24, 11)
    assert parse_version("nonsense") == (0, 0)


def layout(options: dict[str, str], version: tuple[int, int], *, foreign: bool = False) -> set[str]:
    words = step_options.words(options, foreign, version)
    return set(words) - {"--job-name=scrun", "--overlap", "--unbuffered"}


@pytest.mark.parametrize(
    ("options", "version", "foreign", "expected"),
    [
        ({}, (22, 5), False, set()),
        ({}, (22, 5), True, {"--nodes=1", "--ntasks=1"}),
        ({"nodes": "2"}, (22, 5), False, {"--nodes=2", "--ntasks-per-node=1", "--kill-on-bad-exit"}),
        ({"nodes": "2-4"}, (22, 5), False, {"--kill-on-bad-exit"}),
        ({"nodes": "2-4"}, (22, 5), True, {"--nodes=2", "--ntasks-per-node=1", "--kill-on-bad-exit"}),
        ({"nodelist": "node[1-2]"}, (22, 5), False, {"--kill-on-bad-exit"}),
        ({"nodelist": "node1"}, (22, 5), False, set()),
        ({"nodefile": "f"}, (22, 5), False, {"--kill-on-bad-exit"}),
        ({"ntasks": "4"}, (22, 5), False, {"--kill-on-bad-exit"}),
        ({"ntasks": "4"}, (22, 5), True, {"--nodes=1", "--ntasks=1", "--kill-on-bad-exit"}),
        ({"ntasks": "4"}, (23, 2), False, {"--ntasks=4", "--kill-on-bad-exit"}),
        ({"nodes": "2", "kill-on-bad-exit": "no"}, (23, 2), False, {"--nodes=2", "--ntasks-per-node=1"}),
        ({"mem": "5", "partition": "p", "cpu-bind": "none"}, (22, 5), False, {"--cpu-bind=none"}),
        ({"mem": "5"}, (22, 5), True, {"--nodes=1", "--ntasks=1", "--mem=5"}),
    ],
)
def test_what_reaches_the_step(
    options: dict[str, str], version: tuple[int, int], foreign: bool, expected: set[str]
) -> None:
    assert layout(options, version, foreign=foreign) == expected


@pytest.mark.parametrize(
    ("options", "version", "terminal", "words"),
    [
        ({}, (22, 5), True, ""),
        ({"nodes": "2"}, (24, 11), True, "a terminal (-t) is that of one task"),
        ({"input": "0"}, (24, 11), True, "with a terminal (-t) standard input"),
        (
            {"ntasks": "4"},
            (22, 5),
            False,
            "Slurm 22.05 runs one task of a container on each node, and 4 are asked for on 1",
        ),
        ({"ntasks": "4", "nodes": "2-4"}, (22, 5), False, ""),
        ({"ntasks": "4", "nodes": "1,2"}, (22, 5), False, "Slurm 22.05 runs one"),
        ({"ntasks-per-node": "2", "nodes": "2"}, (22, 5), False, "Slurm 22.05 runs one"),
        ({"ntasks": "2", "nodelist": "node[1-2]"}, (22, 5), False, ""),
        ({"ntasks": "4"}, (23, 2), False, ""),
        ({"ntasks": "4"}, (0, 0), False, ""),
    ],
)
def test_tasks_that_no_step_can_have(
    options: dict[str, str], version: tuple[int, int], terminal: bool, words: str
) -> None:
    sentence = step_options.fault(options, version, terminal=terminal)
    assert sentence.startswith(words)
    assert bool(words) == bool(sentence)


def test_defaults_of_the_step_can_be_taken_back() -> None:
    words = step_options.words({"overlap": "no", "unbuffered": "no", "job-name": "x"}, False, (22, 5))
    assert words == ["--job-name=x"]


def test_no_variable_sets_options_behind_our_back() -> None:
    given = [b"SLURM_JOB_ID=1", b"SALLOC_PARTITION=x", b"SLURM_CONF=/c", b"SLURM_SPANK_X=1", b"LC_ALL=de", b"A=b"]
    assert environment(given) == (b"SLURM_CONF=/c", b"SLURM_SPANK_X=1", b"A=b", b"LC_ALL=C")


def test_who_we_are_is_kept() -> None:
    given = (b"SLURM_SACK_SOCKET=/run/slurm-c/sack.socket", b"SLURM_CONF_SERVER=ctl")
    assert environment((*given, b"SLURM_JWT=x")) == (*given, b"LC_ALL=C")


def test_oci_conf() -> None:
    text = '# x\nSRUNPATH=/opt/srun\nSrunArgs="--a b"\nsrunargs=-v # c\nRunTimeRun="exec crun run %b"\n'
    assert oci_conf.parse(text) == oci_conf.OciConf("/opt/srun", ("--a b", "-v"), {"RunTimeRun": "exec crun run %b"})
    assert oci_conf.parse("IgnoreFileConfigJson=TRUE\nDisableHooks = a, b\nContainerPath=/x") == oci_conf.OciConf(
        container_path="/x", ignores_config=True, disabled_hooks=("a", "b")
    )


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("exec crun run %b", "crun"),
        ("crun", "crun"),
        ("exec env -u NOTIFY_SOCKET crun run", "crun"),
        ("env --unset=A -i B=1 /opt/runc run", "/opt/runc"),
        ("", ""),
        ("exec env -u", ""),
    ],
)
def test_the_program_of_a_runtime_line(line: str, program: str) -> None:
    assert oci_conf.program_of(line.split()) == program


def test_the_user_namespace() -> None:
    assert prefix(False, 1, 2, None) == ()
    assert prefix(True, 1, 2, b"/u")[:4] == (b"/u", b"-U", b"--map-user=1", b"--map-group=2")
    with pytest.raises(SchedulerError):
        prefix(True, 1, 2, None)


def test_the_first_words_of_a_command_are_those_of_its_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    assert first_words((b"/bin/sh", b"-c", b"echo complaint >&2; echo said"), ()) == "said\n"
    assert first_words((b"/no/such",), ()) == ""
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (None, "No module named 'pyslurm'"),
        ("raise ImportError('libslurmfull.so: undefined symbol')", "undefined symbol"),
        ("import os; os._exit(1)", "it ends, or hangs"),
    ],
)
def test_a_pyslurm_has_to_load(tmp_path: Any, module: str | None, words: str) -> None:
    if module is not None:
        (tmp_path / "pyslurm.py").write_text(module)
    with pytest.raises(SettingsError, match=words):
        check((), [str(tmp_path)])


def test_a_pyslurm_that_loads_is_used_whatever_its_version(tmp_path: Any) -> None:
    (tmp_path / "pyslurm.py").write_text("")
    check((), [str(tmp_path)])


def test_create_pays_for_no_heavy_import() -> None:
    code = (
        "import sys; before = {*sys.modules}; import actors.slurm.slurm;"
        "print(sorted({'json', 'subprocess', 'difflib', 'inspect'} & ({*sys.modules} - before)))"
    )
    done = subprocess.run([sys.executable, "-SsE", "-c", code], capture_output=True, text=True, check=True, cwd=".")
    assert done.stdout == "[]\n"
