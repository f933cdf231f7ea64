"""Many at once: none fails, and nothing is left of any of them."""

from __future__ import annotations

import secrets
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.oci.podman import Podman


@pytest.mark.timeout(200)
@pytest.mark.parametrize("count", [2, 32])
def test_at_once(podman: Podman, as_user: Any, wait_until: Any, count: int) -> None:
    job_name = f"many-{secrets.token_hex(4)}"
    before = set(podman.state_root.iterdir()) if podman.state_root.exists() else set()
    script = 'read word; echo "$word $1"; exit $(($1 % 7))'
    processes = [
        podman.start(
            "run", "--rm", "-i", "--name", podman.name(), "--annotation", f"scrun.job-name={job_name}", "busybox",
            "sh", "-c", script, "sh", str(number),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for number in range(count)
    ]  # fmt: skip
    results = [process.communicate(f"hello {number}\n".encode(), 150) for number, process in enumerate(processes)]
    codes = [process.returncode for process in processes]
    assert results == [(f"hello {number} {number}\n".encode(), b"") for number in range(count)]
    assert codes == [number % 7 for number in range(count)]

    def jobs() -> str:
        return str(as_user(["squeue", "--noheader", f"--name={job_name}"]).stdout)

    wait_until(lambda: not jobs(), 20, what=jobs())
    assert podman.ok("ps", "--all", "--filter", f"name={podman.prefix}", "--quiet") == ""
    # Other people's containers may have come meanwhile; ours are known by the job's name in their journals.
    new = {path / "journal" for path in set(podman.state_root.iterdir()) - before}
    assert [path for path in new if path.exists() and job_name.encode() in path.read_bytes()] == []
