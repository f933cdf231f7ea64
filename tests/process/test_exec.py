"""``exec`` with the scheduler on this machine, whose runtime is runc."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.process.site import Site

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

SHELL = ("/bin/busybox", "sh", "-c")


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[Site]:
    found = Site(tmp_path)
    (found.bundle / "rootfs/etc").mkdir()
    (found.bundle / "rootfs/etc/passwd").touch()
    found.config()
    found.succeeds("create", "x")
    found.succeeds("start", "x")
    yield found
    found.scrun("delete", "--force", "x")


def test_exit_status_and_streams(site: Site) -> None:
    done = site.scrun("exec", "x", *SHELL, "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_it_is_in_the_container(site: Site) -> None:
    assert "sleep" in site.succeeds("exec", "-e", "A=b", "--cwd", "/etc", "x", *SHELL, "busybox cat /proc/1/cmdline")
    assert site.succeeds("exec", "-e", "A=b", "--cwd", "/etc", "x", *SHELL, 'echo "$A $PWD"') == "b /etc\n"


@pytest.mark.parametrize(
    ("program", "status"), [("nosuch", 127), ("/bin/nosuch", 127), ("/etc/passwd", 126), ("/etc", 126)]
)
def test_a_program_that_cannot_be_run(site: Site, program: str, status: int) -> None:
    done = site.scrun("exec", "x", program)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr


def test_a_status_that_looks_like_the_runtime_s_is_the_program_s(site: Site) -> None:
    script = "echo 'exec: \"x\": permission denied' >&2; exit 255"
    assert site.scrun("exec", "x", *SHELL, script).returncode == 255
