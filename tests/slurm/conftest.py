"""What the tests with Slurm and no engine share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.slurm.runtime import Runtime, of_user

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def runtime(as_user: Any, wait_until: Any) -> Iterator[Runtime]:
    """scrun, run by the unprivileged user, with a place for bundles that the nodes see."""
    made = of_user(as_user, wait_until)
    yield made
    made.close()
