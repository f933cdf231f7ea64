"""Addresses of the sockets: an address has 107 bytes, a path may be longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import zmq

from proto.host.paths import ContainerPaths
from proto.host.sockets import endpoint

if TYPE_CHECKING:
    import pathlib


def test_a_short_path_is_the_address() -> None:
    path = ContainerPaths("/run/docker/runtime-runc/moby", "a" * 64).hub
    assert endpoint(path) == f"ipc://{path}"


@pytest.mark.may_leave("descriptors")  # as documented: libzmq may need them again
def test_a_message_passes_at_the_end_of_a_long_path(tmp_path: pathlib.Path) -> None:
    paths = ContainerPaths(str(tmp_path / ("r" * 60)), "a" * 64)
    (tmp_path / ("r" * 60) / ("a" * 64)).mkdir(parents=True)
    with zmq.Context() as context, context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
        pull.bind(endpoint(paths.hub))
        push.connect(endpoint(paths.hub))
        push.send(b"word")
        assert pull.poll(5000)
        assert pull.recv() == b"word"
