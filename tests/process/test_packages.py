"""The deb and the rpm on a bare Debian of this release: they install, scrun works, and they go without a trace.

The rpm is installed into the same root file system, without its dependencies: no registry of ours has one of a
distribution of rpm. So this shows its files and its scripts, and what it requires is compared with what is meant.
"""

from __future__ import annotations

import os
import pathlib
import platform
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from distribution import packages
from proto import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
# Half a minute each on an idle machine: a root file system is made, and libraries are compiled.
pytestmark = pytest.mark.timeout(600)
PYTHON = packages.PYTHON
NAMES = (
    "bin/scrun", "share/man/man1/scrun.1.gz", "share/bash-completion/completions/scrun",
    "share/zsh/site-functions/_scrun", "share/fish/vendor_completions.d/scrun.fish",
)  # fmt: skip
# What package managers write down; and what is mounted.
JOURNALS = (
    "var/log/", "var/cache/", "var/lib/dpkg/", "var/lib/apt/", "var/lib/rpm/", "root/.rpmdb/", "proc/", "dev/", "tmp/",
)  # fmt: skip


def run(*argv: str | pathlib.Path, fails: bool = False) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


class Bare:
    """A root file system with nothing but what the packages depend on."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root

    def run(self, *argv: str, fails: bool = False) -> str:
        """Run in it, with a /proc of its own and as after a login of root."""
        environ = ("env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8")
        inside = ("unshare", "--mount", "--pid", "--fork", f"--mount-proc={self.root}/proc", "chroot", str(self.root))
        return run(*inside, *environ, "DEBIAN_FRONTEND=noninteractive", *argv, fails=fails)

    def files(self) -> set[str]:
        """Every name in it, with its size where it is a file's."""
        found = set()
        for folder, folders, files in os.walk(self.root):
            for name in (*folders, *files):
                path = pathlib.Path(folder, name)
                inner = str(path.relative_to(self.root))
                if not f"{inner}/".startswith(JOURNALS):
                    found.add(f"{inner} {path.lstat().st_size if path.is_file() else ''}")
        return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pathlib.Path]:
    destination = tmp_path_factory.mktemp("packages")
    run(sys.executable, "-m", "distribution.packages", destination)
    return {path.suffix: path for path in destination.iterdir()}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    run(CHECKOUT / "tests/cluster/apt-ensure", "mmdebstrap", "rpm")
    root = tmp_path_factory.mktemp("bare") / "root"
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    run(CHECKOUT / "tests/releases/file-system", release, root, f"--include={PYTHON},man-db")
    yield Bare(root)
    run("rm", "-rf", "--one-file-system", root)


def looks_right(bare: Bare) -> None:
    """What has been installed works."""
    assert f"scrun version {__version__}\n" in bare.run("scrun", "--version")
    assert "USAGE:" in bare.run("scrun", "--help")
    assert f"scrun version {__version__}\n" in bare.run(
        "setpriv", "--reuid=nobody", "--clear-groups", "scrun", "version"
    )
    assert bare.run("man", "-w", "scrun") == "/usr/lib/scrun/share/man/man1/scrun.1.gz\n"
    # No Slurm is there: that is a fault of the machine, told in words.
    rows = bare.run("scrun", "doctor", fails=True).splitlines()
    assert all(re.match(r"(ok|warning|fault) +\w|   ", row) for row in rows), rows
    assert not [row for row in rows if "failed itself" in row]
    assert [row for row in rows if row.startswith("ok ") and row.endswith("/usr/local/bin/scrun")]
    # Everything that is compiled finds its libraries.
    libraries = "import lupa.lua54, msgpack, prometheus_client, pykka, sys, yaml, zmq"
    libraries += "; assert zmq.Context() and lupa.lua54.LuaRuntime()"
    place = f"/usr/lib/scrun/lib/{PYTHON}/site-packages"
    bare.run(PYTHON, "-ISc", f"import sys; sys.path.append({place!r}); {libraries}")


def test_deb_comes_works_and_goes(bare: Bare, built: dict[str, pathlib.Path]) -> None:
    deb = bare.root / "tmp/scrun.deb"
    deb.write_bytes(built[".deb"].read_bytes())
    before = bare.files()
    bare.run("apt-get", "install", "-y", "--no-install-recommends", "/tmp/scrun.deb")
    installed = bare.files()
    modules = [name for name in installed if name.startswith("usr/lib/scrun/lib/") and ".py " in name]
    compiled = [name for name in installed if name.startswith("usr/lib/scrun/lib/") and ".pyc " in name]
    assert len(modules) == len(compiled) > 200
    for name in NAMES:
        assert (bare.root / "usr/local" / name).readlink() == pathlib.Path("/usr/lib/scrun", name)
        assert (bare.root / "usr/lib/scrun" / name).is_file()
    looks_right(bare)
    assert {name for name in bare.files() - installed if not name.startswith("run/")} == set()
    bare.run("dpkg", "-P", "scrun")
    assert bare.files() == before


def test_a_name_of_somebody_elses_stays(bare: Bare, built: dict[str, pathlib.Path]) -> None:
    (bare.root / "tmp/scrun.deb").write_bytes(built[".deb"].read_bytes())
    other = bare.root / "usr/local/bin/scrun"
    other.write_text("#!/bin/sh\necho other\n")
    other.chmod(0o755)
    assert "/usr/local/bin/scrun was there before" in bare.run("dpkg", "-i", "/tmp/scrun.deb")
    assert bare.run("scrun") == "other\n"
    assert __version__ in bare.run("/usr/lib/scrun/bin/scrun", "--version")
    bare.run("dpkg", "-P", "scrun")
    assert bare.run("scrun") == "other\n"
    other.unlink()


def test_rpm_holds_the_same(bare: Bare, built: dict[str, pathlib.Path]) -> None:
    rpm = built[".rpm"]
    assert {f"/usr/bin/{PYTHON}", "libstdc++"} == {
        line for line in run("rpm", "-qp", "--requires", rpm).splitlines() if not line.startswith(("rpmlib", "warning"))
    }
    listed = {line for line in run("rpm", "-qpl", rpm).splitlines() if line.startswith("/")}
    of_deb = run("dpkg-deb", "--contents", built[".deb"]).splitlines()
    files = {line.split()[5].removeprefix(".") for line in of_deb if line[0] != "d"}
    assert files <= listed
    assert all(name.startswith(("/usr/lib/scrun", "/usr/share/doc/scrun", "/usr/lib/tmpfiles.d/")) for name in listed)
    before = bare.files()
    run("rpm", "--root", bare.root, "--nodeps", "-i", rpm)
    looks_right(bare)
    run("rpm", "--root", bare.root, "-e", "scrun")
    assert bare.files() == before
