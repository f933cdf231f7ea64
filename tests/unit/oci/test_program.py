import os
from pathlib import Path

import pytest

from actors.oci.program import find_program
from proto.errors import ProgramNotExecutableError, ProgramNotFoundError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "rootfs"
    for name in ("bin", "usr/bin", "etc", "work/sub", "proc"):
        (root / name).mkdir(parents=True)
    tool = root / "bin/tool"
    tool.write_bytes(b"\x7fELF")
    tool.chmod(0o755)
    (root / "etc/text").write_text("text")
    (root / "usr/bin/absolute").symlink_to("/bin/tool")
    (root / "usr/bin/upward").symlink_to("../../../../../../bin/tool")
    (root / "usr/bin/loop").symlink_to("loop")
    (root / "usr/bin/outside").symlink_to("/../../../../../../../../bin/sh")
    (root / "sbin").symlink_to("/bin")
    return root


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("tool", "/bin/tool"),
        ("/bin/tool", "/bin/tool"),
        ("absolute", "/usr/bin/absolute"),
        ("upward", "/usr/bin/upward"),
        ("/sbin/tool", "/sbin/tool"),
        ("../bin/tool", "/work/../bin/tool"),
        ("./../work/sub/../../bin//tool", "/work/./../work/sub/../../bin//tool"),
    ],
)
def test_what_can_be_found(root: Path, word: str, expected: str) -> None:
    assert find_program(str(root), word.encode(), b"/usr/bin:/bin", b"/work") == expected.encode()


@pytest.mark.parametrize("word", ["none", "loop", "outside", "", "text", ".."])
def test_what_is_not_in_the_path(root: Path, word: str) -> None:
    with pytest.raises(ProgramNotFoundError, match=r"executable file not found in \$PATH"):
        find_program(str(root), word.encode(), b"/usr/bin:/bin", b"/")


@pytest.mark.parametrize("word", ["/bin/none", "/bin/sh", "/usr/bin/outside", "/usr/bin/loop", "/bin/tool/below"])
def test_what_does_not_exist(root: Path, word: str) -> None:
    with pytest.raises(ProgramNotFoundError, match="no such file or directory"):
        find_program(str(root), word.encode())


def test_what_cannot_be_executed(root: Path) -> None:
    with pytest.raises(ProgramNotExecutableError, match="permission denied"):
        find_program(str(root), b"/etc/text")
    with pytest.raises(ProgramNotExecutableError, match="permission denied"):
        find_program(str(root), b"text", b"/etc")
    with pytest.raises(ProgramNotExecutableError, match="permission denied: is a directory"):
        find_program(str(root), b"/etc")


def test_without_a_path_the_usual_directories_are_searched(root: Path) -> None:
    assert find_program(str(root), b"tool") == b"/sbin/tool"


def test_an_empty_word_in_the_path_is_the_working_directory(root: Path) -> None:
    assert find_program(str(root), b"tool", b"/none:", b"/bin") == b"/bin/tool"


def test_what_cannot_be_read_is_not_decided(root: Path, tmp_path: Path) -> None:
    assert find_program(str(tmp_path / "missing"), b"tool") == b""
    if os.getuid() == 0:
        pytest.skip("root reads everything")
    (root / "bin").chmod(0)
    try:
        assert find_program(str(root), b"/bin/tool") == b""
    finally:
        (root / "bin").chmod(0o755)


def test_bind_mounts_are_followed_into_their_source(root: Path, tmp_path: Path) -> None:
    extra = tmp_path / "extra"
    extra.mkdir()
    (extra / "own").write_text("#!")
    (extra / "own").chmod(0o755)
    mounts = {b"/opt/": os.fsencode(extra), b"/init": os.fsencode(extra / "own")}
    assert find_program(str(root), b"own", b"/bin:/opt", b"/", mounts) == b"/opt/own"
    assert find_program(str(root), b"/init", b"", b"/", mounts) == b"/init"
    with pytest.raises(ProgramNotFoundError):
        find_program(str(root), b"/opt/tool", b"", b"/", mounts)


def test_a_mount_point_below_a_link_is_found(root: Path, tmp_path: Path) -> None:
    # "docker run --init" of an image whose /sbin is a link
    (tmp_path / "init").write_text("#!")
    (tmp_path / "init").chmod(0o755)
    (root / "short").symlink_to("bin")
    mounts = {b"/short/docker-init": os.fsencode(tmp_path / "init")}
    for program in (b"/short/docker-init", b"/bin/docker-init"):
        assert find_program(str(root), program, b"", b"/", mounts) == program


def test_a_mount_of_unknown_contents_is_not_decided(root: Path) -> None:
    assert find_program(str(root), b"/proc/self/exe", b"", b"/", {b"/proc": b""}) == b""
    assert find_program(str(root), b"tool", b"/proc:/bin", b"/", {b"/proc": b""}) == b""
