"""What the doctor makes of the site's stores of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scrun.cli.parsing import Line
from scrun.doctor import images
from scrun.host import Host
from tests.unit.creations import changed

if TYPE_CHECKING:
    from pathlib import Path

Looked = tuple[str, str, str]


@pytest.mark.parametrize(
    ("stores", "level", "words"),
    [
        ([], "ok", "there is none"),
        ([("/sw/images", "", "nfs4")], "ok", "/sw/images"),
        ([("/a", "", "nfs4"), ("/b", "others may write into the store /b", "nfs4")], "warning", "others may write"),
        ([("/a", "", "nfs4"), ("/b", "", "ext4")], "warning", "/b is on ext4"),
        ([("/a", "", "")], "warning", "an unknown file system"),
    ],
)
def test_stores_are_judged(stores: list[Looked], level: str, words: str) -> None:
    finding = images.judge_stores(stores)
    assert finding.level == level
    assert words in finding.sentence


def test_a_store_is_looked_at(tmp_path: Path) -> None:
    host = Host(Line())
    host.settings = changed(host.settings, staging__images=(str(tmp_path / "store"),))
    finding = images.image_stores(host)
    assert (finding.level, finding.lines) == ("warning", (f"install -d -m 755 {tmp_path}/store",))
    (tmp_path / "store").mkdir()
    (tmp_path / "store").chmod(0o777)
    finding = images.image_stores(host)
    assert "others may write" in finding.sentence
    assert finding.lines == (f"chown root: {tmp_path}/store && chmod go-w {tmp_path}/store",)
