import os
from pathlib import Path
from typing import Any

import pytest

from actors.staging.masks import take_masks

PROC = {"destination": "/proc", "type": "proc", "source": "proc"}


@pytest.fixture
def root(tmp_path: Path) -> str:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/secret").write_text("x")
    (tmp_path / "link").symlink_to("/etc/secret")
    (tmp_path / "out").symlink_to("/../../etc")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/kcore").write_text("the image's own, below a mount")
    return str(tmp_path)


def masked(root: str, *paths: str) -> tuple[list[str], list[dict[str, Any]]]:
    config = {"mounts": [PROC], "linux": {"maskedPaths": list(paths), "seccomp": {}}}
    changed, mounts = take_masks(config, root)
    assert config["linux"]["maskedPaths"] == list(paths)  # type: ignore[index]
    assert changed["linux"]["seccomp"] == {}
    return changed["linux"]["maskedPaths"], mounts


def test_a_file_and_a_directory_of_the_image(root: str) -> None:
    kept, mounts = masked(root, "/etc/secret", "/etc")
    assert kept == []
    assert [(mount["destination"], mount["type"], mount["source"]) for mount in mounts] == [
        ("/etc/secret", "bind", os.devnull),
        ("/etc", "tmpfs", "tmpfs"),
    ]
    assert all("ro" in mount["options"] for mount in mounts)


def test_a_link_is_followed_and_never_out_of_the_image(root: str) -> None:
    kept, mounts = masked(root, "/link", "/out")
    assert (kept, [mount["destination"] for mount in mounts]) == ([], ["/etc/secret", "/etc"])


def test_what_the_runtime_finds_itself(root: str) -> None:
    assert masked(root, "/proc/kcore", "/proc", "/none", "/") == (["/proc/kcore", "/proc", "/none", "/"], [])
