"""A root file system of shared trees, from stage-in to stage-out, with real overlays; this machine is the node."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from actors.staging import bring_back
from actors.staging.builtin import stage_in, stage_out
from actors.staging.bundle import Staged
from actors.staging.commands import Commands
from actors.staging.overlay.kinds import MEMORY, PROGRAM, Verdict, read_verdict
from actors.staging.overlay.node_programs import COLLECT, NodePrograms
from actors.staging.stager import BuiltinStager
from proto.life.creation import Creation
from tests.conftest import wait_until
from tests.process.staging.test_builtin import CONFIG, PLAIN, listing, make_rootfs
from tests.unit.creations import changed, creation

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can mount overlays on every kernel")
VOLATILE = tuple(int(word) for word in os.uname().release.split(".")[:2]) >= (5, 10)
"""Whether this kernel knows an overlay of which nothing need be on a disk."""
MOUNTS = [
    *CONFIG["mounts"],
    {"destination": "/etc/app/conf", "type": "bind", "source": "/etc/hostname", "options": ["bind"]},
    {"destination": "/work", "type": "tmpfs", "source": "tmpfs"},
    {"destination": "/my  data", "type": "tmpfs", "source": "tmpfs"},
]


@pytest.fixture(params=["overlay", "overlays"])
def container(tmp_path: Path, request: pytest.FixtureRequest) -> Creation:
    rootfs = tmp_path / ("0123456789abcdef" * 4) / "merged"  # as engines name them
    make_rootfs(rootfs)
    (rootfs / "home/a").mkdir(parents=True)
    (rootfs / "top").write_text("old")
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle/config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "oci.conf").write_text('RunTimeRun="crun run --bundle %b %n"\n')
    (tmp_path / "changes").mkdir()
    return creation(
        bundle=str(tmp_path / "bundle"),
        rootfs=str(rootfs),
        caller__uid=os.getuid(),
        caller__gid=os.getgid(),
        caller__namespaced=False,
        caller__home=str(tmp_path / "home"),
        settings__scrun__slurm_conf=str(tmp_path / "slurm.conf"),
        settings__staging__mode=request.param,
        settings__staging__changes=str(tmp_path / "changes"),
    )


class Node:
    """Runs commands as a node would, and counts them; ``away``: none can be run."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False
        self.run = Commands((b"PATH=/usr/bin:/bin",), self._argv, self._log)
        self.said: list[str] = []

    def _argv(self, command: bytes) -> tuple[list[bytes], list[bytes]]:
        self.asked += 1
        return [b"/bin/false"] if self.away else [b"/bin/sh", b"-c", command], [b"PATH=/usr/bin:/bin"]

    def _log(self, _: int, text: str) -> None:
        self.said.append(text)

    def told(self, why: str) -> bool:
        """Whether that is why no hook makes the root file system; or that crun, since 1.28, takes none from a hook."""
        return any(why in text or "does not take a root file system from a hook" in text for text in self.said)

    def stage(self, container: Creation, mounts: list[dict[str, Any]] = MOUNTS, nodes: str = "n1") -> Staged:
        return stage_in(container, {**CONFIG, "mounts": mounts}, self.run, self._log, PLAIN, nodes)

    def start(self, staged: Staged, program: str) -> None:
        """Do as srun and the runtime do: root is the container's root, and there is no namespace but one for mounts."""
        if (prolog := Path(staged.programs, "prolog")).exists():
            subprocess.run([prolog], check=True, timeout=60)
        config = json.loads(Path(staged.bundle, "config.json").read_text())
        root = config["root"]["path"]
        lines = ["set -e", f"mount --rbind '{root}' '{root}'"]
        for mount in config["mounts"]:
            point = f"'{root}{mount['destination']}'"
            if mount.get("type") == "overlay":
                lines.append(
                    f"LIBMOUNT_FORCE_MOUNT2=always mount -t overlay -o '{','.join(mount['options'])}' overlay {point}"
                )
            elif mount.get("type") == "tmpfs":
                lines.append(f"mkdir -p {point} && mount -t tmpfs tmpfs {point}")
            else:
                lines.append(
                    f"mkdir -p $(dirname {point}) && touch {point} && mount --bind '{mount['source']}' {point}"
                )
        lines += [f"sh {hook['args'][1]}" for hook in config.get("hooks", {}).get("createContainer", ())]
        script = "\n".join([*lines, f"cd '{root}'", program])
        subprocess.run(["unshare", "-m", "sh", "-c", script], check=True, timeout=60, input=b"{}")

    def end(self, staged: Staged) -> None:
        """Do as the runtime's poststop hook does."""
        config = json.loads(Path(staged.bundle, "config.json").read_text())
        for hook in config["hooks"]["poststop"]:
            subprocess.run(hook["args"], executable=hook["path"], check=True, timeout=60, env={}, input=b"{}")

    def out(self, container: Creation) -> None:
        stage_out(container, self.run, self._log)


@pytest.fixture
def node() -> Node:
    return Node()


CHANGE = """
echo new >etc/file; rm -r etc/deep; mkdir etc/deep; echo y >etc/deep/again; echo x >home/a/b; rm locked/file
echo two >top; echo three >three; mkdir -p opt/new; chmod 700 home
"""


def as_the_program_leaves_it(container: Creation, tmp_path: Path) -> dict[str, tuple[object, ...]]:
    expected = tmp_path / "expected"
    shutil.copytree(container.rootfs, expected, symlinks=True)
    subprocess.run(["sh", "-ec", CHANGE], cwd=expected, check=True, timeout=60)
    return listing(expected)


def changes_of(container: Creation) -> list[Path]:
    return list(Path(container.settings.staging.changes).iterdir())


@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_what_the_program_changed_comes_back_and_nothing_is_left_on_the_node(
    container: Creation, node: Node, tmp_path: Path, killed: bool
) -> None:
    expected = as_the_program_leaves_it(container, tmp_path)
    staged = node.stage(container)
    node.start(staged, CHANGE)
    assert listing(Path(container.rootfs)) != expected
    assert changes_of(container)
    if not killed:
        node.end(staged)
        assert not changes_of(container)
    node.out(container)
    assert node.asked == (2 if killed else 1)  # what it can, and to clear up if nobody has
    assert listing(Path(container.rootfs)) == expected
    assert not changes_of(container)
    assert not Path(staged.bundle).exists()


def test_no_tree_is_changed_and_the_next_container_does_not_copy(container: Creation, node: Node) -> None:
    staged = node.stage(container)
    cache = Path(staged.bundle).parent / "cache"
    before = listing(cache)
    node.start(staged, CHANGE)
    node.end(staged)
    assert listing(cache) == before
    again = changed(container, id="box2", cookie="c2", annotations={"io.podman.annotations.autoremove": "TRUE"})
    other = node.stage(again)
    assert node.asked == 1
    assert not [text for text in node.said if "cp" in text and "box2" in text and "cache" in text]
    node.start(
        other,
        "test old = $(cat etc/file); test -f locked/file; test -s etc/app/conf; touch etc/x work/y;"
        "mountpoint -q my*; cd my*; touch z",
    )
    node.end(other)
    node.out(again)
    assert not Path(container.rootfs, "etc/x").exists()
    assert not changes_of(container)
    node.out(container)


def test_a_read_only_one_leaves_nothing_on_the_node_and_cannot_be_mounted_writable(
    container: Creation, node: Node
) -> None:
    readonly = changed(container, readonly=True)
    staged = node.stage(readonly)
    refused = "! touch etc/x 2>/dev/null; ! mount -o remount,rw . 2>/dev/null; ! touch etc/x 2>/dev/null"
    node.start(staged, f"{refused}; test -s etc/app/conf; touch work/y")
    node.out(readonly)
    assert not Path(container.rootfs, "etc/app").exists()


def test_mount_points_do_not_come_back(container: Creation, node: Node) -> None:
    before = listing(Path(container.rootfs))
    staged = node.stage(container)
    node.start(staged, "touch work/y; test -s etc/app/conf")
    node.end(staged)
    node.out(container)
    assert listing(Path(container.rootfs)) == before


def test_what_it_has_changed_so_far_can_be_shown(container: Creation, node: Node, tmp_path: Path) -> None:
    staged = node.stage(container)
    node.start(staged, "echo more >etc/more; echo three >three")
    for _ in range(2):
        assert bring_back.show(container, node.run, node._log) == ""
        assert Path(container.rootfs, "etc/more").read_text() == "more\n"
        Path(container.rootfs, "etc/more").unlink()
    assert "shown.tar" not in os.listdir(staged.programs)
    assert changes_of(container)
    node.away = True
    assert "the node did not show what the container has changed" in bring_back.show(container, node.run, node._log)
    node.away = False
    node.out(container)
    assert Path(container.rootfs, "etc/more").read_text() == "more\n"
    assert Path(container.rootfs, "three").read_text() == "three\n"


@pytest.mark.parametrize(
    ("changes", "nodes", "why"),
    [
        ({"settings__job": {"ntasks": "2"}}, "n1", "several tasks"),
        ({}, "n[1-2]", "several nodes"),
        ({}, "", "several nodes"),
        ({"settings__scrun__scheduler": "local"}, "n1", "local"),
    ],
)
def test_who_gets_a_copy(container: Creation, node: Node, changes: dict[str, Any], nodes: str, why: str) -> None:
    one = changed(container, **changes)
    staged = node.stage(one, nodes=nodes)
    assert not Path(staged.programs, COLLECT).exists()
    assert Path(staged.bundle, "rootfs/etc/file").read_text() == "old"
    assert any(why in text for text in node.said)
    node.out(one)


def test_a_runtime_that_nobody_has_tried_gets_a_copy(container: Creation, node: Node, tmp_path: Path) -> None:
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\nexit 1\n")
    mute.chmod(0o755)
    (tmp_path / "oci.conf").write_text(f'RunTimeRun="{mute} run %n"\n')
    staged = node.stage(container)
    assert not Path(staged.programs, COLLECT).exists()
    assert any("no overlay: the node's OCI runtime does not say what it is" in text for text in node.said)
    node.out(container)


def test_a_runtime_is_known_where_the_login_host_s_runtime_directory_is_not(tmp_path: Path) -> None:
    (tmp_path / "shared/d").mkdir(parents=True)
    fake = tmp_path / "crun"  # as 1.21 does it; for root it does not matter
    fake.write_text('#!/bin/sh\n[ -d "$XDG_RUNTIME_DIR" ] || exit 1\necho "crun version 1.21"\n')
    fake.chmod(0o755)
    words = [str(tmp_path), str(tmp_path / "shared"), "root", str(fake)]
    environ = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(tmp_path / "nowhere")}
    done = subprocess.run(
        ["/bin/sh", "-c", PROGRAM.decode(), "probe", *words],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    kernel = read_verdict(done.stdout).kernel
    assert read_verdict(done.stdout) == Verdict(kernel, works=True, volatile=VOLATILE)


def test_the_node_does_not_wait_for_its_disk_when_the_container_ends(
    container: Creation, node: Node, tmp_path: Path
) -> None:
    """An overlay that is unmounted has all that its file system holds written to the disk, also what others wrote."""
    staged = node.stage(container)
    node.start(staged, f"grep -w userxattr /proc/self/mountinfo >'{tmp_path}/seen'")
    lines = (tmp_path / "seen").read_text().splitlines()
    assert lines
    assert all(("volatile" in line) == VOLATILE for line in lines)
    node.end(staged)
    node.out(container)
    assert changes_of(container) == []


@pytest.mark.parametrize("container", ["overlays"], indirect=True)
def test_what_was_made_for_a_step_serves_the_next_one_of_the_container(container: Creation, node: Node) -> None:
    """The step that finds out why a first one has failed."""
    staged = node.stage(container)
    for _ in range(2):
        node.start(staged, "echo new >>etc/file")
    node.end(staged)
    node.out(container)
    assert Path(container.rootfs, "etc/file").read_text().endswith("new\nnew\n")


def test_a_site_that_disables_hooks_gets_an_overlay_for_each_top_directory(
    container: Creation, node: Node, tmp_path: Path
) -> None:
    with (tmp_path / "oci.conf").open("a") as file:
        file.write("DisableHooks=prestart, createContainer\n")
    staged = node.stage(changed(container, settings__staging__mode="overlay"))
    assert Path(staged.programs, "prolog").exists()
    assert node.told("DisableHooks in oci.conf has createContainer")
    node.out(container)


def test_whose_one_id_is_not_roots_gets_an_overlay_for_each_top_directory(container: Creation, node: Node) -> None:
    one = changed(
        container, settings__staging__mode="overlay", settings__scrun__id_mapping="single", caller__namespaced=True
    )
    config = {**CONFIG, "process": {"args": ["x"], "user": {"uid": 1000, "gid": 100}}}
    staged = stage_in(one, config, node.run, node._log, PLAIN, "n1")
    assert Path(staged.programs, "prolog").exists()
    assert node.told("the one id that the container has is not root's")
    node.out(one)


def test_the_users_own_prolog_runs_as_well(container: Creation, node: Node, tmp_path: Path) -> None:
    own = tmp_path / "own prolog"
    own.write_text("#!/bin/sh\necho export A=b")
    own.chmod(0o755)
    staged = node.stage(
        changed(
            container, settings__staging__mode="overlays", settings__job={"task-prolog": own.name}, cwd=str(tmp_path)
        )
    )
    said = subprocess.run([f"{staged.programs}/prolog"], check=True, timeout=60, capture_output=True, text=True).stdout
    assert said == "export A=b\n"
    node.end(staged)
    node.out(container)


def test_a_path_that_options_cannot_name_gets_a_copy(container: Creation, node: Node, tmp_path: Path) -> None:
    one = changed(container, settings__staging__directory=str(tmp_path / "a,b"))
    staged = node.stage(one)
    assert not Path(staged.programs, COLLECT).exists()
    assert Path(staged.bundle, "rootfs/etc/file").read_text() == "old"
    node.out(one)


def test_long_names_of_many_layers_are_mounted(container: Creation, node: Node, tmp_path: Path) -> None:
    one = changed(container, settings__staging__directory=str(tmp_path / ("x" * 200)))
    staged = node.stage(one)
    assert Path(staged.programs, COLLECT).exists()
    node.start(staged, "test old = $(cat etc/file)")
    node.end(staged)
    node.out(one)


def test_a_mount_that_nobody_knew_of_is_left_out(container: Creation, node: Node) -> None:
    """slurmd's own, where its place cannot be known: the image has no mount point for it."""
    staged = node.stage(container)
    config = json.loads(Path(staged.bundle, "config.json").read_text())
    config["mounts"].append({"destination": "/spool/of/a node/step", "type": "tmpfs"})
    Path(staged.bundle, "config.json").write_text(json.dumps(config))
    node.start(staged, "test old = $(cat etc/file); test -s etc/app/conf")
    node.end(staged)
    node.out(container)


def test_changes_that_the_node_keeps_are_told(container: Creation, node: Node) -> None:
    staged = node.stage(container)
    node.start(staged, CHANGE)
    node.away = True
    with pytest.raises(
        Exception, match=r"changes could not be brought back: .* \(they lie in .*/changes/.scrun-0-c00kie there\)"
    ):
        node.out(container)


def test_what_was_forgotten_goes_after_a_day(container: Creation, node: Node) -> None:
    places = Path(container.settings.staging.changes)
    old, young, alive = (places / f".scrun-0-{name}" for name in ("old", "young", "alive"))
    ended = subprocess.Popen(["true"])
    ended.wait()
    for place, pid in ((old, ended.pid), (young, ended.pid), (alive, os.getpid())):
        place.mkdir()
        (place / "process").write_text(f"{pid}\n")
        (place / "gone").write_text("")
    for place in (old, alive):
        os.utime(place / "gone", (5, 5))
    staged = node.stage(container)
    node.start(staged, "true")
    node.end(staged)
    assert {path.name for path in changes_of(container)} == {".scrun-0-young", ".scrun-0-alive"}
    assert not (alive / "gone").exists()
    node.out(container)


def test_what_the_node_could_not_make_is_said(container: Creation, node: Node) -> None:
    one = changed(container, settings__staging__changes=f"{container.settings.staging.changes}/nowhere")
    Path(container.settings.staging.changes, "nowhere").mkdir()
    staged = node.stage(one)
    programs = NodePrograms(staged.programs)
    Path(container.settings.staging.changes, "nowhere").rmdir()
    with pytest.raises(subprocess.CalledProcessError):
        node.start(staged, "true")
    assert "mkdir: cannot create directory" in programs.failure
    stage_out(one, node.run, node._log, "n1")
    asked = node.asked
    # What was known of the node is not what it is.
    again = changed(container, id="box2", cookie="c2")
    node.stage(again)
    assert node.asked == asked + 1
    node.out(again)


def test_what_makes_the_root_file_system_may_be_killed(container: Creation, node: Node) -> None:
    staged = node.stage(container)
    programs = NodePrograms(staged.programs)
    assert "its program there was killed" in programs.killed
    node.start(staged, "true")
    assert Path(staged.programs, "made").exists()
    assert programs.failure == ""
    node.end(staged)
    node.out(container)


def test_what_is_known_of_nodes_is_in_the_staging_directory(container: Creation, node: Node) -> None:
    staged = node.stage(container)
    assert Path(staged.bundle).parent.joinpath("cache", MEMORY).exists()
    node.out(container)


HOLD = """
import sys
from proto.host import gate
gate.close(sys.argv[1])
print("closed", flush=True)
sys.stdin.read()
"""


def test_stage_out_waits_for_whoever_shows_changes(container: Creation, node: Node) -> None:
    staged = node.stage(container)
    stager = BuiltinStager(container, node.run, node._log)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, f"{staged.bundle}/config.json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"closed\n"
        waiter = threading.Thread(target=stager.stage_out, args=("", ""), kwargs={"complete": True})
        waiter.start()
        wait_until(lambda: f"waits for {holder.pid}" in waits(f"{staged.bundle}/config.json"), what="it waits")
        assert Path(staged.bundle, "config.json").exists()
        holder.communicate()
        waiter.join(30)
    assert not Path(staged.bundle).exists()
    assert stager.show_changes() == ""  # nothing is staged any more


def waits(path: str) -> str:
    """Who waits for a lock of whom, of the locks of a file."""
    status = os.stat(path)
    name = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    owner = ""
    for line in Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if name in words:
            if "->" in words:
                return f"waits for {owner}"
            owner = words[words.index(name) - 1]
    return ""
