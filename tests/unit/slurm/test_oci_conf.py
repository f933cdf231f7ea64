import pytest

from actors.slurm.oci_conf import OciConf


@pytest.mark.parametrize(
    ("runtime", "disabled", "runs"),
    [
        ("crun", (), True),
        ("/usr/local/sbin/runc", (), True),
        ("singularity", (), False),
        ("crun-wrapper", (), False),
        ("crun", ("prestart", "createContainer"), True),
        ("crun", ("PostStart",), False),
        ("runc", ("poststop",), False),
    ],
)
def test_who_makes_the_streams(runtime: str, disabled: tuple[str, ...], runs: bool) -> None:
    conf = OciConf(runtime_run=f"exec {runtime} run", disabled_hooks=disabled)
    assert conf.makes_streams is runs


@pytest.mark.parametrize(
    ("runtime", "gives", "follows"),
    [
        ("crun", False, True),
        ("runc", False, False),
        ("/usr/bin/nvidia-container-runtime", True, False),
        ("nvidia-container-runtime.cdi", True, False),
        ("nvidia-container-runtime-hook", False, True),
    ],
)
def test_nvidias_runtime_is_runc_and_more(runtime: str, gives: bool, follows: bool) -> None:
    conf = OciConf(runtime_run=f"exec {runtime} run")
    assert (conf.gives_gpus, conf.follows_links) == (gives, follows)
