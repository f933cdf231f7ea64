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
