"""The command line: every form that runc, crun and the engines write."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.errors import UsageError
from scrun.cli.grammar import GLOBAL, HELP, VERBS, Option
from scrun.cli.parsing import Line, parse


def parsed(*words: str) -> Line:
    return parse(list(words), Line())


@pytest.mark.parametrize(
    "words",
    [
        ["create", "--bundle", "B", "ID"],
        ["create", "--bundle=B", "ID"],
        ["create", "-bundle", "B", "ID"],
        ["create", "-bundle=B", "ID"],
        ["create", "-b", "B", "ID"],
        ["create", "-bB", "ID"],
        ["create", "-b=B", "ID"],
        ["create", "ID", "--bundle", "B"],
        ["create", "ID", "-b", "B"],
        ["create", "-b", "B", "--", "ID"],
        ["create", "-b", "A", "-b", "B", "ID"],
    ],
)
def test_every_form_of_an_option(words: list[str]) -> None:
    line = parsed(*words)
    assert (line.verb, line.arguments, line.own.text("bundle")) == ("create", ["ID"], "B")


def test_what_podman_writes() -> None:
    line = parsed(
        "--log-format=json", "--log", "U/oci-log", "create", "--bundle", "U", "--pid-file", "U/pidfile", "--no-pivot",
        "--preserve-fds", "2", "--console-socket", "/tmp/conmon-term.X", "ID",
    )  # fmt: skip
    assert line.options == {"log-format": ["json"], "log": ["U/oci-log"]}
    assert line.own["preserve-fds"] == ["2"]
    assert line.arguments == ["ID"]


def test_what_containerd_writes() -> None:
    line = parsed("--root", "R", "--log", "F", "--log-format", "json", "--systemd-cgroup", "kill", "--all", "ID", "9")
    assert line.options.text("root") == "R"
    assert line.own.flag("all")
    assert line.arguments == ["ID", "9"]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["--rootless", "state", "ID"], "true"),
        (["--rootless=true", "state", "ID"], "true"),
        (["--rootless=false", "state", "ID"], "false"),
        (["--rootless", "auto", "state", "ID"], "auto"),
    ],
)
def test_rootless_has_an_optional_value(words: list[str], value: str) -> None:
    line = parsed(*words)
    assert line.options.text("rootless") == value
    assert line.arguments == ["ID"]


def test_options_of_the_man_page() -> None:
    line = parsed("-f", "/slurm.conf", "-v", "-vv", "--debug", "--cgroup-manager", "disabled", "state", "ID")
    assert line.options.text("slurm-conf") == "/slurm.conf"
    assert line.options.count("verbose") == 3
    assert line.options.flag("debug")


@pytest.mark.parametrize("verb", ["exec", "ps"])
def test_parsing_stops_at_the_id_of(verb: str) -> None:
    assert parsed(verb, "ID", "-x", "--", "--bundle").arguments == ["ID", "-x", "--", "--bundle"]


def test_flags_with_a_value() -> None:
    assert parsed("delete", "--force=true", "ID").own.flag("force")
    assert not parsed("delete", "--force=false", "ID").own.flag("force")


def test_a_cluster_of_short_options() -> None:
    line = parsed("list", "-qf", "json")
    assert line.own.flag("quiet")
    assert line.own.text("format") == "json"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--bogus", "state", "ID"], "unknown option --bogus"),
        (["-x"], "unknown option -x"),
        (["state", "--bogus=1", "ID"], "unknown option --bogus"),
        (["state", "ID", "-z"], "unknown option -z"),
        (["delete", "-fz", "ID"], "unknown option -fz"),
        (["frobnicate"], 'unknown command "frobnicate"'),
        (["state"], '"state" requires exactly 1 argument(s)'),
        (["state", "a", "b"], '"state" requires exactly 1 argument(s)'),
        (["kill"], '"kill" requires a minimum of 1 argument(s)'),
        (["kill", "a", "b", "c"], '"kill" requires a maximum of 2 argument(s)'),
        (["list", "a"], '"list" requires exactly 0 argument(s)'),
        (["create", "ID", "--bundle"], "flag needs an argument: --bundle DIR"),
        (["--root"], "flag needs an argument: --root DIR"),
        (["--log-format", "xml", "state", "ID"], 'invalid value "xml"'),
        (["delete", "--force=perhaps", "ID"], "use true or false"),
    ],
)
def test_what_cannot_be_understood(words: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsed(*words)
    assert sentence in caught.value.sentence
    assert "\n" not in caught.value.sentence


def test_a_failure_leaves_what_was_read() -> None:
    line = Line()
    with pytest.raises(UsageError):
        parse(["--log", "F", "kill", "--bogus"], line)
    assert (line.options.text("log"), line.verb) == ("F", "kill")


OPTIONS = [("", option) for option in GLOBAL] + [
    (verb, option) for verb, row in VERBS.items() for option in (*row[3], HELP)
]


@pytest.mark.parametrize(
    ("verb", "option"), OPTIONS, ids=lambda value: value if isinstance(value, str) else value[0][0]
)
def test_every_option_of_the_tables_parses(verb: str, option: Option) -> None:
    names, shorts, kind, _ = option
    flag = kind in {"", "+"}
    value = "true" if flag else kind.strip("[]").split("|")[0]
    arguments = [word for word in VERBS[verb][1].split() if word[0] != "["] if verb else []
    forms = [[f"--{name}={value}"] for name in names]
    # A value that may be left out and can be anything stands after "=" only.
    if kind[:1] != "[" or "|" in kind:
        forms += [[f"--{name}"] if flag else [f"--{name}", value] for name in names]
    forms += [[f"-{letter}"] if flag else [f"-{letter}", value] for letter in shorts]
    for form in forms:
        words = [verb, *form, *arguments] if verb else [*form, "state", "ID"]
        line = parsed(*words)
        assert (line.own if verb else line.options)[names[0]] == [value], form


def test_names_are_unique_within_each_table() -> None:
    for table in (GLOBAL, *((*row[3], HELP) for row in VERBS.values())):
        names = [name for option in table for name in option[0]]
        shorts = [letter for option in table for letter in option[1]]
        assert len(names) == len(set(names))
        assert len(shorts) == len(set(shorts))


@given(
    st.lists(st.one_of(st.sampled_from([*VERBS, "--", "-", "--log", "--root=", "-b", "-=", "--=", "---"]), st.text()))
)
def test_anything_parses_or_is_refused(words: list[str]) -> None:
    with contextlib.suppress(UsageError):
        parsed(*words)
