import pytest

from actors.slurm.oci_conf import OciConf, parse


@pytest.mark.parametrize(
    ("runtime", "disabled", "runs"),
    [
        ("crun", (), True),
        ("/usr/local/sbin/runc", (), True),
        ("nvidia-container-runtime", (), True),
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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),  # nothing is known here
        ("RunTimeRun=crun run --bundle %b ID", ""),
        ("RunTimeRun=crun run ID", ""),  # 22.05 runs it in the bundle
        ("RunTimeRun=crun run --bundle %b ID\nIgnoreFileConfigJson=false", ""),
        ("RunTimeRun=crun run --bundle %b ID\nIgnoreFileConfigJson=yes", "it must be false"),
        ("RunTimeCreate=crun create -b %b ID\nRunTimeStart=crun start ID", "slurmstepd waits for the end"),
        (
            "RunTimeRun=singularity exec --userns %r %@\nIgnoreFileConfigJson=true",
            "gives singularity a root file system",
        ),
        ("RunTimeRun=env -i PATH=/bin ch-run -w %r -- %@", "gives ch-run a root file system"),
    ],
)
def test_what_no_container_can_be_run_with(text: str, words: str) -> None:
    sentence = parse(text).unusable
    assert words in sentence
    assert bool(sentence) is bool(words)
