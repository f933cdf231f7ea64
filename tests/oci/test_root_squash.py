"""Containers staged where root is nobody, as on NFS with root_squash: what is open, what is kept, what is refused."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import secrets
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.oci.podman import READY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Cluster, Runner
    from tests.oci.podman import Podman
    from tests.slurm.runtime import Runtime

SH = ("sh", "-c")


def imported(as_user: Runner, archive: bytes, name: str) -> None:
    done = as_user.raw(["podman", "import", "--quiet", "-", name], archive)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def image(as_user: Runner) -> Iterator[Callable[..., str]]:
    """Make an image of busybox and these files, each with its mode and owner."""
    names: list[str] = []

    def make(*files: tuple[str, int, int]) -> str:
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w", dereference=True) as archive:
            archive.add("/bin/busybox", "bin/busybox")
            for applet in ("sh", "cat", "stat", "touch", "chmod", "mkdir", "id", "ls"):
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
            for path, mode, owner in files:
                entry = tarfile.TarInfo(path)
                entry.type = tarfile.DIRTYPE if path.endswith("/") else tarfile.REGTYPE
                entry.mode, entry.uid, entry.gid = mode, owner, owner
                archive.addfile(entry)
        names.append(f"localhost/squash-{secrets.token_hex(4)}")
        imported(as_user, data.getvalue(), names[-1])
        return names[-1]

    yield make
    as_user(["podman", "rmi", "--force", *names])


def reached_by_root(as_user: Runner, top: pathlib.Path) -> set[str]:
    """What root of a node can read of a directory that only its user can list."""
    found = as_user(["find", str(top), "-type", "f", "-printf", "%P\\n"]).stdout.splitlines()
    return {name for name in found if os.access(top / name, os.R_OK, effective_ids=True)}


def test_root_of_a_node_reads_config_json_and_nothing_else(
    squashed: pathlib.Path, podman: Podman, as_user: Runner
) -> None:
    secret = f"secret-{secrets.token_hex(8)}"
    name = podman.ready(f"{READY}; : {secret}", "--env", f"WORD={secret}")
    (staged,) = [path for path in as_user(["ls", str(squashed)]).stdout.split() if podman.id(name) in path]
    assert reached_by_root(as_user, squashed / staged) == {"config.json"}
    text = (squashed / staged / "config.json").read_text()
    assert json.loads(text)["process"]
    assert secret not in text
    # The program has both, all the same.
    assert podman.ok("exec", name, *SH, "tr '\\0' '\\n' </proc/1/environ").count(secret) == 1


def test_it_reads_nothing_else_while_that_is_written(runtime: Runtime, squashed: pathlib.Path) -> None:
    start = runtime.runner.start

    def careless(argv: Any, **stdio: Any) -> Any:
        return start(["/bin/sh", "-c", 'umask 0; exec "$@"', "sh", *argv], **stdio)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime.runner, "start", careless)
        box = runtime.begin("/bin/cat", "secret-argument", stdin=True, env=["PATH=/bin", "WORD=secret-word"])
    process, seen, over = runtime.creating[box.id], set(), False
    while not over:
        over = process.poll() is not None  # so there is a last look when it is
        for name in reached_by_root(runtime.runner, squashed):
            seen.add(pathlib.PurePath(name).name.removesuffix(".new"))
            with contextlib.suppress(FileNotFoundError):  # it has been renamed meanwhile
                assert "secret" not in (squashed / name).read_text()
    assert process.returncode == 0, box.read("err")
    box.anchor = int(runtime.pid_file(box.id).read_text())
    assert seen == {"config.json"}


def test_a_closed_directory_on_the_way(
    runtime: Runtime, cluster: Cluster, as_user: Runner, user_settings: Callable[[str], None]
) -> None:
    closed = cluster.squashed / "closed"
    user_settings(f'[staging]\ndirectory = "{closed}/scrun"\n')
    assert as_user(["mkdir", "-m", "700", str(closed)]).returncode == 0
    try:
        bundle = runtime.bundle("/bin/true")
        sentence = runtime.fails("create", "--bundle", str(bundle), "wall")
        assert f"cannot go through {closed} (mode 0700)" in sentence
        assert not (runtime.root / "wall").exists()
        # As the sentence says.
        assert as_user(["chmod", "go+x", str(closed)]).returncode == 0
        runtime.ids.append("wall")
        assert runtime("run", "--bundle", str(bundle), "wall").returncode == 0
    finally:
        as_user(["rm", "-rf", str(closed)])


def test_one_id_and_all_modes(squashed: pathlib.Path, podman: Podman, image: Any) -> None:
    files = (("app/", 0o751, 1000), ("app/tool", 0o4755, 1000), ("app/key", 0o640, 1000), ("shared/", 0o1777, 0))
    script = "id -u; cd /app; touch made && stat -c '%a %u %n' . tool key /shared"
    done = podman.run("--rm", "--user", "1000", image(*files), *SH, script)
    assert done.stdout.splitlines() == ["1000", "751 1000 .", "4755 1000 tool", "640 1000 key", "1777 1000 /shared"]
    assert done.returncode == 0


def test_mount_points_in_a_root_directory_that_nobody_may_write(
    squashed: pathlib.Path, podman: Podman, image: Any
) -> None:
    """podman makes it 0555, and the container's root is no more than the owner there."""
    done = podman.run("--rm", "-v", "/usr/share:/data/deep:ro", image(("data/", 0o555, 0)), *SH, "ls -d /data/deep/doc")
    assert (done.returncode, done.stdout) == (0, "/data/deep/doc\n"), done.stderr


def test_a_file_that_its_owner_cannot_read_keeps_none_of_the_others(
    squashed: pathlib.Path, podman: Podman, image: Any
) -> None:
    script = """cat /etc/x /etc/y /newdir/z; mkdir /newdir
        for file in etc/x etc/y newdir/z; do echo $file >/$file; done; chmod 0 /etc/x"""
    name = podman.create(image(("etc/", 0o755, 0)), *SH, script)
    podman.ok("start", "--attach", name)
    again = podman("start", "--attach", name)
    assert {"etc/y", "newdir/z"} <= set(again.stdout.split()), again


def test_a_hook_with_variables_that_everybody_could_read(runtime: Runtime, squashed: pathlib.Path) -> None:
    """createContainer hooks are the node's to run, so they are in config.json."""
    hooks = {"createContainer": [{"path": "/bin/true", "env": ["WORD=secret"]}]}
    bundle = runtime.bundle("/bin/true", config={"hooks": hooks})
    sentence = runtime.fails("create", "--bundle", str(bundle), "hook")
    assert "a hook's environment would be readable for everybody" in sentence


@pytest.mark.usefixtures("squashed")
def test_runc_and_a_container_without_an_id_for_root(runtime: Runtime, cluster: Cluster, as_user: Runner) -> None:
    conf = runtime.directory / "conf"
    script = """mkdir "$2" && cp "$(dirname "$1")"/[!s]*.conf "$1" "$2" &&
        sed -i 's/ crun / runc /' "$2/oci.conf" """  # not slurmdbd.conf, which is Slurm's alone
    assert as_user(["sh", "-c", script, "sh", cluster.slurm_conf, str(conf)]).returncode == 0
    bundle = runtime.bundle("/bin/true", user={"uid": 1000, "gid": 1000})
    sentence = runtime.fails("--slurm-conf", str(conf / "slurm.conf"), "create", "--bundle", str(bundle), "runc")
    assert "the container would have one id, 1000, and runc runs none without an id for root" in sentence
