"""``python -m distribution.packages DIRECTORY``: a deb and an rpm for the Python that this runs with.

Everything is below ``/usr/lib/scrun``, laid out as a virtual environment, which is what the launcher looks for: scrun
itself, its libraries in the versions of ``requirements.lock`` and the bytecode of both. So a package fits one
architecture and one minor version of Python; which one, its release tells.
"""

import compileall
import gzip
import json
import os
import pathlib
import platform
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

from proto import __version__
from scrun.doctor.nodes import EXAMPLE

from .__main__ import write

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parent
PREFIX = "usr/lib/scrun"
DOCUMENTS = "usr/share/doc/scrun"
PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
MACHINE = platform.machine()
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Wheels for a C library of 2.28 at most: those of Debian 12 and Enterprise Linux 9 are later.
PLATFORMS = [f"manylinux_2_{minor}_{MACHINE}" for minor in (28, 26, 24, 17)] + [f"manylinux2014_{MACHINE}"]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


def build(destination: pathlib.Path) -> list[pathlib.Path]:
    """Build both packages; return their paths."""
    destination.mkdir(parents=True, exist_ok=True)
    os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="scrun-packages-") as scratch:
        work = pathlib.Path(scratch)
        tree = work / "tree"
        _install(tree, work)
        _documents(tree / DOCUMENTS)
        config = work / "nfpm.json"
        config.write_text(json.dumps(description(tree)))
        return [_package(config, kind, destination) for kind in ("deb", "rpm")]


def runtime_lock() -> str:
    """The blocks of ``requirements.lock`` that scrun needs to run; pip refuses to go on if one is missing."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["monitor"]]  # which is small, and pure Python
    names = {re.split(r"[<>=~! ]", line)[0].lower() for line in wanted}
    blocks = re.findall(r"^[a-z](?:.*\\\n)*.*\n", (CHECKOUT / "requirements.lock").read_text(), re.MULTILINE)
    return "".join(block for block in blocks if block.partition("==")[0] in names)


def _install(tree: pathlib.Path, work: pathlib.Path) -> None:
    """Lay out scrun and its libraries."""
    prefix = tree / PREFIX
    packages = prefix / f"lib/{PYTHON}/site-packages"
    lock = work / "lock"
    lock.write_text(runtime_lock())
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    _run(*PIP, "install", "--target", packages, "--only-binary=:all:", *platforms, "--require-hashes", "-r", lock)
    flags = ("--no-deps", "--no-index", "--no-build-isolation")
    _run(*PIP, "wheel", *flags, "--wheel-dir", work, CHECKOUT)
    (wheel,) = work.glob("scrun-*.whl")
    _run(*PIP, "install", "--target", work / "scrun", "--no-deps", "--no-index", "--no-compile", wheel)
    shutil.copytree(work / "scrun/_scrun", packages / "_scrun")
    shutil.rmtree(packages / "bin", ignore_errors=True)
    (prefix / "bin").mkdir()
    shutil.copy(CHECKOUT / "scrun/launcher", prefix / "bin/scrun")
    write(str(prefix))
    page = prefix / "share/man/man1/scrun.1"
    page.with_name("scrun.1.gz").write_bytes(gzip.compress(page.read_bytes(), mtime=0))
    page.unlink()
    # Taken as it is, whatever times a package manager gives the files.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    root = str(packages)
    if not compileall.compile_dir(
        root, quiet=1, stripdir=str(tree), prependdir="/", invalidation_mode=mode, force=True
    ):
        raise SystemExit("some modules do not compile")


def _documents(place: pathlib.Path) -> None:
    """Licence and examples; those of docs/install.md are cut out of it."""
    examples = place / "examples"
    examples.mkdir(parents=True)
    shutil.copy(CHECKOUT / "LICENSE", place / "copyright")
    for name in ("install", "options", "operations", "exporter", "lua", "gpus"):
        shutil.copy(CHECKOUT / f"docs/{name}.md", place)
    shutil.copy(CHECKOUT / "CHANGELOG.md", place)
    containers, scrun = re.findall(r"^```toml\n(.*?)^```", (place / "install.md").read_text(), re.DOTALL | re.MULTILINE)
    (examples / "containers.conf").write_text(containers)
    (examples / "scrun.toml").write_text(scrun)
    (examples / "oci.conf").write_text("".join(f"{line}\n" for line in EXAMPLE))
    for name in ("scrun.lua", "scrun-dashboard.json", "gpus.json"):
        shutil.copy(CHECKOUT / "examples" / name, examples)


def description(tree: pathlib.Path) -> dict[str, object]:
    """What nfpm is to know."""
    return {
        "name": "scrun",
        "arch": ARCHITECTURES[MACHINE],
        "version": __version__,
        "release": f"1.{PYTHON.replace('thon', '').replace('.', '')}",
        "section": "admin",
        "priority": "optional",
        "maintainer": "the scrun authors <scrun@localhost>",
        "license": "MIT",
        "description": "OCI runtime whose containers are Slurm jobs\npodman and docker call it in place of crun.",
        "contents": [
            # Not from /usr on: the directories above belong to others.
            *({"src": str(tree / name), "dst": f"/{name}", "type": "tree"} for name in (PREFIX, DOCUMENTS)),
            {"src": str(HERE / "tmpfiles.conf"), "dst": "/usr/lib/tmpfiles.d/scrun.conf"},
        ],
        "scripts": {"postinstall": str(HERE / "installed"), "preremove": str(HERE / "removed")},
        "overrides": {
            "deb": {
                "depends": [PYTHON, "libc6 (>= 2.28)", "libstdc++6"],
                "recommends": ["slurm-client", "podman | docker.io", "uidmap"],
            },
            "rpm": {"depends": [f"/usr/bin/{PYTHON}", "libstdc++"], "recommends": ["slurm", "podman"]},
        },
        "deb": {"compression": "xz"},
        "rpm": {"compression": "xz", "group": "System Environment/Base"},
    }


def _package(config: pathlib.Path, kind: str, destination: pathlib.Path) -> pathlib.Path:
    nfpm = pathlib.Path(sys.executable).with_name("nfpm")
    before = set(destination.iterdir())
    _run(nfpm, "package", "--config", config, "--packager", kind, "--target", destination)
    made = set(destination.iterdir()) - before or set(destination.glob(f"scrun[-_]{__version__}*.{kind}"))
    (path,) = made
    return path


def _run(*argv: str | pathlib.Path) -> None:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout)


if __name__ == "__main__":
    for path in build(pathlib.Path(sys.argv[1])):
        print(path)
