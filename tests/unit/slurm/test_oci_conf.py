import pytest

from actors.slurm.oci_conf import OciConf, parse
from actors.slurm.oci_faults import fault


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
    conf = OciConf(runtime_lines={"RunTimeRun": f"exec {runtime} run"}, disabled_hooks=disabled)
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
    conf = OciConf(runtime_lines={"RunTimeRun": f"exec {runtime} run"})
    assert (conf.gives_gpus, conf.follows_links) == (gives, follows)


WHOLE = (
    "RunTimeQuery=crun state %n\nRunTimeKill=crun kill %n\nRunTimeDelete=crun delete %n\nRunTimeRun=crun run %b %n\n"
)


@pytest.mark.parametrize(
    ("text", "version", "words"),
    [
        (WHOLE, (22, 5), ""),
        ("SrunPath=/usr/bin/srun", (22, 5), "lacks RunTimeQuery, RunTimeKill, RunTimeDelete, RunTimeRun"),
        (WHOLE.replace("RunTimeKill", "# RunTimeKill"), (26, 5), "lacks RunTimeKill"),
        (WHOLE.replace("RunTimeQuery", "# RunTimeQuery"), (22, 5), "lacks RunTimeQuery"),
        (WHOLE.replace("RunTimeQuery", "# RunTimeQuery"), (24, 11), ""),
        (WHOLE.replace("RunTimeRun", "RunTimeDelete"), (26, 5), "lacks RunTimeRun"),
        (WHOLE + "RunTimeStart=crun start %n", (26, 5), "has both RunTimeRun and RunTimeStart"),
        (WHOLE.replace("RunTimeRun", "RunTimeCreate"), (26, 5), "has RunTimeCreate and RunTimeStart, which start no"),
        (WHOLE.replace("crun run %b", "singularity run %r %@"), (26, 5), "gives singularity a root file system"),
        (WHOLE + "IgnoreFileConfigJson=yes", (26, 5), "has IgnoreFileConfigJson, which keeps Slurm from telling"),
        (WHOLE + "IgnoreFileConfigJson=false", (26, 5), ""),
        (WHOLE.replace("run %b", "run %b 100%%m"), (22, 5), ""),
        (WHOLE.replace("run %b", "run %b %m"), (22, 5), "has %m in RunTimeRun, which Slurm 22.05 does not know"),
        (WHOLE.replace("run %b", "run %b %m"), (23, 2), ""),
        (WHOLE.replace("run %b", "run %b %Z"), (24, 11), "has %Z in RunTimeRun, which Slurm 24.11 does not know"),
        (WHOLE.replace("run %b", "run %b %Z"), (0, 0), ""),
        (WHOLE.replace("run %b", "run %b %x"), (0, 0), "has %x in RunTimeRun, which is no pattern of Slurm's"),
        (WHOLE.replace("crun run %b", "ch-run -w %r --"), (26, 5), "gives ch-run a root file system"),
        (WHOLE.replace("run %b", "run"), (22, 5), ""),  # 22.05 runs it in the bundle
    ],
)
def test_what_no_node_can_use(text: str, version: tuple[int, int], words: str) -> None:
    sentence = fault(parse(text), version)
    assert sentence.startswith(words)
    assert bool(sentence) == bool(words)
