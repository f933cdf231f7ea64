import json
import os
import shutil
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors.oci.entry import ENTRY_NAME
from actors.oci.id_maps import IdRange
from actors.slurm.job_environment import JobFacts
from actors.staging.builtin import stage_in, stage_out
from actors.staging.commands import Commands
from actors.staging.container_ids import CallerMaps, container_maps
from actors.staging.directory import container_directory
from actors.staging.images import importing
from actors.staging.lua.fitting import fit_entry
from proto.errors import StagingError
from proto.life.creation import Creation
from proto.value import replace
from tests.process.staging.own_mounts import in_own_mounts, mount
from tests.unit.creations import changed, creation, is_root

PLAIN = CallerMaps("0 0 4294967295\n", "0 0 4294967295\n")
PODMAN = CallerMaps("0 1001 1\n1 100000 65536\n", "0 1002 1\n1 200000 65536\n")
CONFIG: dict[str, Any] = {
    "ociVersion": "1.0.2",
    "root": {"path": "rootfs"},
    "process": {"user": {"uid": 0, "gid": 0}, "args": ["/bin/sh"], "env": ["SECRET=x"], "cwd": "/"},
    "mounts": [{"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
    "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
}


def no_remote(command: bytes) -> tuple[list[bytes], list[bytes]]:
    raise AssertionError(command)


@pytest.fixture
def run() -> Commands:
    return Commands((b"PATH=/usr/bin:/bin",), no_remote, lambda *_: None)


def make_rootfs(rootfs: Path) -> None:
    for name in ("bin", "etc/deep", "proc", "locked"):
        (rootfs / name).mkdir(parents=True)
    (rootfs / "bin/tool").write_text("tool")
    (rootfs / "bin/tool").chmod(0o755)
    (rootfs / "etc/file").write_text("old")
    (rootfs / "etc/deep/gone").write_text("x")
    (rootfs / "sh").symlink_to("bin/tool")
    (rootfs / "locked/file").write_text("x")
    (rootfs / "locked").chmod(0o555)


@pytest.fixture
def container(tmp_path: Path) -> Creation:
    make_rootfs(tmp_path / "bundle/rootfs")
    (tmp_path / "bundle/config.json").write_text(json.dumps(CONFIG))
    return creation(
        bundle=str(tmp_path / "bundle"),
        rootfs=str(tmp_path / "bundle/rootfs"),
        caller__uid=os.getuid(),
        caller__gid=os.getgid(),
        caller__home=str(tmp_path / "home"),
        settings__staging__mode="copy",
        settings__scrun__id_mapping="single",
    )


def stage(container: Creation, run: Commands, config: dict[str, Any] = CONFIG) -> Path:
    staged = stage_in(container, config, run, lambda *_: None, PLAIN)
    assert staged.rootfs == f"{staged.bundle}/rootfs"
    return Path(staged.bundle)


def quiet_out(container: Creation) -> None:
    stage_out(container, Commands((), no_remote, lambda *_: None), lambda *_: None)


def listing(root: Path) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content: object = path.read_text() if stat.S_ISREG(status.st_mode) else None
        found[str(path.relative_to(root))] = (oct(status.st_mode), content, path.is_symlink() and path.readlink())
    return found


def test_a_copy_is_staged_and_brought_back(container: Creation, run: Commands) -> None:
    source = Path(container.rootfs)
    bundle = stage(container, run)
    assert listing(bundle / "rootfs") == listing(source)
    assert stat.S_IMODE(bundle.stat().st_mode) == stat.S_IMODE(bundle.parent.stat().st_mode) == 0o700
    config = json.loads((bundle / "config.json").read_text())
    assert config["root"]["path"] == f"{bundle}/rootfs"
    entry = config["mounts"][-1]
    assert entry["destination"] == "/dev/.scrun-c00kie"
    assert os.access(entry["source"], os.X_OK)
    (bundle / "rootfs/etc/file").write_text("changed by the container")
    (bundle / "rootfs/etc/deep/gone").unlink()
    quiet_out(container)
    assert (source / "etc/file").read_text() == "changed by the container"
    assert not (source / "etc/deep/gone").exists()
    assert (source / "locked/file").exists()
    assert not bundle.exists()
    quiet_out(container)


@pytest.mark.parametrize(
    "changes", [{"readonly": True}, {"settings__staging__sync_back": False}], ids=["read-only", "sync_back=false"]
)
def test_changes_that_nobody_wants_are_not_brought_back(
    container: Creation, run: Commands, changes: dict[str, Any]
) -> None:
    assert_nothing_comes_back(changed(container, **changes), run)


def test_what_an_engine_removes_anyway_is_not_brought_back(container: Creation, run: Commands, tmp_path: Path) -> None:
    other = changed(container, annotations={"io.podman.annotations.autoremove": "TRUE"})
    merged = tmp_path / ("0123456789abcdef" * 4) / "merged"
    merged.parent.mkdir()
    os.rename(container.rootfs, merged)
    assert_nothing_comes_back(changed(other, rootfs=str(merged)), run)
    # The engine does not remove what is the user's own.
    os.rename(merged, container.rootfs)
    bundle = stage(other, run)
    (bundle / "rootfs/etc/file").write_text("changed")
    quiet_out(other)
    assert Path(container.rootfs, "etc/file").read_text() == "changed"


def assert_nothing_comes_back(other: Creation, run: Commands) -> None:
    before = listing(Path(other.rootfs))
    bundle = stage(other, run)
    (bundle / "rootfs/etc/file").write_text("changed")
    quiet_out(other)
    assert listing(Path(other.rootfs)) == before
    assert not bundle.exists()


def test_a_shared_root_file_system_is_used_where_it_is(container: Creation, run: Commands) -> None:
    shared = changed(container, settings__staging__mode="shared")
    bundle = stage(shared, run)
    assert os.readlink(bundle / "rootfs") == os.path.realpath(container.rootfs)
    quiet_out(shared)
    assert (Path(container.rootfs) / "bin/tool").exists()


def test_read_only_containers_share_one_tree(container: Creation, run: Commands) -> None:
    one = replace(container, readonly=True)
    two = replace(one, id="box2")
    trees = {os.readlink(stage(which, run) / "rootfs") for which in (one, two)}
    assert len(trees) == 1
    quiet_out(one)
    assert listing(Path(trees.pop())) == listing(Path(container.rootfs))
    quiet_out(two)


def of_runc(container: Creation, tmp_path: Path) -> Creation:
    """The same on nodes with runc, which takes no link as a root file system."""
    (tmp_path / "oci.conf").write_text("RunTimeRun=exec runc run --bundle %b %n\n")
    return changed(container, settings__scrun__slurm_conf=str(tmp_path / "slurm.conf"))


def test_runc_finds_no_link(container: Creation, run: Commands, tmp_path: Path) -> None:
    bundle = stage(changed(of_runc(container, tmp_path), readonly=True), run)
    assert stat.S_ISDIR((bundle / "rootfs").lstat().st_mode)
    with pytest.raises(StagingError, match="needs crun"):
        stage(changed(of_runc(container, tmp_path), settings__staging__mode="shared"), run)


def test_relative_sources_begin_at_the_bundle(container: Creation, run: Commands) -> None:
    (Path(container.bundle) / "data").mkdir()
    (Path(container.bundle) / "data/file").write_text("here")
    mount = {"destination": "/mnt", "source": "data", "options": ["bind"]}
    bundle = stage(container, run, {**CONFIG, "mounts": [mount]})
    [found] = [m for m in json.loads((bundle / "config.json").read_text())["mounts"] if m["destination"] == "/mnt"]
    assert Path(found["source"], "file").read_text() == "here"
    quiet_out(container)


def test_equal_ids_of_two_state_directories_do_not_meet(container: Creation, run: Commands) -> None:
    """Ids are unique in one --root only, and all of a user's containers share the staging directory."""
    other = replace(container, root=f"{container.root}-2", cookie="an0ther")
    one, two = stage(container, run), stage(other, run)
    assert one != two
    quiet_out(other)
    assert (one / "config.json").exists()
    quiet_out(container)
    assert not one.exists()


def test_a_missing_root_file_system_is_an_error(container: Creation, run: Commands) -> None:
    with pytest.raises(StagingError, match="/nowhere"):
        stage(replace(container, rootfs="/nowhere"), run)
    quiet_out(container)
    assert not os.path.exists(container_directory(container))


@in_own_mounts
def test_a_full_disk_is_an_error_and_nothing_is_brought_back(
    container: Creation, run: Commands, tmp_path: Path
) -> None:
    (Path(container.rootfs) / "big").write_bytes(bytes(2 << 20))
    before = listing(Path(container.rootfs))
    (tmp_path / "home/.scrun").mkdir(parents=True)
    mount(tmp_path / "home/.scrun", "size=1m,mode=0700", kind="tmpfs")
    with pytest.raises(StagingError, match=r"cannot be copied to .*: the file system is full$"):
        stage(container, run)
    quiet_out(container)
    assert listing(Path(container.rootfs)) == before
    assert os.listdir(tmp_path / "home/.scrun") == []


def test_what_could_not_be_copied_is_not_deleted(container: Creation, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(container.rootfs)
    (source / "etc/unreadable").write_text("secret")
    genuine = importing.import_tree

    def without_it(original: str, target: str, **more: Any) -> importing.Imported:
        done = genuine(original, target, **more)
        os.unlink(f"{target}/etc/unreadable")
        return replace(done, missing=1, first="the contents of unreadable")

    monkeypatch.setattr(importing, "import_tree", without_it)
    bundle = stage(container, Commands((), no_remote, lambda *_: None))
    assert not (bundle / "rootfs/etc/unreadable").exists()
    (bundle / "rootfs/new").write_text("new")
    quiet_out(container)
    assert (source / "etc/unreadable").read_text() == "secret"
    assert (source / "new").exists()


def test_local_bind_mounts_are_copied(container: Creation, run: Commands, tmp_path: Path) -> None:
    inside = Path(container.bundle)
    (inside / "hosts").write_text("127.0.0.1 localhost\n")
    (inside / "link").symlink_to("hosts")
    (inside / "secrets").mkdir()
    (inside / "secrets/key").write_text("k")
    binds = [
        {"destination": "/etc/hosts", "type": "bind", "source": f"{inside}/link", "options": ["bind"]},
        {"destination": "/run/secrets", "type": "bind", "source": f"{inside}/secrets", "options": ["bind"]},
        {"destination": "/data", "type": "bind", "source": str(tmp_path), "options": ["bind"]},
    ]
    rules = ((str(tmp_path / "bundle"), "copy"), (str(tmp_path), "keep"))
    ruled = changed(container, settings__staging__binds=rules)
    bundle = stage(ruled, run, {**CONFIG, "mounts": binds})
    mounts = {m["destination"]: m for m in json.loads((bundle / "config.json").read_text())["mounts"]}
    assert Path(mounts["/etc/hosts"]["source"]).read_text() == "127.0.0.1 localhost\n"
    assert not Path(mounts["/etc/hosts"]["source"]).is_symlink()
    assert (Path(mounts["/run/secrets"]["source"]) / "key").read_text() == "k"
    assert mounts["/data"]["source"] == str(tmp_path)
    quiet_out(ruled)


# --- SIGKILL ------------------------------------------------------------------------------------------------------


def killed_at(count: int, action: Callable[[], object]) -> bool:
    """Run an action in a child that is killed at its n-th step at the file system; return whether it was."""
    child = os.fork()
    if child == 0:
        left = [count]

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            if event.startswith(("os.", "open", "shutil.", "subprocess.")):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(hook)
            action()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def every_kill(action: Callable[[], object], check: Callable[[], None]) -> int:
    count = 1
    while killed_at(count, action):
        check()
        count += 1
    return count


def test_stage_in_may_be_killed_at_any_step(container: Creation, run: Commands) -> None:
    before = listing(Path(container.rootfs))

    def begun_again() -> None:
        bundle = stage(container, run)
        assert listing(bundle / "rootfs") == before
        # A cancellation right after the next kill stages out what there is.

    steps = every_kill(lambda: stage(container, run), begun_again)
    assert steps > 20
    killed_at(steps // 2, lambda: stage(container, run))
    quiet_out(container)
    assert listing(Path(container.rootfs)) == before


def test_stage_out_of_half_a_stage_in_changes_nothing(container: Creation, run: Commands) -> None:
    before = listing(Path(container.rootfs))

    def staged_out() -> None:
        quiet_out(container)
        assert listing(Path(container.rootfs)) == before
        assert not os.path.exists(container_directory(container))

    assert every_kill(lambda: stage(container, run), staged_out) > 20


def test_stage_out_may_be_killed_at_any_step(container: Creation, run: Commands, tmp_path: Path) -> None:
    pristine = tmp_path / "pristine"
    shutil.copytree(container.rootfs, pristine, symlinks=True)
    wanted: list[dict[str, tuple[object, ...]]] = []

    def prepare() -> None:
        os.chmod(f"{container.rootfs}/locked", 0o755)
        shutil.rmtree(container.rootfs)
        shutil.copytree(pristine, container.rootfs, symlinks=True)
        rootfs = stage(container, run) / "rootfs"
        (rootfs / "etc/file").write_text("changed")
        shutil.rmtree(rootfs / "etc/deep")
        (rootfs / "new").mkdir()
        (rootfs / "new/file").write_text("new")
        wanted[:] = [listing(rootfs)]

    def finished() -> None:
        quiet_out(container)
        assert listing(Path(container.rootfs)) == wanted[0]
        assert not os.path.exists(container_directory(container))
        prepare()

    prepare()
    assert every_kill(lambda: quiet_out(container), finished) > 20


@pytest.mark.skipif(not is_root(), reason="only root may give files away")
@pytest.mark.parametrize(
    ("mapping", "user", "foreign", "said"),
    [("auto", 0, True, True), ("auto", 0, False, False), ("auto", 33, True, False), ("single", 0, True, False)],
)
def test_lost_owners_are_noticed_where_a_program_may_want_them(
    container: Creation, run: Commands, mapping: str, user: int, foreign: bool, said: bool
) -> None:
    if foreign:
        os.chown(f"{container.rootfs}/etc/file", 4711, 4712)
    other = changed(container, settings__scrun__id_mapping=mapping, caller__namespaced=True, caller__uid=1001)
    config = {**CONFIG, "process": {**CONFIG["process"], "user": {"uid": user, "gid": 0}}}
    staged = stage_in(other, config, run, lambda *_: None, CallerMaps("0 1001 1", "0 1002 1"))
    assert bool(staged.notice) is said


def test_a_directory_is_not_copied_into_itself(container: Creation, run: Commands) -> None:
    above = {
        "destination": "/data",
        "type": "bind",
        "source": str(Path(container.caller.home).parent),
        "options": ["bind"],
    }
    rules = ((above["source"], "copy"),)
    copying = changed(container, settings__staging__binds=rules)
    with pytest.raises(StagingError, match="the staging directory is in it"):
        stage(copying, run, {**CONFIG, "mounts": [*CONFIG["mounts"], above]})


# --- where root of a node is nobody -----------------------------------------------------------------------------------


@pytest.fixture
def squashed(container: Creation) -> Creation:
    return changed(container, settings__staging__root_squash="yes")


def modes(bundle: Path) -> dict[str, int]:
    names = ("..", ".", "config.json", "private", "private/.scrun-entry", "staged.json")
    return {name: stat.S_IMODE((bundle / name).stat().st_mode) for name in names}


def test_everybody_reaches_config_json_and_nothing_else(squashed: Creation, run: Commands) -> None:
    bundle = stage(squashed, run)
    assert modes(bundle) == {
        "..": 0o711, ".": 0o711, "config.json": 0o644, "private": 0o700, "private/.scrun-entry": 0o711,
        "staged.json": 0o600,
    }  # fmt: skip
    assert sorted(os.listdir(bundle)) == ["config.json", "private", "rootfs", "staged.json"]
    assert os.path.realpath(bundle / "rootfs") == str(bundle / "private/rootfs")
    config = json.loads((bundle / "config.json").read_text())
    assert config["root"]["path"] == f"{bundle}/private/rootfs"
    assert config["mounts"][-1]["source"] == f"{bundle}/private/.scrun-entry"


def test_runc_is_told_of_where_only_a_link_would_do(squashed: Creation, run: Commands, tmp_path: Path) -> None:
    with pytest.raises(StagingError, match="root is nobody, which needs an overlay or crun"):
        stage(of_runc(squashed, tmp_path), run)


def test_config_json_tells_nobody_what_the_program_is_told(squashed: Creation, run: Commands) -> None:
    config = {
        **CONFIG,
        "annotations": {"note": "SECRET", "run.oci.keep_original_groups": "1"},
        "process": {**CONFIG["process"], "env": ["TOKEN=SECRET"], "args": ["/bin/sh", "-c", "SECRET"]},
    }
    bundle = stage(squashed, run, config)
    text = (bundle / "config.json").read_text()
    assert "SECRET" not in text
    assert json.loads(text)["annotations"] == {"run.oci.keep_original_groups": "1"}
    assert b"TOKEN=SECRET\0" in (bundle / "private/.scrun-entry").read_bytes()


def test_changes_come_back_from_there_and_all_of_it_goes(squashed: Creation, run: Commands) -> None:
    bundle = stage(squashed, run)
    (bundle / "rootfs/etc/file").write_text("changed")
    (bundle / "rootfs/etc/new").write_text("new")
    quiet_out(squashed)
    assert Path(squashed.rootfs, "etc/file").read_text() == "changed"
    assert Path(squashed.rootfs, "etc/new").read_text() == "new"
    assert os.listdir(bundle.parent) == []


def test_a_scripts_container_without_a_bundle_of_its_own_is_as_open(squashed: Creation) -> None:
    staged = fit_entry(squashed, squashed.bundle, squashed.rootfs, JobFacts(42))
    bundle = Path(staged.bundle)
    assert stat.S_IMODE((bundle / "config.json").stat().st_mode) == 0o644
    assert (bundle / "private/.scrun-entry").exists()
    assert "SECRET" not in (bundle / "config.json").read_text()


def test_a_shadow_tells_neither_labels_nor_the_environment_of_hooks(squashed: Creation) -> None:
    hooks = {"createContainer": [{"path": "/bin/true", "env": ["KEY=x"]}]}
    Path(squashed.bundle, "config.json").write_text(json.dumps({**CONFIG, "annotations": {"label": "LABEL"}}))
    shadow = Path(fit_entry(squashed, squashed.bundle, squashed.rootfs, JobFacts(42)).bundle, "config.json")
    assert (stat.S_IMODE(shadow.stat().st_mode), "LABEL" in shadow.read_text()) == (0o644, False)
    Path(squashed.bundle, "config.json").write_text(json.dumps({**CONFIG, "hooks": hooks}))
    shadow = Path(fit_entry(squashed, squashed.bundle, squashed.rootfs, JobFacts(42)).bundle, "config.json")
    assert stat.S_IMODE(shadow.stat().st_mode) == 0o600


def test_the_owner_of_the_files_can_make_mount_points(container: Creation, run: Commands) -> None:
    root = Path(container.rootfs)
    (root / "usr/share").mkdir(parents=True)
    mounts = [*CONFIG["mounts"], {"destination": "/usr/share/data/x", "type": "tmpfs", "source": "tmpfs"}]
    for closed in (root / "usr/share", root / "locked", root):
        closed.chmod(0o555)
    bundle = stage(container, run, {**CONFIG, "mounts": mounts})
    found = {name: stat.S_IMODE((bundle / "rootfs" / name).stat().st_mode) for name in (".", "usr/share", "locked")}
    assert found == {".": 0o755, "usr/share": 0o755, "locked": 0o555}


# --- what the site's own script left ----------------------------------------------------------------------------------


def test_the_engines_bundle_is_never_changed(container: Creation) -> None:
    before = Path(container.bundle, "config.json").read_bytes()
    staged = fit_entry(container, container.bundle, container.rootfs, JobFacts(42))
    assert Path(container.bundle, "config.json").read_bytes() == before
    assert staged.bundle == container_directory(container)
    assert staged.entry
    assert os.path.samefile(f"{staged.bundle}/rootfs", container.rootfs)
    mounts = json.loads(Path(staged.bundle, "config.json").read_text())["mounts"]
    assert [mount["destination"] for mount in mounts] == ["/dev", "/dev/.scrun-c00kie"]


def test_a_scripts_bundle_gets_the_entry_once(container: Creation, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(container.bundle, other, symlinks=True)
    for _ in range(2):
        staged = fit_entry(container, str(other), container.rootfs, JobFacts(42))
        assert "SECRET" not in (other / "config.json").read_text()
        assert b"SECRET=x\0" in (other / ENTRY_NAME).read_bytes()
    assert (staged.bundle, staged.entry) == (str(other), True)
    mounts = json.loads((other / "config.json").read_text())["mounts"]
    assert [mount["destination"] for mount in mounts] == ["/dev", "/dev/.scrun-c00kie"]


def test_a_bundle_that_cannot_be_seen_gets_none(container: Creation) -> None:
    staged = fit_entry(container, "/node/local/bundle", "/node/local/bundle/rootfs", JobFacts(42))
    assert (staged.bundle, staged.entry) == ("/node/local/bundle", False)


# --- ids --------------------------------------------------------------------------------------------------------------


def test_whose_ids_the_container_gets() -> None:
    user = {"process": {"user": {"uid": 33, "gid": 34}}}

    def maps(
        mapping: str, caller: CallerMaps, *, keeps: bool = True, **changes: Any
    ) -> tuple[tuple[IdRange, ...], tuple[IdRange, ...]]:
        container = creation(settings__scrun__id_mapping=mapping, caller__gid=1002, **changes)
        return container_maps(container, user, caller, lambda: keeps)

    full = ((IdRange(0, 1001, 1), IdRange(1, 100000, 65536)), (IdRange(0, 1002, 1), IdRange(1, 200000, 65536)))
    one = ((IdRange(33, 1001, 1),), (IdRange(34, 1002, 1),))
    assert maps("auto", PODMAN) == maps("full", PODMAN) == full
    assert maps("single", PODMAN) == maps("auto", PLAIN, caller__namespaced=False) == one
    assert maps("auto", PODMAN, keeps=False) == one
    assert maps("full", PODMAN, keeps=False) == full
    assert maps("auto", CallerMaps("0 1001 1\n", "0 1002 1\n")) == one
    assert maps("auto", PLAIN, caller__namespaced=False, caller__uid=0) == ((), ())
    with pytest.raises(StagingError, match="id_mapping"):
        maps("full", PLAIN, caller__namespaced=False)


@pytest.mark.skipif(not is_root(), reason="only root may give files away")
def test_with_all_ids_files_keep_their_owners(container: Creation, run: Commands) -> None:
    os.chown(f"{container.rootfs}/etc/file", 4711, 4712)
    many = changed(container, caller__uid=1001, settings__scrun__id_mapping="full")
    staged = stage_in(many, CONFIG, run, lambda *_: None, PODMAN)
    assert os.stat(f"{staged.rootfs}/etc/file").st_uid == 4711
    one = stage(container, run)
    assert os.stat(one / "rootfs/etc/file").st_uid == os.getuid()
    quiet_out(container)
