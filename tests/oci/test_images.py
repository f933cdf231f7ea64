"""No container sees a byte of another image, or of another container of its own image."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from tests.oci.node import ONE_OVERLAY
from tests.slurm import site_conf

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator

    from tests.conftest import Runner
    from tests.oci.docker import Docker
    from tests.oci.podman import Podman


@pytest.fixture
def built(tmp_path: pathlib.Path) -> Iterator[Callable[..., str]]:
    """Build an image of a Containerfile and some files, all of one time, as reproducible builders do."""
    made: list[tuple[Any, str]] = []

    def build(podman: Podman, text: str, **files: str) -> str:
        name = f"localhost/t-{secrets.token_hex(4)}"
        script = "d=$(mktemp -d) && cd $d && cat >archive && tar -xf archive && rm archive"
        archive = archive_of({"Containerfile": text, **files})
        words = ["podman", "--runtime", "crun", "build", "--quiet", "--timestamp", "0", "--tag", name, "."]
        done = podman.runner.raw(["sh", "-c", f'{script} && "$@"; s=$?; rm -rf $d; exit $s', "sh", *words], archive)
        assert done.returncode == 0, done.stderr
        made.append((podman, name))
        return name

    yield build
    for podman, name in made:
        podman("rmi", "--force", name)


def archive_of(files: dict[str, str]) -> bytes:
    import io
    import tarfile

    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return data.getvalue()


@pytest.fixture(params=["user", "root"])
def engine(request: pytest.FixtureRequest) -> Podman:
    found: Podman = request.getfixturevalue("podman" if request.param == "user" else "root_podman")
    return found


def test_images_of_equal_sizes_and_times(engine: Podman, built: Callable[..., str]) -> None:
    """Case 1."""
    text = "FROM busybox\nCOPY f /f\n"
    one, two = (built(engine, text, f=f"version={number}") for number in (1, 2))
    said = [engine.run("--rm", "--read-only", image, "cat", "/f").stdout for image in (one, two, one)]
    assert said == ["version=1", "version=2", "version=1"]


def test_the_storage_driver_vfs(as_user: Runner, podman: Podman, built: Callable[..., str]) -> None:
    """Case 1, where there are no layers to tell one from the other."""
    text = "FROM busybox\nCOPY f /f\n"
    one, two = (built(podman, text, f=f"version={number}") for number in (1, 2))
    home = f"/tmp/vfs-{secrets.token_hex(4)}"
    vfs = ["podman", "--root", f"{home}/root", "--runroot", f"{home}/run", "--storage-driver", "vfs"]
    try:
        for image in (one, two):
            copied = as_user(["sh", "-c", f'podman save {image} | "$@" load --quiet', "sh", *vfs])
            assert copied.returncode == 0, copied.stderr
        said = [as_user([*vfs, "run", "--rm", "--read-only", image, "cat", "/f"]).stdout for image in (one, two, one)]
        assert said == ["version=1", "version=2", "version=1"]
    finally:
        as_user([*vfs, "system", "reset", "--force"])
        as_user(["podman", "unshare", "rm", "-rf", home])


def test_what_was_put_into_a_container_is_what_it_reads(engine: Podman) -> None:
    """Case 3: the same size, again and again; seen lost in one to three of eight."""
    name = engine.name()
    engine.ok("create", "--name", name, "busybox", "cat", "/f")
    for number in range(8):
        text = f"{number:04}"
        done = engine.runner(
            ["sh", "-c", f"printf {text} >/tmp/{name} && podman cp /tmp/{name} {name}:/f; rm /tmp/{name}"]
        )
        assert done.returncode == 0, done.stderr
        assert engine("start", "--attach", name).stdout == text


@pytest.mark.slice
def test_the_changes_of_a_container_are_in_no_other(engine: Podman) -> None:
    name = engine.name()
    assert engine("run", "--name", name, "busybox", "sh", "-c", "echo mine >/f; rm -f /bin/vi").returncode == 0
    assert engine("start", "--attach", name).returncode == 0
    done = engine.run("--rm", "--read-only", "busybox", "sh", "-c", "ls /f; ls /bin/vi")
    assert done.stdout == "/bin/vi\n"


@pytest.mark.slice
def test_read_only_containers_on_several_nodes_share_a_tree(engine: Podman, built: Callable[..., str]) -> None:
    """Each had one of its own, for each has a file of scrun's in ``/dev``: an import a life, and never used again."""
    image = built(engine, "FROM busybox\nCOPY f /f\n", f=secrets.token_hex(4))
    cached = []
    for _ in range(2):
        engine.ok("run", "--rm", "--read-only", "--annotation", "scrun.nodes=2", image, "cat", "/f")
        cached.append(engine.runner(["sh", "-c", "ls ~/.scrun/cache"]).stdout)
    assert cached[0] == cached[1]


@pytest.fixture
def store(as_root: Runner) -> Iterator[str]:
    """A store of the site's that the unprivileged user reads."""
    path = f"/var/lib/scrun-cluster/images-{secrets.token_hex(4)}"
    yield path
    as_root(["rm", "-rf", path])


def test_the_first_container_of_a_user_is_served_by_the_site(
    podman: Podman, as_root: Runner, as_user: Runner, store: str
) -> None:
    pushed = as_root(["scrun", "image", "push", "localhost/busybox", store])
    assert pushed.returncode == 0, pushed.stderr
    toml, place = "~/.config/scrun/scrun.toml", f"~/.images-{secrets.token_hex(4)}"
    lines = f'[scrun]\\nid_mapping = "single"\\n[staging]\\nimages = ["{store}"]\\ndirectory = "{place}"\\n'
    conf = as_user(["sh", "-c", f"mkdir -p ~/.config/scrun && printf '{lines}' >{toml}"])
    assert conf.returncode == 0, conf.stderr
    try:
        done = podman.run("--rm", "--read-only", "busybox", "sh", "-c", "ls /bin/vi; readlink /etc/mtab; exit 4")
        assert (done.returncode, done.stdout) == (4, "/bin/vi\n/proc/mounts\n"), done.stderr
        # Without an overlay on it the tree would need slurmd's own mount point, which has the node's name in it here.
        served = ONE_OVERLAY or site_conf.version(as_user) < (25, 5)
        listed = as_user(["scrun", "image", "list", "--format", "json"]).stdout
        assert listed.count('"place": "cache"') == (0 if served else 1)
        # One that writes has a copy of its own.
        done = podman.run("--rm", "busybox", "sh", "-c", "rm /bin/vi && echo x >/etc/new && echo wrote")
        assert done.stdout == "wrote\n", done.stderr
        tree = f"{store}/{pushed.stdout.strip()}/tree"
        assert as_root(["ls", f"{tree}/bin/vi"]).returncode == 0
        assert as_root(["ls", f"{tree}/etc/new"]).returncode != 0
    finally:
        as_user(["sh", "-c", f"rm {toml}; podman unshare rm -rf {place}"])


def test_docker_finds_what_was_pushed_from_docker(docker: Docker, as_docker: Runner, store: str) -> None:
    """The layers have random names, and root's data base tells which they are."""
    pushed = as_docker(["scrun", "image", "push", "--owners", "docker.io/library/busybox", store])
    assert pushed.returncode == 0, pushed.stderr
    tree = f"{store}/{pushed.stdout.strip()}/tree"
    assert as_docker(["ls", "-A", tree]).stdout.split()[0] == ".dockerenv"
    assert as_docker(["docker", "ps", "--all", "--quiet", "--filter", "name=scrun-image"]).stdout == ""
    again = as_docker(["scrun", "image", "push", "--owners", "docker.io/library/busybox", store])
    assert again.stdout == pushed.stdout
