"""docs/install.md can be executed: the form that tests/site relies on."""

from __future__ import annotations

import tomllib

import pytest

from tests.site import book

TEXT = """# Title
`/before`
```sh
no
```
## 1. First, on `/a/b` and `/c`
```sh
one
  two
```
more `/d`
### Below
```toml
key = 1
```
## Not numbered
`/e`
```sh
no
```
"""


def test_blocks_belong_to_their_numbered_section_only() -> None:
    (section,) = book.read(TEXT).values()
    assert section.blocks == [book.Block("sh", "one\n  two\n"), book.Block("toml", "key = 1\n")]


def test_the_file_of_a_section_is_the_first_path_of_its_prose() -> None:
    text = TEXT.replace("`/a/b` and `/c`", "a host")
    assert book.read(text)[1].file == "/d"


def test_a_block_without_an_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="never closed"):
        book.read("## 1. First\n```sh\nx\n")


def test_install_md_has_what_the_site_executes() -> None:
    sections = book.read(book.INSTALL.read_text())
    assert list(sections) == [1, 2, 3, 4, 5]
    assert all(sections[number].texts("sh") for number in (1, 2, 5))
    for number, file in ((3, "/etc/containers/containers.conf"), (4, "/etc/scrun/scrun.toml")):
        assert sections[number].file == file
        assert tomllib.loads(sections[number].texts("toml")[0])
