"""A site's scrun.lua that does less than it should: what the user hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.oci.podman import Podman
    from tests.slurm.runtime import Runtime

MINIMAL = """
function slurm_scrun_stage_in(id, bundle, spool_dir, config_file, job_id, user_id, group_id, job_env)
  return slurm.SUCCESS
end
function slurm_scrun_stage_out(id, bundle, orig_bundle, root_path, orig_root_path, spool_dir, config_file, ...)
  return slurm.SUCCESS
end
return slurm.SUCCESS
"""
"""That of Slurm's manual (scrun(1), "Minimal required for scrun operation")."""


def scripted(runtime: Runtime, stage_out: str = "return slurm.SUCCESS") -> dict[str, str]:
    """Environment of a site with this script, whose second function ends otherwise."""
    site = runtime.site("")
    first, last = MINIMAL.rsplit("return slurm.SUCCESS\nend", 1)
    runtime.runner(["tee", site["SLURM_CONF"].replace("slurm.conf", "scrun.lua")], f"{first}{stage_out}\nend{last}")
    return site


@pytest.mark.parametrize(
    ("stage_out", "words"),
    [("return slurm.ERROR", "slurm_scrun_stage_out returned -1"), ('error("the disk is full")', "the disk is full")],
)
def test_a_stage_out_that_fails_is_said(runtime: Runtime, stage_out: str, words: str) -> None:
    site = scripted(runtime, stage_out)
    bundle = str(runtime.bundle("/bin/sh", "-c", "exit 3"))
    plain = ["scrun", "--root", str(runtime.root)]  # without a log, sentences are on standard error
    named = ["env", *(f"{name}={value}" for name, value in site.items())]
    done = runtime.runner([*named, *plain, "run", "--bundle", bundle, "alone"])
    assert (done.returncode, done.stdout) == (3, "")
    assert words in done.stderr
    assert "scrun.lua" in done.stderr
    box = runtime.box("/bin/true", environ=site)
    assert runtime("start", box.id).returncode == 0
    assert box.wait() == 0
    assert words in box.annotations()["scrun.end-reason"]
    done = runtime.runner([*plain, "delete", box.id])
    assert done.returncode == 0
    assert words in done.stderr
    assert runtime.left(box.id) == []


def test_a_script_that_leaves_the_image_where_the_engine_has_mounted_it(podman: Podman, runtime: Runtime) -> None:
    flag = f"--runtime-flag=slurm-conf={scripted(runtime)['SLURM_CONF']}"
    done = podman(flag, "run", "--rm", "busybox", "echo", "here")
    if podman("info", "--format", "{{.Store.GraphDriverName}}").stdout.strip() != "overlay":
        assert (done.returncode, done.stdout) == (0, "here\n")  # the nodes see the home
        return
    assert done.returncode == 126
    assert "scrun.lua leaves the root file system where the engine has mounted it" in done.stderr
    assert "slurm.set_root_path" in done.stderr
