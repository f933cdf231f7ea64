"""The wheel: what it holds, and that it works beside the package proto-plus, which is "proto", too."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import venv
import zipfile

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
# By text, since the packages of the checkout are not what is tested here; it is the one place that says it.
VERSION = (CHECKOUT / "proto/__init__.py").read_text().partition('__version__ = "')[2].partition('"')[0]


def run(*argv: str | pathlib.Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("wheel")
    flags = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", *flags, "--wheel-dir", folder, CHECKOUT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A fresh virtual environment that had proto-plus before it got scrun."""
    root = tmp_path_factory.mktemp("environment")
    venv.create(root, symlinks=True)
    (site,) = root.glob("lib/python3*/site-packages")
    (site / "proto").mkdir()
    (site / "proto/__init__.py").write_text("whose = 'proto-plus'\n")
    # Nothing is downloaded: the dependencies are those of the environment that the tests run in.
    (ours,) = (pathlib.Path(sys.prefix) / "lib").glob("python3*/site-packages")
    for package in ("lupa", "msgpack", "pykka", "zmq", "pyzmq.libs"):
        if (ours / package).exists():
            (site / package).symlink_to(ours / package)
    flags = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", root / "bin/python3", "install", *flags, wheel)
    return root


def test_wheel_takes_one_private_directory(wheel: pathlib.Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert wheel.name == f"scrun-{VERSION}-py3-none-any.whl"
    assert {name.split("/")[0] for name in names} == {
        "_scrun",
        f"scrun-{VERSION}.data",
        f"scrun-{VERSION}.dist-info",
    }
    for folder in ("proto", "actors", "scrun"):
        # Also programs of other languages, and the mark of typed packages.
        files = [path for path in (CHECKOUT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"]
        sources = {str(path.relative_to(CHECKOUT)) for path in files} - {"scrun/launcher"}
        assert f"{folder}/py.typed" in sources
        assert {name.removeprefix("_scrun/") for name in names} >= sources
    assert "_scrun/actors/programs/exec_piped.sh" in names
    assert f"scrun-{VERSION}.data/scripts/scrun" in names
    assert "_scrun/scrun/launcher" not in names
    assert not [name for name in names if name.endswith(".pyc")]


def test_installed_command_runs_without_any_environment(environment: pathlib.Path) -> None:
    assert VERSION in run(environment / "bin/scrun", "--version", env={})


def test_installed_command_runs_through_a_link(environment: pathlib.Path, tmp_path: pathlib.Path) -> None:
    link = tmp_path / "runtime"
    link.symlink_to(environment / "bin/scrun")
    assert VERSION in run(link, "--version", env={})


def test_checkout_command_runs_without_any_environment() -> None:
    assert VERSION in run(CHECKOUT / ".venv/bin/scrun", "--version", env={})


def test_proto_plus_is_not_touched(environment: pathlib.Path) -> None:
    code = "import proto; print(proto.whose)"
    assert run(environment / "bin/python3", "-I", "-c", code) == "proto-plus\n"


def test_launcher_alone_says_what_is_wrong(tmp_path: pathlib.Path) -> None:
    lonely = tmp_path / "bin/scrun"
    lonely.parent.mkdir()
    lonely.write_bytes((CHECKOUT / "scrun/launcher").read_bytes())
    lonely.chmod(0o755)
    done = subprocess.run([lonely], env={}, capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 1
    assert not done.stdout
    assert done.stderr.startswith("scrun: no installation of scrun")
    assert done.stderr.count("\n") == 1
