"""``exec`` with the scheduler on this machine, whose runtime is runc."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from actors.slurm import enter
from tests.process.site import COMMAND, Site

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

SHELL = ("/bin/busybox", "sh", "-c")


@pytest.fixture
def site(tmp_path: pathlib.Path, wait_until: Any) -> Iterator[Site]:
    found = Site(tmp_path)
    (found.bundle / "rootfs/etc").mkdir()
    (found.bundle / "rootfs/etc/passwd").touch()
    found.config()
    found.succeeds("create", "x")
    found.succeeds("start", "x")
    # runc says nothing when its program runs, so start does not wait for it.
    wait_until(lambda: found.scrun("exec", "x", "/bin/busybox", "true").returncode == 0)
    yield found
    found.scrun("delete", "--force", "x")


@pytest.mark.slice
def test_exit_status_and_streams(site: Site) -> None:
    done = site.scrun("exec", "x", *SHELL, "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")


@pytest.mark.slice
def test_it_is_in_the_container(site: Site) -> None:
    assert "sleep" in site.succeeds("exec", "-e", "A=b", "--cwd", "/etc", "x", *SHELL, "busybox cat /proc/1/cmdline")
    assert site.succeeds("exec", "-e", "A=b", "--cwd", "/etc", "x", *SHELL, 'echo "$A $PWD"') == "b /etc\n"


@pytest.mark.parametrize("program", ["nosuch", "/bin/nosuch", "/etc/passwd"])
def test_a_program_that_cannot_be_run(site: Site, program: str) -> None:
    """As runc itself says it."""
    done = site.scrun("exec", "x", program)
    assert (done.returncode, done.stdout) == (255, "")
    assert program in done.stderr


@pytest.mark.slice
@pytest.mark.parametrize(
    ("program", "status"), [("nosuch", 127), ("/bin/nosuch", 127), ("/etc/passwd", 126), ("/etc", 126)]
)
def test_what_the_node_s_script_makes_of_runc_s_words(site: Site, program: str, status: int) -> None:
    entries = enter.variables(json.dumps({"args": [program], "cwd": "/"}).encode())
    script = enter.HERE + enter.adding(entries, terminal=False)
    words = ["/bin/sh", "-c", os.fsdecode(script), "sh", "x", "runc", "--root", f"{site.root}/.local-runtime"]
    environ = dict(entry.split(b"=", 1) for entry in (*entries, b"PATH=/usr/sbin:/usr/bin:/bin"))
    done = subprocess.run(words, env=environ, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (status, b""), done.stderr
    assert done.stderr


@pytest.mark.slice
def test_a_signal_ends_the_program(site: Site) -> None:
    words = [*COMMAND, "--root", str(site.root), "exec", "x", *SHELL, "echo ready; exec sleep 1234"]
    with subprocess.Popen(words, env=site.environ, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.wait(30) == 143
    assert "1234" not in site.succeeds("exec", "x", *SHELL, "busybox ps")
