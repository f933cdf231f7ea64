"""Slurm's own lines for runtimes that this machine has not.

In their place is a program that records what it is told, and calls crun or runc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.slurm import site_conf
from tests.slurm.test_oci_conf_keys import program

if TYPE_CHECKING:
    from tests.slurm.runtime import Runtime

RECORD = "#!/bin/sh\n{ echo 'words:' \"$@\"; env; } >>HERE/record\n"
CRUN = "crun --rootless=true --cgroup-manager=disabled --root=HERE/state"


class Form(NamedTuple):
    """One of the guide's forms.

    Attributes:
        run: RunTimeRun, with ``HERE/`` where the guide has a name in PATH, or a directory.
        programs: what is there in their place.
        words: what the record has.

    """

    run: str
    programs: dict[str, str]
    words: str


FORMS = {
    "nvidia-container-runtime": Form(
        f"HERE/nvidia-container-runtime {site_conf.ROOT} run {site_conf.NAME} -b %b",
        {"nvidia-container-runtime": RECORD + 'exec runc "$@"\n'},
        "words: --rootless=true --root=/run/user/",
    ),
    "Singularity in OCI mode": Form(
        f"HERE/sudo HERE/singularity oci run --bundle %b {site_conf.NAME}",
        {"sudo": '#!/bin/sh\nexec "$@"\n', "singularity": f'{RECORD}shift\nexec {CRUN} "$@"\n'},
        "words: oci run --bundle ",
    ),
    "Enroot": Form(
        "HERE/enroot-start-wrapper %b %b %e -- %@",
        {"enroot-start-wrapper": f'{RECORD}exec {CRUN} run --bundle "$1" "enroot.$$"\n'},
        "words: /",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_it_runs_what_is_in_the_bundle(runtime: Runtime, name: str) -> None:
    form = FORMS[name]
    for each, text in form.programs.items():
        program(runtime, each, text, "")
    lines = site_conf.common("crun") + f'RunTimeRun="{form.run}"\n'
    script = 'trap "echo bye; exit 7" TERM; echo $OWN; echo err >&2; while :; do sleep 0.1; done'
    for site in site_conf.site(runtime, lines.replace("HERE", str(runtime.directory))):
        box = site.running(script, env=["PATH=/bin", "OWN=secret"])
        assert (box.read_line(), box.read_line("err")) == ("secret", "err")
        assert runtime("exec", box.id, "sh", "-c", "exit 3").returncode == 3
        runtime.ok("kill", box.id, "TERM")
        assert (box.read(), box.wait()) == ("bye\n", 7)
        record = (runtime.directory / "record").read_text()
        assert form.words in record
        assert "secret" not in record
