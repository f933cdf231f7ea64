"""Binds and volumes whose source a node has not, or not under that path: what the program sees, and what comes back.

The nodes of the cluster share this machine's directories but not what is mounted later, as a volume of podman's is; and
what is below /run counts as this host's alone.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Cluster, Runner
    from tests.oci.docker import Docker
    from tests.oci.podman import Podman

SH = ("busybox", "sh", "-c")


class Directory:
    """A directory of the test user's, looked at and written to as he does."""

    def __init__(self, runner: Runner, path: str) -> None:
        self.runner, self.path = runner, path

    def do(self, script: str) -> str:
        done = self.runner(["sh", "-ec", f"cd {self.path}; {script}"])
        assert done.returncode == 0, done.stderr
        return done.stdout.rstrip("\n")

    def list(self) -> list[str]:
        return self.do("find . -type f | sort | xargs -r grep -H ''").splitlines()


def made(runner: Runner, template: str) -> Iterator[Directory]:
    path = runner(["mktemp", "-d", template]).stdout.strip()
    assert path.startswith("/")
    yield Directory(runner, path)
    runner(["rm", "-rf", path])


@pytest.fixture
def local(as_user: Runner, cluster: Cluster) -> Iterator[Directory]:
    """A directory that only this host has."""
    yield from made(as_user, f"/run/user/{cluster.uid}/mounts-XXXXXX")


@pytest.fixture
def shared(as_user: Runner) -> Iterator[Directory]:
    """A directory that the nodes have, too."""
    yield from made(as_user, "/home/scruntest/mounts-XXXXXX")


@contextlib.contextmanager
def volume(engine: Podman, *options: str) -> Iterator[str]:
    name = engine.name()
    engine.names.remove(name)  # no container
    engine.ok("volume", "create", *options, name)
    try:
        yield name
    finally:
        engine("volume", "rm", "--force", name)


def says(engine: Podman, *words: str) -> str:
    """Run it; it succeeds and complains of nothing; return its output."""
    done = engine.run("--rm", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(engine: Podman, *words: str) -> str:
    """Run it; it is refused before there is a job; return the sentence."""
    jobs = ["squeue", "-h", "-t", "all", "-o", "%i"]
    before = set(engine.runner(jobs).stdout.split())
    done = engine.run("--rm", *words)
    assert done.returncode in {125, 126, 127}
    assert set(engine.runner(jobs).stdout.split()) <= before
    return done.stderr


@pytest.mark.usefixtures("staged_anywhere")
def test_what_the_program_writes_there_comes_back_also_with_rm(podman: Podman, local: Directory) -> None:
    local.do("mkdir -p d/e; echo one >d/e/kept; echo one >changed; echo one >removed; echo one >$PWD.file")
    script = "cat /x/changed; echo two >/x/changed; rm /x/removed; mkdir /x/new; echo two >/x/new/o; echo two >/f"
    file = f"{local.path}.file"
    inode = local.do(f"stat -c %i {file}")
    assert says(podman, "-v", f"{local.path}:/x", "-v", f"{file}:/f", *SH, script) == "one\n"
    assert local.list() == ["./changed:two", "./d/e/kept:one", "./new/o:two"]
    assert local.do(f"cat {file}; stat -c %i {file}; rm {file}").split() == ["two", inode]


def test_what_this_host_changes_meanwhile_stays(podman: Podman, local: Directory) -> None:
    local.do("echo one >a; echo one >b")
    script = "echo ready; until [ -e /end ]; do sleep 0.1; done; echo two >/x/a"
    name = podman.ready(script, "-v", f"{local.path}:/x")
    local.do("echo host >b; echo host >c")
    podman.ok("exec", name, "touch", "/end")
    podman.ok("wait", name)
    assert local.list() == ["./a:two", "./b:host", "./c:host"]


def test_one_at_a_time_may_write(podman: Podman, local: Directory) -> None:
    local.do("mkdir d")
    first = podman.ready("echo ready; exec sleep 1000", "-v", f"{local.path}:/x")
    for source in (local.path, f"{local.path}/d"):
        for mode in ("rw", "ro"):
            sentence = refused(podman, "-v", f"{source}:/y:{mode}", *SH, "true")
            assert f"{source}, which is wanted as /y, is on this host only" in sentence
            assert podman.id(first) in sentence
    podman.ok("rm", "--force", "--time", "0", first)
    readers = [podman.ready("echo ready; exec sleep 1000", "-v", f"{local.path}:/x:ro") for _ in range(2)]
    assert "is on this host only" in refused(podman, "-v", f"{local.path}:/x", *SH, "true")
    podman.ok("rm", "--force", "--time", "0", *readers)
    assert says(podman, "-v", f"{local.path}:/x", *SH, "echo again >/x/f") == ""
    assert local.list() == ["./f:again"]


def test_a_part_of_a_directory_is_seen_in_the_whole(podman: Podman, local: Directory) -> None:
    local.do("mkdir part; echo one >part/f")
    volumes = ("-v", f"{local.path}/part:/part", "-v", f"{local.path}:/whole:ro", "-v", f"{local.path}/part/f:/f")
    script = (
        "echo two >/part/new; cat /whole/part/new; echo three >/f; cat /part/f; touch /whole/x 2>/dev/null || echo no"
    )
    assert says(podman, *volumes, *SH, script) == "two\nthree\nno\n"
    assert local.list() == ["./part/f:three", "./part/new:two"]


def test_too_much_to_carry(podman: Podman, local: Directory, user_settings: Any) -> None:
    user_settings("[staging]\nvolume_limit = 1\n")
    local.do("head -c 2000000 /dev/urandom >big")
    assert f"{local.path}, which is wanted as /x, is on this host only and has more than 1 MiB" in refused(
        podman, "-v", f"{local.path}:/x", *SH, "true"
    )
    assert says(podman, "-v", f"{local.path}:/x:ro", *SH, "stat -c %s /x/big") == "2000000\n"
    user_settings(f'[staging]\nvolume_limit = 1\nbinds = {{ "{local.path}" = "discard" }}\n')
    assert says(podman, "-v", f"{local.path}:/x", *SH, "echo >/x/new; stat -c %s /x/big") == "2000000\n"
    assert local.do("ls") == "big"


@pytest.mark.parametrize("options", [("type=bind",), ("type=none", "o=bind")])
def test_a_volume_that_is_a_directory_of_the_users(podman: Podman, shared: Directory, options: tuple[str, ...]) -> None:
    shared.do("echo inside >in")
    words = [word for option in (*options, f"device={shared.path}") for word in ("--opt", option)]
    with volume(podman, *words) as name:
        assert says(podman, "-v", f"{name}:/v", *SH, "cat /v/in; echo new >/v/n; cat /v/n") == "inside\nnew\n"
        assert shared.list() == ["./in:inside", "./n:new"]


def test_a_volume_that_is_a_directory_of_this_host_only(podman: Podman, local: Directory) -> None:
    local.do("echo inside >in")
    with volume(podman, "--opt", "type=bind", "--opt", f"device={local.path}") as name:
        assert says(podman, "-v", f"{name}:/v", *SH, "cat /v/in; echo new >/v/n") == "inside\n"
        assert local.list() == ["./in:inside", "./n:new"]


def test_a_volume_in_memory(podman: Podman) -> None:
    with volume(podman, "--opt", "type=tmpfs", "--opt", "device=tmpfs") as name:
        script = "echo new >/v/n; cat /v/n"
        assert says(podman, "-v", f"{name}:/v", *SH, script) == "new\n"


def test_an_ordinary_volume(engine: Podman) -> None:
    with volume(engine) as name:
        assert says(engine, "-v", f"{name}:/v", *SH, "echo new >/v/n") == ""
        assert says(engine, "-v", f"{name}:/v", *SH, "cat /v/n") == "new\n"


def test_docker_s_volume_that_is_a_directory(docker: Docker, shared: Directory) -> None:
    shared.do("echo inside >in")
    words = ["--opt", "type=none", "--opt", "o=bind", "--opt", f"device={shared.path}"]
    with volume(docker, *words) as name:
        assert says(docker, "-v", f"{name}:/v", *SH, "cat /v/in; echo new >/v/n") == "inside\n"
        assert shared.list() == ["./in:inside", "./n:new"]


def test_docker_s_bind_of_what_only_this_host_has(docker: Docker, local: Directory) -> None:
    local.do("echo one >a")
    assert says(docker, "-v", f"{local.path}:/x", *SH, "cat /x/a; echo two >/x/b") == "one\n"
    assert local.list() == ["./a:one", "./b:two"]


def test_an_image_as_a_mount(podman: Podman) -> None:
    words = ("--mount", "type=image,source=busybox,destination=/im")
    assert {"bin", "etc"} <= set(says(podman, *words, "busybox", "ls", "/im").split())
    assert says(podman, *words, *SH, "touch /im/x 2>/dev/null || echo no") == "no\n"


def test_an_overlay_volume_keeps_nothing(podman: Podman, shared: Directory) -> None:
    shared.do("echo inside >in")
    assert says(podman, "-v", f"{shared.path}:/o:O", *SH, "cat /o/in; echo new >/o/n; cat /o/n") == "inside\nnew\n"
    assert shared.list() == ["./in:inside"]


LISTEN = """
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
print("listening", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def listening(runner: Runner, path: str) -> Iterator[None]:
    process = runner.start(["python3", "-c", LISTEN, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout
        assert process.stdout.readline() == b"listening\n"
        yield
    finally:
        process.communicate(timeout=10)


def test_a_socket_is_refused_in_a_sentence(podman: Podman, local: Directory, as_user: Runner) -> None:
    with listening(as_user, f"{local.path}/agent"):
        sentence = refused(podman, "-v", f"{local.path}/agent:/agent.sock", *SH, "test -S /agent.sock")
    assert f"{local.path}/agent, which is wanted as /agent.sock, is a socket of this host" in sentence
    local.do("mkfifo pipe")
    assert "is a pipe of this host" in refused(podman, "-v", f"{local.path}/pipe:/p", *SH, "true")


def test_a_directory_with_what_cannot_be_copied(podman: Podman, local: Directory, as_user: Runner) -> None:
    local.do("echo one >a; touch net; mkfifo pipe")
    subprocess.run(["mount", "--bind", "/proc/self/ns/net", f"{local.path}/net"], check=True)
    try:
        with listening(as_user, f"{local.path}/agent"):
            done = podman.run("--rm", "-v", f"{local.path}:/x", *SH, "cat /x/a; echo two >/x/b")
            assert (done.returncode, done.stdout) == (0, "one\n")
            assert local.do("cat a b; test -S agent; test -p pipe") == "one\ntwo"
    finally:
        subprocess.run(["umount", f"{local.path}/net"], check=True)


def test_the_whole_run_directory(podman: Podman, cluster: Cluster, local: Directory) -> None:
    run = f"/run/user/{cluster.uid}"
    name = local.path.rpartition("/")[2]
    assert says(podman, "-v", f"{run}:/x", *SH, f"echo out >/x/{name}/o") == ""
    assert local.list() == ["./o:out"]


def own_dev(runner: Runner) -> set[str]:
    return {name for name in runner(["ls", "-A", "/dev"]).stdout.split() if "scrun" in name}


@pytest.mark.parametrize("who", ["podman", "root_podman", "docker"])
def test_the_nodes_own_devices(who: str, request: pytest.FixtureRequest, wait_until: Any) -> None:
    engine: Podman = request.getfixturevalue(who)
    before = own_dev(engine.runner)
    options = ("-v", "/dev:/dev", *(("--tmpfs", "/run") if who == "docker" else ()))
    name = engine.ready("echo ready; test -c /dev/null && test -e /dev/zero && exec sleep 1000", *options)
    # The one who execs finds the runtime by the entry file's mount.
    assert engine.ok("exec", name, "sh", "-c", "ls -A /dev | grep -c ^null; id -u") == "1\n0"
    engine.ok("rm", "--force", name)
    assert own_dev(engine.runner) <= before


def test_the_nodes_own_devices_and_no_place_for_the_entry_file(podman: Podman) -> None:
    assert "give it one by --tmpfs /run" in refused(podman, "-v", "/dev:/dev", "--ipc=host", *SH, "true")
    words = ("-v", "/dev:/dev", "--ipc=host", "--tmpfs", "/run")
    assert says(podman, *words, *SH, "echo inside") == "inside\n"


HOOK = """
import json, os, sys
bundle = json.load(sys.stdin)["bundle"]
root = json.load(open(f"{bundle}/config.json"))["root"]["path"]
open(os.path.join(bundle, root, "made"), "w").write("hooked\\n")
"""


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer"])
def test_what_a_hook_writes_into_the_root_file_system(podman: Podman, shared: Directory, kind: str) -> None:
    hook = {
        "version": "1.0.0",
        "hook": {"path": "/usr/bin/python3", "args": ["python3", "-c", HOOK]},
        "when": {"always": True},
        "stages": [kind],
    }
    assert podman.runner(["tee", f"{shared.path}/h.json"], json.dumps(hook)).returncode == 0
    name = podman.name()
    words = ("run", "--name", name, *SH, "cat /made")
    done = podman.runner(["podman", f"--hooks-dir={shared.path}", *words], timeout=90)
    assert done.stdout == "hooked\n", done.stderr
    assert "A /made" in podman.ok("diff", name).splitlines()
