"""Every option and verb that a caller of runc (1.1 to 1.5) or crun may send, one by one, in every form.

The table is written from what those two take, not from ``scrun.cli.grammar``: an option that is lost there is missed
here. A name with ``=`` takes a value.
"""

from __future__ import annotations

import pytest

from proto.errors import UsageError
from scrun.cli.grammar import VERBS
from scrun.cli.parsing import Line, parse

words = str.split

CREATE = words("""
    bundle= b= console-socket= pid-file= no-pivot no-new-keyring no-subreaper preserve-fds= pidfd-socket= config= f=
    help h""")
IMAGE = words("""
    image-path= work-path= parent-path= leave-running tcp-established tcp-skip-in-flight link-remap ext-unix-sk
    shell-job lazy-pages status-fd= page-server= file-locks pre-dump manage-cgroups-mode= empty-ns= auto-dedup""")
GLOBAL = words("""
    root= log= log-format=json log-level=warning debug systemd-cgroup cgroup-manager=disabled rootless=true criu=
    version v V help h ? usage""")

# Verb to the arguments it is called with, and its options.
TAKEN: dict[str, tuple[list[str], list[str]]] = {
    "create": (["ID"], CREATE),
    "run": (["ID"], [*CREATE, "detach", "d", "keep"]),
    "start": (["ID"], ["help"]),
    "state": (["ID"], ["help"]),
    "kill": (["ID", "KILL"], words("all a regex r help")),
    "delete": (["ID"], words("force f regex r help")),
    "list": ([], words("format=json f=table quiet q help")),
    "ps": (["ID", "-ef"], words("format=json f=json help")),
    "events": (["ID"], words("interval=1s stats help")),
    "spec": ([], words("bundle= b= file= f= rootless help")),
    "features": ([], ["help"]),
    "pause": (["ID"], ["help"]),
    "resume": (["ID"], ["help"]),
    "exec": (
        ["ID", "cmd", "--option"],
        words("""
            console-socket= pidfd-socket= cwd= env= e= tty t user= u= additional-gids= g= process= p= detach d pid-file=
            process-label= apparmor= no-new-privs cap= c= preserve-fds= cgroup= ignore-paused help"""),
    ),
    "update": (
        ["ID"],
        words("""
            resources= r= blkio-weight= cpu-period= cpu-quota= cpu-burst= cpu-share= cpu-rt-period= cpu-rt-runtime=
            cpuset-cpus= cpuset-mems= kernel-memory= kernel-memory-tcp= memory= memory-reservation= memory-swap=
            pids-limit= cpu-idle= l3-cache-schema= mem-bw-schema= help"""),
    ),
    "checkpoint": (["ID"], IMAGE),
    "restore": (["ID"], [*CREATE, *IMAGE, "detach", "d", "lsm-profile=", "lsm-mount-context="]),
    "mounts": (["add", "ID", "file"], ["help"]),
}


def forms(option: str) -> list[tuple[list[str], str]]:
    """Each way to write an option, and the value that it has then."""
    name, takes, choice = option.partition("=")
    value = (choice or "17") if takes else "true"
    if len(name) == 1:
        return [([f"-{name}", value] if takes else [f"-{name}"], value)]
    written = [([f"{dashes}{name}={value}"], value) for dashes in ("--", "-")]
    written += [([f"{dashes}{name}", value] if takes else [f"{dashes}{name}"], value) for dashes in ("--", "-")]
    return written


@pytest.mark.parametrize(("verb", "option"), [(verb, option) for verb, row in TAKEN.items() for option in row[1]])
def test_an_option_of_a_verb(verb: str, option: str) -> None:
    arguments = TAKEN[verb][0]
    for written, value in forms(option):
        orders = [[verb, *written, *arguments]]
        if verb not in {"exec", "ps"}:  # there the rest is somebody else's
            orders += [[verb, *arguments, *written], [verb, *arguments[:1], *written, *arguments[1:]]]
        for order in orders:
            line = parse(order, Line())
            assert line.verb == verb
            assert line.arguments == arguments, order
            [(_, values)] = line.own.items()
            assert values == [value], order


@pytest.mark.parametrize("option", GLOBAL)
def test_an_option_of_all_verbs(option: str) -> None:
    for written, value in forms(option):
        line = parse([*written, "state", "ID"], Line())
        [(_, values)] = line.options.items()
        assert (values, line.verb, line.arguments) == ([value], "state", ["ID"]), written


@pytest.mark.parametrize("verb", TAKEN)
def test_an_option_without_its_value(verb: str) -> None:
    arguments, options = TAKEN[verb]
    for option in options:
        if option.endswith("=") and len(option) > 2:
            with pytest.raises(UsageError, match="flag needs an argument"):
                parse([verb, *(arguments if verb not in {"exec", "ps"} else []), f"--{option[:-1]}"], Line())


@pytest.mark.parametrize("verb", TAKEN)
def test_an_option_that_nobody_has(verb: str) -> None:
    for written in (["--frobnicate"], ["--frobnicate=1"], ["-%"]):
        with pytest.raises(UsageError, match="unknown option"):
            parse([verb, *written, *TAKEN[verb][0]], Line())
    with pytest.raises(UsageError, match="unknown option"):
        parse(["--frobnicate", verb, *TAKEN[verb][0]], Line())


def test_every_verb_is_there() -> None:
    assert not TAKEN.keys() - VERBS.keys()
