import os
import stat
from pathlib import Path

import pytest

from actors.oci.image_path import resolve
from actors.staging.overlay.mount_points import behind_links, make_mount_points


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in ("etc", "usr/lib", "run", "var"):
        (root / name).mkdir(parents=True)
    (root / "etc").chmod(0o750)
    (root / "etc/hosts").write_text("")
    (root / "lib").symlink_to("usr/lib")
    (root / "var/run").symlink_to("/run")
    (root / "out").symlink_to("../../../../usr")
    (root / "loop").symlink_to("loop")
    return root


@pytest.mark.parametrize(
    ("path", "there", "missing"),
    [
        ("/etc/hosts", ["etc", "hosts"], []),
        ("/etc/app.conf", ["etc"], ["app.conf"]),
        ("/lib/x/y", ["usr", "lib"], ["x", "y"]),
        ("/var/run/secrets", ["run"], ["secrets"]),
        ("/out/lib", ["usr", "lib"], []),
        ("/../etc/./hosts", ["etc", "hosts"], []),
        ("/new/../etc", [], []),
        ("/loop/x", [], []),
        ("/etc/hosts/x", [], []),
        ("/work", [], ["work"]),
    ],
)
def test_a_path_is_followed_as_a_runtime_does(root: Path, path: str, there: list[str], missing: list[str]) -> None:
    assert resolve(str(root), path) == (there, missing)


def made(root: Path, tmp_path: Path, *mounts: dict[str, object]) -> set[str]:
    ground, layer = tmp_path / "ground", tmp_path / "layer"
    ground.mkdir()
    layer.mkdir()
    before = sorted(root.rglob("*"))
    make_mount_points(str(root), str(ground), str(layer), mounts, owners=True)
    assert sorted(root.rglob("*")) == before
    return {str(path.relative_to(tmp_path)) for path in (*ground.rglob("*"), *layer.rglob("*"))}


def test_what_is_missing_is_made_in_the_layer(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    found = made(
        root,
        tmp_path,
        {"destination": "/etc/app.conf", "type": "bind", "source": str(file)},
        {"destination": "/etc/hosts", "type": "bind", "source": str(file)},
        {"destination": "/var/run/app", "type": "bind", "source": str(tmp_path)},
        {"destination": "/lib/data", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/work/here", "type": "bind", "source": str(tmp_path)},
        {"destination": "/work/here/x", "type": "bind", "source": str(tmp_path)},
    )
    assert found == {
        "layer/etc", "layer/etc/app.conf", "layer/run", "layer/run/app", "layer/usr", "layer/usr/lib",
        "layer/usr/lib/data", "layer/work", "layer/work/here", "ground/lib", "ground/usr",
        "ground/usr/lib", "ground/var", "ground/var/run", "ground/run",
    }  # fmt: skip
    assert (tmp_path / "layer/etc/app.conf").is_file()
    assert (tmp_path / "layer/run/app").is_dir()
    assert os.readlink(tmp_path / "ground/var/run") == "/run"


def test_a_directory_on_the_way_stays_what_it_is_for_the_container(root: Path, tmp_path: Path) -> None:
    os.utime(root / "etc", (5, 5))
    made(root, tmp_path, {"destination": "/etc/new", "type": "tmpfs", "source": "tmpfs"})
    status = (tmp_path / "layer/etc").stat()
    assert stat.S_IMODE(status.st_mode) == 0o750


def test_a_mount_is_put_where_its_links_lead(root: Path) -> None:
    given = ["/lib", "/var/run/x", "/lib/below", "/usr/lib/below", "/loop/x", "/new", "/etc/hosts"]
    mounts = behind_links(str(root), [{"destination": name, "type": "bind"} for name in given])
    found = [mount["destination"] for mount in mounts]
    assert found == ["/usr/lib", "/run/x", "/usr/lib/below", "/usr/lib/below", "/loop/x", "/new", "/etc/hosts"]
    assert all(mount["type"] == "bind" for mount in mounts)
