"""Bundles as other callers write them, on the cluster: engines' samples, and bytes that are no text.

The samples without a version in their names were recorded with podman 4.3 and docker 20.10. Those of podman 5 and
docker 28, which Debian 12 does not have, are the same with what newer versions write: ociVersion 1.2, no
libnetwork hook, a network namespace by path, pids limits, more masked paths.
"""

from __future__ import annotations

import json
import pathlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.slurm.runtime import Runtime

# The volumes of the others are on the host where they were recorded.
FOLDER = pathlib.Path(__file__).parents[1] / "unit/oci/samples"
SAMPLES = [path for path in sorted(FOLDER.glob("*.json")) if "volumes" not in path.name]


@pytest.mark.usefixtures("staged_anywhere")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_an_engine_s_config_runs(runtime: Runtime, sample: pathlib.Path) -> None:
    """As it is, but for the program, the root file system, and users whom the caller has no ids for."""
    bundle = runtime.bundle()
    config = json.loads(sample.read_text())
    config["root"]["path"] = str(runtime.directory / "rootfs")
    config["process"] |= {"args": ["/bin/sh", "-c", "echo here; exit 4"], "cwd": "/", "terminal": False}
    config["process"]["env"].append("PATH=/bin")
    config["linux"].pop("seccomp", None)  # cut short in the samples: no program could run under it
    write = ["/bin/sh", "-c", 'cat >"$0/config.json"', str(bundle)]
    assert runtime.runner(write, json.dumps(config)).returncode == 0
    runtime.ids.append("wild")
    done = runtime("run", "--bundle", str(bundle), "wild")
    assert done.stderr == ""
    assert (done.returncode, done.stdout) == (4, "here\n")


@pytest.mark.usefixtures("staged_anywhere")
def test_names_of_files_that_are_no_text(runtime: Runtime) -> None:
    script = """for file in /odd/*; do echo "$file"; done"""
    bundle = runtime.bundle("/bin/sh", "-c", script)
    shell = """cd "$0"; mkdir odd; touch "odd/$(printf 'n\\351e')" """
    assert runtime.runner(["/bin/sh", "-c", shell, str(runtime.directory / "rootfs")]).returncode == 0
    runtime.ids.append("odd")
    done = runtime.runner.raw(runtime.words("run", "--bundle", str(bundle), "odd"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"/odd/n\xe9e\n", b"")


@pytest.mark.parametrize("place", ["ARGUMENT", "VARIABLE"])
def test_arguments_and_variables_that_no_runtime_could_read(runtime: Runtime, place: str) -> None:
    """config.json is JSON, and JSON is UTF-8: crun refuses it, runc would change it."""
    bundle = runtime.bundle("/bin/echo", "ARGUMENT", env=["PATH=/bin", "ODD=VARIABLE"])
    text = (bundle / "config.json").read_bytes().replace(place.encode(), b"\xff")
    assert runtime.runner.raw(["/bin/sh", "-c", 'cat >"$0/config.json"', str(bundle)], text).returncode == 0
    assert "not UTF-8" in runtime.fails("create", "--bundle", str(bundle), "odd")
