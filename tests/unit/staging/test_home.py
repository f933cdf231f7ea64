import os
from pathlib import Path

import pytest

from actors.staging import home

PASSWD = b"root:x:0:0:root:/root:/bin/sh\nbroken\napp:x:1000:1000::/home/\xe4pp:\nempty:x:7:7:::\n"


def with_home(env: list[str], uid: int, root: str) -> list[str]:
    process = {"env": env, "user": {"uid": uid}, "cwd": "/"}
    given = dict(process)
    found = home.with_home(process, root)
    assert process == given
    assert (found["user"], found["cwd"]) == ({"uid": uid}, "/")
    variables: list[str] = found["env"]
    return variables


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_bytes(PASSWD)
    return tmp_path


@pytest.mark.parametrize(("uid", "path"), [(0, "/root"), (1000, "/home/\udce4pp"), (7, "/"), (1234, "/")])
def test_it_is_that_of_the_image_or_the_root(root: Path, uid: int, path: str) -> None:
    assert with_home(["A=1"], uid, str(root)) == ["A=1", f"HOME={path}"]
    assert with_home(["HOME=", "A=1"], uid, str(root)) == ["A=1", f"HOME={path}"]


def test_one_that_is_set_stays(root: Path) -> None:
    assert with_home(["HOME=/x", "A=1"], 0, str(root)) == ["HOME=/x", "A=1"]


def test_what_is_no_file_of_the_image_is_not_read(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "passwd"
    other.write_bytes(b"root:x:0:0::/outside:")
    passwd = root / "etc/passwd"
    passwd.unlink()
    assert with_home([], 0, str(root)) == ["HOME=/"]
    passwd.symlink_to(other)
    assert with_home([], 0, str(root)) == ["HOME=/"]
    passwd.unlink()
    os.mkfifo(passwd)
    assert with_home([], 0, str(root)) == ["HOME=/"]


def test_a_link_in_the_image(root: Path) -> None:
    (root / "etc/passwd").rename(root / "real")
    (root / "etc/passwd").symlink_to("/real")
    assert with_home([], 0, str(root)) == ["HOME=/root"]
