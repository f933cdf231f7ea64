"""The rows' form: what is wrong with one is said in a sentence that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.oci.beside import table

if TYPE_CHECKING:
    import pathlib


def cases(**row: Any) -> list[table.Case]:
    return table.cases_of("run", {"a-row": {"script": "engine run"} | row})


def test_a_row_is_for_both_engines_unless_it_says_so() -> None:
    assert [case.id for case in cases()] == ["podman-run-a-row", "docker-run-a-row"]
    assert [case.engine for case in cases(engines=["docker"])] == ["docker"]


def test_a_reason_is_for_all_engines_or_for_one() -> None:
    everywhere = table.Expectation("node", "", frozenset({"stdout"}))
    podman, docker = cases(why="node", differs=["stdout"])
    assert (podman.expected, docker.expected) == (everywhere, everywhere)
    podman, docker = cases(why="node", differs=["stdout"], docker={"fault": "no", "differs": ["status"]})
    assert (podman.expected, docker.expected) == (everywhere, table.Expectation("", "no", frozenset({"status"})))
    podman, docker = cases(podman={"fault": "no", "differs": ["time"]})
    assert (podman.expected.fault, docker.expected) == ("no", table.Expectation())


def test_a_difference_may_be_of_some_stacks_only() -> None:
    (docker,) = cases(engines=["docker"], why="node", differs=["stdout"], where="docker since 28")
    assert docker.expected.where == "docker since 28"


def test_a_terminal_with_what_is_typed() -> None:
    podman, _ = cases(terminal=[24, 80], raw=True, typed=[["ready", "x\r"]])
    assert podman.terminal == table.Terminal(24, 80, raw=True, typed=(("ready", "x\r"),))


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"script": " "}, "has no script"),
        ({"scirpt": "x"}, "has an unknown key: scirpt"),
        ({"engines": []}, "has no such engines"),
        ({"engines": ["podman", "podman"]}, "has no such engines"),
        ({"engines": ["crio"]}, "has no such engines"),
        ({"engines": ["podman"], "docker": {"why": "x", "differs": ["stdout"]}}, "is not for docker"),
        ({"docker": {"script": "x"}}, "has an unknown key for docker: script"),
        ({"why": "node"}, "needs both or neither"),
        ({"differs": ["stdout"]}, "needs both or neither"),
        ({"why": "node", "fault": "x", "differs": ["stdout"]}, "has both a reason and a fault"),
        ({"why": "node", "differs": ["colour"]}, "differs in what is not compared: colour"),
        ({"why": "node", "differs": ["stdout"], "where": "docker"}, "no such stack: docker"),
        ({"without": "Slurm"}, "there is no such stack: Slurm"),
        ({"where": "docker since 28"}, "has no difference"),
        ({"typed": [["a", "b"]]}, "types without a terminal"),
        ({"terminal": [24]}, "has no terminal = "),
        ({"terminal": [24, 80], "typed": [["a"]]}, "or no typed = "),
    ],
)
def test_what_has_not_the_form_is_refused(row: dict[str, Any], sentence: str) -> None:
    with pytest.raises(table.TableError, match=rf"^run\.toml: a-row: .*{sentence}"):
        cases(**row)


def test_a_name_is_of_small_letters() -> None:
    with pytest.raises(table.TableError, match="is no name"):
        table.cases_of("run", {"A row": {"script": "x"}})


def directory(path: pathlib.Path, row: str, reasons: str = "", images: str = "") -> pathlib.Path:
    (path / "rows").mkdir()
    (path / "rows/run.toml").write_text(f'[a]\nscript = "x"\nengines = ["podman"]\n{row}')
    (path / "reasons.toml").write_text(reasons)
    (path / "images.toml").write_text(images)
    return path


def test_every_word_is_explained_and_every_reason_used(tmp_path: pathlib.Path) -> None:
    row = 'why = "node"\ndiffers = ["stdout"]\n'
    with pytest.raises(table.TableError, match=r"reasons\.toml has not: node"):
        table.read(directory(tmp_path, row))
    (tmp_path / "reasons.toml").write_text('node = "a sentence"\nother = "another"\n')
    with pytest.raises(table.TableError, match=r"reasons\.toml: nothing needs other"):
        table.read(tmp_path)
    (tmp_path / "reasons.toml").write_text('node = "a sentence"\n')
    assert table.read(tmp_path).reasons == {"node": "a sentence"}


def test_every_image_is_known_and_used(tmp_path: pathlib.Path) -> None:
    with pytest.raises(table.TableError, match=r"images\.toml has not: odd"):
        table.read(directory(tmp_path, 'image = "odd"\n'))
    (tmp_path / "images.toml").write_text('odd = "x"\nother = "y"\n')
    with pytest.raises(table.TableError, match=r"images\.toml: nothing needs other"):
        table.read(tmp_path)


def test_there_are_enough_rows_and_no_two_have_one_name() -> None:
    ids = [case.id for case in table.read().cases]
    assert len(ids) == len(set(ids))
    assert len({case.script for case in table.read().cases}) >= 150
