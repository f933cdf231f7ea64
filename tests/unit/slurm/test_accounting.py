"""A container in Slurm's books: which name its job has, and what stands in its comment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from actors.slurm import accounting, origin
from actors.slurm.options import resolve
from actors.slurm.queue_format import read_found
from actors.slurm.slurm import Slurm
from proto.errors import SettingsError
from proto.host.paths import ID_LIMIT
from proto.value import replace
from scrun.delete.left_overs import Stranger, strangers
from tests.unit.creations import creation

if TYPE_CHECKING:
    from actors.slurm.option_table import Version
    from proto.life.creation import Creation

ENGINES = "3f2a" * 16
NASTY = "a b,c|d\te\n\x1b[2J;$(x)`y`'\"\\é\udcff"


def words_of(made: Creation, version: Version = (22, 5)) -> list[str]:
    """What salloc is told."""
    command = Slurm(replace(made, slurm=version)).request(made)
    assert command is not None
    return [os.fsdecode(word) for word in command.argv]


@pytest.mark.parametrize(
    ("id", "name", "image", "expected"),
    [
        (ENGINES, "web", "docker.io/library/nginx:1.27", "web"),
        (ENGINES, "", "docker.io/library/nginx:1.27", "nginx"),
        (ENGINES, "", "localhost:5000/a/b@sha256:0123", "b"),
        (ENGINES, "", "", "scrun"),
        ("mine", "", "nginx", "mine"),
        ("buildah-buildah27", "", "", "buildah-buildah27"),
        (ENGINES, NASTY, "", "a_b_c_d_e___2J___x__y__________"),
        (ENGINES, "n" * 300, "", "n" * 64),
    ],
)
def test_the_job_has_the_name_of_the_container_or_of_its_image(id: str, name: str, image: str, expected: str) -> None:
    made = creation(id=id, name=name, image=image)
    assert accounting.job_name(made).rstrip("_") == expected.rstrip("_")
    assert f"--job-name={accounting.job_name(made)}" in words_of(made)


def test_a_name_that_was_asked_for_wins_in_job_and_step() -> None:
    made = creation(name="web", settings__job={"job-name": "mine"})
    step = Slurm(made).step(made, 7, "/bundle", (b"true",), terminal=False)
    for words in (words_of(made), [os.fsdecode(word) for word in step.argv]):
        assert [word for word in words if word.startswith("--job-name=")] == ["--job-name=mine"]


def test_job_and_step_have_one_name() -> None:
    made = creation(name="web", id=ENGINES)
    step = Slurm(made).step(made, 7, "/bundle", (b"true",), terminal=False)
    assert b"--job-name=web" in step.argv
    assert not [word for word in step.argv if word.startswith(b"--comment")]


def test_the_comment_leads_to_the_container_and_has_the_cookie_first() -> None:
    made = creation(id=ENGINES, name="web", image="docker.io/library/nginx:1.27", host="login1")
    place = origin.here(made.root)
    assert accounting.comment(made) == (
        f"scrun:{made.cookie} scrun-at:{place} scrun-host:login1 scrun-id:{ENGINES} scrun-name:web "
        "scrun-image:docker.io/library/nginx:1.27"
    )
    assert f"--comment={accounting.comment(made)}" in words_of(made)


def test_what_is_not_known_is_left_out() -> None:
    made = creation(host="")
    assert accounting.comment(made) == f"scrun:{made.cookie} scrun-at:{origin.here(made.root)} scrun-id:box1"


def test_the_users_comment_follows() -> None:
    made = creation(settings__job={"comment": "for Ann, twice"})
    [comment] = [word for word in words_of(made) if word.startswith("--comment=")]
    assert comment.endswith(" scrun-id:box1 for Ann, twice")


def test_whoever_reads_comments_finds_the_job_as_before() -> None:
    made = creation(name=NASTY, image=NASTY, host=NASTY, settings__job={"comment": "a | b, c"})
    comment = accounting.comment(made)
    assert comment.isprintable()
    assert read_found(f"5|RUNNING|{comment}\n", accounting.COOKIE + made.cookie) == [5]
    known = Stranger(5, made.cookie, origin.here(made.root))
    assert strangers(f"5|RUNNING|{comment}\n", set()) == [known]


def test_the_longest_comment_is_one_that_slurmctld_takes() -> None:
    long = "x" * 5000
    made = creation(
        id="i" * ID_LIMIT, cookie="c" * 16, name=long, image=long, host=long,
        settings__job={"comment": "é" * (accounting.COMMENT_LIMIT // 2)},
    )  # fmt: skip
    assert 900 < len(accounting.comment(made).encode()) <= 1024


def asked(comment: str) -> dict[str, str]:
    return resolve({"scrun.comment": comment}, (), {}, {}, {})


def test_a_comment_can_be_asked_for_as_any_option() -> None:
    assert asked("for Ann") == {"comment": "for Ann"}
    assert resolve({}, [b"SCRUN_COMMENT=x"], {}, {}, {"comment": "y"}) == {"comment": "x"}


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("é" * 101, "more than the 200 bytes"),
        ("x scrun:feed", "begins with scrun: or scrun-"),
        ("x,scrun-at:here", "begins with scrun: or scrun-"),
        ("a\tb", "control character"),
        ("a\x1b[2Jb", "control character"),
        ("a\x9bb", "control character"),
    ],
)
def test_a_comment_that_would_mislead_or_has_no_room(comment: str, words: str) -> None:
    with pytest.raises(SettingsError, match=rf"^annotation scrun\.comment has .*{words}"):
        asked(comment)
