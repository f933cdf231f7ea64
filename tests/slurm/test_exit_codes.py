"""Every exit code comes back as it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.slurm.runtime import Runtime


@pytest.mark.timeout(240)
def test_every_exit_code(runtime: Runtime) -> None:
    bundle = str(runtime.bundle("/bin/sh", "-c", "read code; exit $code"))

    def run(code: int) -> tuple[int, str, str]:
        words = ["scrun", "--root", str(runtime.root), "run", "--bundle", bundle, f"code{code}"]
        done = runtime.runner(words, f"{code}\n")
        return done.returncode, done.stdout, done.stderr

    with ThreadPoolExecutor(6) as pool:
        results = dict(enumerate(pool.map(run, range(256))))
    wrong = {code: result for code, result in results.items() if result != (code, "", "")}
    assert wrong == {}
    assert runtime.names() == []
