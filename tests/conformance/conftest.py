"""What the conformance tests share with those of Slurm: scrun as an engine calls it, by the unprivileged user."""

from __future__ import annotations

from tests.slurm.conftest import runtime as _runtime

runtime = _runtime
