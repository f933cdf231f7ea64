"""``scrun spec`` writes a config.json that runs as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Runner
    from tests.slurm.runtime import Runtime


@pytest.mark.parametrize("caller", ["as_user", "as_root"])
def test_the_spec_runs(runtime: Runtime, request: pytest.FixtureRequest, caller: str) -> None:
    run: Runner = request.getfixturevalue(caller)
    bundle = str(runtime.directory)
    # Not below the other user's directory: whoever controls that could take it away.
    root = run(["mktemp", "-d"]).stdout.strip()
    scrun = ["scrun", "--root", root]
    try:
        assert run([*scrun, "spec", "--bundle", bundle]).returncode == 0
        config: dict[str, Any] = json.loads(run(["cat", f"{bundle}/config.json"]).stdout)
        assert config["process"]["args"] == ["sh"]
        assert ("user" in {entry["type"] for entry in config["linux"]["namespaces"]}) == (caller == "as_user")
        # A shell ends with its terminal's input; a command, lest the test types.
        config["process"]["args"] = ["sh", "-c", "hostname; test -d /proc/1 && echo proc"]
        assert run(["/bin/sh", "-c", 'cat >"$0/config.json"', bundle], json.dumps(config)).returncode == 0
        done = run([*scrun, "run", "--bundle", bundle, "box"])
        assert (done.returncode, done.stdout, done.stderr) == (0, "scrun\r\nproc\r\n", "")
    finally:
        run(["rm", "-rf", root, f"{bundle}/config.json"])
