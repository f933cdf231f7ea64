"""Slurm's own lines for crun and runc, as its guide to containers has them: a shell stays above the runtime."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.slurm import site_conf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.slurm.runtime import Runtime
    from tests.slurm.site_conf import Site

TRAPPED = (1, 2, 3, 10, 12, 15, 28, 34, 64)
TRAPS = "".join(f"trap 'echo got {number}' {number}; " for number in TRAPPED)


@pytest.fixture(params=["crun", "runc"])
def site(runtime: Runtime, request: pytest.FixtureRequest) -> Iterator[Site]:
    yield from site_conf.site(runtime, site_conf.run_form(request.param))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (site_conf.create_form("crun"), "has RunTimeCreate and RunTimeStart, which start no container"),
        (site_conf.create_form("runc"), "has RunTimeCreate and RunTimeStart, which start no container"),
        (
            site_conf.run_form("crun") + "IgnoreFileConfigJson=true\n",
            "has IgnoreFileConfigJson, which keeps Slurm",
        ),
        ('RunTimeRun="singularity exec --userns %r %@"', "gives singularity a root file system"),
    ],
)
def test_what_cannot_run_a_container_is_refused_before_a_job_is_asked_for(
    runtime: Runtime, lines: str, words: str
) -> None:
    for site in site_conf.site(runtime, lines):
        bundle = runtime.bundle("/bin/true", annotations=site.options)
        assert words in runtime.fails("create", "--bundle", str(bundle), "refused", environ=site.environ)
        row = next(row for row in site.doctor() if row["check"] == "oci.conf")
        assert row["level"] == "fault"
        assert words.rsplit("oci.conf", maxsplit=1)[-1] in row["sentence"]


def test_it_is_heard_at_once_that_it_shall_end(runtime: Runtime, site: Site) -> None:
    box = site.running("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.1; done")
    assert box.read_line() == "ready"
    runtime.ok("kill", box.id, "TERM")
    assert (box.read(), box.wait()) == ("bye\n", 7)


@pytest.mark.slice
def test_each_signal_comes_once(runtime: Runtime, site: Site) -> None:
    box = site.running(f"{TRAPS} trap 'exit 3' HUP; echo ready; while :; do sleep 0.1; done")
    assert box.read_line() == "ready"
    for number in TRAPPED[1:]:
        runtime.ok("kill", box.id, str(number))
    # Of two that come within its sleep the shell heeds the lower number first, and 1 ends it.
    said = [box.read_line() for _ in TRAPPED[1:]]
    runtime.ok("kill", box.id, "1")
    assert sorted(said) == sorted(f"got {number}" for number in TRAPPED[1:])
    assert (box.read(), box.wait()) == ("", 3)


def test_a_signal_that_comes_before_the_program_is_there_waits_for_it(runtime: Runtime, site: Site) -> None:
    box = site.running("trap 'exit 4' USR1; while :; do sleep 0.1; done")
    while not box.ended():
        runtime("kill", box.id, "USR1")
    assert box.wait() == 4


@pytest.mark.parametrize("way", ["KILL", "delete", "SIGINT"])
def test_it_can_be_ended(runtime: Runtime, site: Site, way: str) -> None:
    box = site.running("trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done")
    assert box.read_line() == "ready"
    job = box.job()
    if way == "KILL":
        runtime.ok("kill", box.id, "KILL")
        assert box.wait() == 137
    elif way == "delete":
        runtime.ok("delete", "--force", box.id)
        assert box.wait() in {137, -signal.SIGKILL}
    else:
        runtime.runner(["kill", "-INT", str(box.anchor)])
        assert box.wait() == 9
    runtime.wait_until(lambda: runtime.released(job), what="the end of the job")


@pytest.mark.slice
def test_exit_status_input_output_and_exec(runtime: Runtime, site: Site) -> None:
    box = site.running("echo err >&2; cat; exit 5", stdin=True)
    assert box.read_line("err") == "err"
    done = runtime("exec", box.id, "sh", "-c", "echo out; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "")
    box.write(b"some\n")
    box.close_stdin()
    assert (box.read(), box.wait()) == ("some\n", 5)


def test_a_terminal_is_the_programs_own(runtime: Runtime, site: Site) -> None:
    bundle = runtime.bundle(
        "/bin/sh", "-c", "tty; stty size; exit 6", terminal=True, annotations=site.options
    )  # fmt: skip
    runtime.ids.append("box")
    words = ["script", "--quiet", "--return", "--command", " ".join(runtime.words("run", "--bundle", str(bundle), "box",
             environ=site.environ)), "/dev/null"]  # fmt: skip
    done = runtime.runner(words)
    assert (done.returncode, done.stdout.splitlines()[0]) == (6, "/dev/pts/0")
