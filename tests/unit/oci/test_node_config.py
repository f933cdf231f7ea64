import json
from pathlib import Path
from typing import Any

import pytest

from actors.oci.bind_source import BindFact
from actors.oci.copies import Copy
from actors.oci.id_maps import IdRange, single
from actors.oci.node_config import NodeConfig, NodePlan, node_config
from proto.errors import StagingError

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))
FULL = (IdRange(0, 1001, 1), IdRange(1, 100000, 65536))
STAGED = "/home/alice/.scrun/box1"
LOCAL = ("/run", "/home/alice/.local/share/containers/storage/vfs-containers", "/var/lib/containers")


def sample(name: str) -> dict[str, Any]:
    config = json.loads((Path(__file__).parent / "samples" / f"{name}.json").read_text())
    assert isinstance(config, dict)
    return config


def fit(config: dict[str, Any], **changes: Any) -> NodeConfig:
    plan = {
        "content": STAGED,
        "uid_map": FULL,
        "gid_map": FULL,
        "entry": "/dev/.scrun-c00kie",
        "local_prefixes": LOCAL,
        **changes,
    }
    return node_config(config, NodePlan(**plan))


def mounts(result: NodeConfig) -> dict[str, dict[str, Any]]:
    return {mount["destination"]: mount for mount in result.config["mounts"]}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("kind", ["full", "single"])
def test_nothing_is_left_that_an_unprivileged_runtime_on_a_node_refuses(path: Path, kind: str) -> None:
    config = json.loads(path.read_text())
    before = json.dumps(config)
    user = config["process"]["user"]
    if kind == "single":
        result = fit(config, uid_map=single(user["uid"], 1001), gid_map=single(user["gid"], 1001))
    else:
        result = fit(config)
    assert json.dumps(config) == before, "the engine's own config.json was changed"
    new = result.config
    assert new["root"]["path"] == f"{STAGED}/rootfs"
    assert not set(new.get("hooks", ())) & {"prestart", "createRuntime", "poststart", "poststop"}
    assert not set(new["process"]) & {"rlimits", "oomScoreAdj", "apparmorProfile", "selinuxLabel"}
    assert not set(new["linux"]) & {"resources", "cgroupsPath", "sysctl", "mountLabel", "devices"}
    namespaces = [entry["type"] for entry in new["linux"]["namespaces"]]
    assert {"user", "mount"} <= set(namespaces) <= {"pid", "ipc", "uts", "mount", "user"}
    assert len(namespaces) == len(set(namespaces))
    assert not any("path" in entry for entry in new["linux"]["namespaces"])
    assert ("hostname" in new) == ("uts" in namespaces)
    for mount in new["mounts"]:
        assert mount["type"] not in {"cgroup", "sysfs", "overlay"}
        source = mount.get("source", "")
        assert not source.startswith(("/run/", "/var/lib", "/srv/docker", LOCAL[1])), mount
        if kind == "single":
            assert "gid=5" not in mount.get("options", ())
    assert new["mounts"][-1]["destination"] == "/dev/.scrun-c00kie"
    assert mounts(result)["/sys"]["type"] == "bind"
    indexes = [copy.index for copy in result.copies]
    assert indexes == list(range(len(indexes)))
    assert {f"{STAGED}/mounts/{index}" for index in indexes} == {
        mount["source"] for mount in new["mounts"] if mount.get("source", "").startswith(f"{STAGED}/mounts/")
    }


def test_what_the_user_asked_for_stays() -> None:
    result = fit(sample("podman-rootless-volumes"))
    new = result.config
    found = mounts(result)
    assert found["/vol"]["source"] == "/data/vol"
    assert found["/etc/f"]["source"] == "/data/vol/f"
    assert found["/named"]["source"].endswith("/volumes/named/_data")
    assert found["/dev/mynull"]["source"] == "/dev/null"
    assert "gid=5" in found["/dev/pts"]["options"]
    assert found["/scratch"]["type"] == "tmpfs"
    assert new["root"]["readonly"] is True
    assert new["process"]["user"] == {"uid": 1000, "gid": 1000, "umask": 18, "additionalGids": [1000, 2000]}
    assert new["process"]["capabilities"]
    assert new["linux"]["seccomp"]["syscalls"]
    assert new["ociVersion"] == "1.0.2"
    assert any("net.ipv4.ip_forward" in note for note in result.notes)


def test_files_of_the_engine_are_copied() -> None:
    result = fit(sample("docker-root"))
    assert [copy.source.rpartition("/")[2] for copy in result.copies] == ["resolv.conf", "hostname", "hosts"]
    assert mounts(result)["/etc/hosts"]["source"] == f"{STAGED}/mounts/2"


def test_a_throw_away_volume_is_a_copy_of_its_source() -> None:
    result = fit(sample("podman-rootless-volumes"))
    overlay = mounts(result)["/ov"]
    assert overlay["type"] == "bind"
    assert Copy("/data/vol", int(overlay["source"].rpartition("/")[2]), "file", "/ov") in result.copies
    assert "ro" not in overlay["options"]


def test_additional_groups_need_their_map() -> None:
    config = sample("podman-rootless-volumes")
    small = (IdRange(0, 1001, 1), IdRange(1, 100000, 1500))
    assert fit(config, gid_map=small).config["process"]["user"]["additionalGids"] == [1000]
    one = fit(config, uid_map=single(1000, 1001), gid_map=single(1000, 1001))
    assert "additionalGids" not in one.config["process"]["user"]
    assert [note for note in one.notes if "groups" in note] == [
        "the groups 2000 cannot be had: the container has no such ids on a node"
    ]


def test_a_user_without_an_id_is_refused() -> None:
    config = sample("podman-rootless")
    config["process"]["user"]["uid"] = 70000
    with pytest.raises(StagingError, match="uid 70000"):
        fit(config)


def test_a_job_of_root_needs_no_user_namespace() -> None:
    config = sample("podman-root-volumes")
    config["linux"]["sysctl"]["kernel.shmmax"] = "1"
    new = fit(config, uid_map=(), gid_map=()).config
    assert {"type": "user"} not in new["linux"]["namespaces"]
    assert "uidMappings" not in new["linux"]
    assert new["linux"]["sysctl"] == {"kernel.shmmax": "1"}
    assert [device["path"] for device in new["linux"]["devices"]] == ["/dev/mynull"]


def test_devices_are_bound_where_nobody_can_make_them() -> None:
    result = fit(sample("podman-root-volumes"), device_paths={"/dev/mynull": "/dev/null"})
    assert mounts(result)["/dev/mynull"]["source"] == "/dev/null"


@pytest.mark.parametrize("name", ["podman-rootless-privileged", "podman-root-privileged"])
def test_a_privileged_container_does_not_get_the_list_of_this_hosts_disks(name: str) -> None:
    devices = {path for path in mounts(fit(sample(name))) if path.startswith("/dev/")}
    assert "/dev/fuse" in devices
    assert not {path for path in devices if path.startswith(("/dev/loop", "/dev/vda", "/dev/vcs"))}
    assert "/dev/null" not in devices


def test_shared_memory_is_a_tmpfs_of_the_same_size() -> None:
    config = sample("podman-rootless")
    source = next(mount["source"] for mount in config["mounts"] if mount["destination"] == "/dev/shm")
    found = mounts(fit(config, facts={source: BindFact("directory", "tmpfs", 131072)}))["/dev/shm"]
    assert found["type"] == "tmpfs"
    assert "size=131072" in found["options"]
    assert "bind" not in found["options"]


def test_with_the_hosts_namespaces_the_nodes_own_are_meant() -> None:
    result = fit(sample("podman-root-all-host"))
    found = mounts(result)
    assert found["/dev/shm"]["source"] == "/dev/shm"
    assert (found["/proc"]["type"], found["/proc"]["source"]) == ("bind", "/proc")
    assert "/dev/mqueue" not in found


def test_the_network_is_the_nodes_unless_a_private_one_is_wished() -> None:
    config = sample("podman-rootless-volumes")
    new = fit(config, private_network=True)
    assert {"type": "network"} in new.config["linux"]["namespaces"]
    assert mounts(new)["/sys"]["type"] == "sysfs"


@pytest.mark.parametrize(
    ("action", "expected"),
    [("keep", "/run/munge"), ("copy", f"{STAGED}/mounts/0"), ("drop", None)],
)
def test_the_sites_rules_come_first(action: str, expected: str | None) -> None:
    config = sample("podman-rootless")
    config["mounts"] = [
        {"destination": "/m", "type": "bind", "source": "/run/munge", "options": ["bind"]},
        {"destination": "/n", "type": "bind", "source": "/run/munge2", "options": ["bind"]},
    ]
    rules = (("/run/munge", action), ("/run", "drop"))
    facts = {"/run/munge": BindFact("directory", "tmpfs"), "/run/munge2": BindFact("directory", "tmpfs")}
    found = mounts(fit(config, bind_rules=rules, facts=facts))
    assert "/n" not in found
    assert found.get("/m", {}).get("source") == expected


@pytest.mark.parametrize(
    ("kind", "word"),
    [("missing", "is not there"), ("device", "a device"), ("socket", "a socket"), ("pipe", "a pipe")],
)
def test_what_no_node_can_have_is_refused_or_if_it_is_the_engines_named(kind: str, word: str) -> None:
    facts = {path: BindFact(kind, "tmpfs") for path in ("/run/x.sock", f"{ENGINES}/notify")}  # type: ignore[arg-type]
    with pytest.raises(StagingError, match=f"/run/x.sock, which is wanted as /s, is .*{word.rsplit(maxsplit=1)[-1]}"):
        fit(bound("/run/x.sock"), facts=facts)
    assert "/s" not in mounts(fit(bound("/run/x.sock"), facts=facts, bind_rules=(("/run/x.sock", "drop"),)))
    assert "/s" in mounts(fit(bound("/run/x.sock"), facts=facts, bind_rules=(("/run", "keep"),)))
    result = fit(bound(f"{ENGINES}/notify"), facts=facts)
    assert "/s" not in mounts(result)
    [note] = result.notes
    assert word in note
    assert "/s" in note


@pytest.mark.parametrize("kind", ["socket", "pipe"])
def test_a_socket_is_no_use_to_a_node_on_a_shared_file_system_either(kind: str) -> None:
    with pytest.raises(StagingError, match="no node can reach"):
        fit(bound("/home/a/agent"), facts={"/home/a/agent": BindFact(kind, "nfs4")})  # type: ignore[arg-type]
    assert "/s" in mounts(fit(bound("/dev/log"), facts={"/dev/log": BindFact("socket", "tmpfs")}))


ENGINES = f"/run/user/1001/containers/overlay-containers/{'0a' * 32}/userdata"


def bound(source: str, *options: str) -> dict[str, Any]:
    mount = {"destination": "/s", "type": "bind", "source": source, "options": ["rbind", *options]}
    return {"root": {"path": "/r"}, "mounts": [mount]}


def test_what_every_node_has_of_its_own_is_the_nodes() -> None:
    for source in ("/run/munge", "/run/munge/munge.socket.2", "/proc/sys", "/sys/class"):
        result = fit(bound(source), facts={source: BindFact("socket", "tmpfs")})
        assert mounts(result)["/s"]["source"] == source


@pytest.mark.parametrize(
    ("source", "options", "users", "returns"),
    [
        ("/tmp/work", (), True, True),
        ("/tmp/work", ("rw",), True, True),
        ("/tmp/work", ("ro",), True, False),
        ("/tmp/work", ("rw", "rro"), True, False),
        ("/tmp/work", ("ro", "rw"), True, True),
        ("/dev/shm/work", (), True, True),
        (f"{ENGINES}/secrets/s", (), False, False),
        # A volume without a name has such an id, too.
        (f"/tmp/storage/volumes/{'0a' * 32}/_data", (), True, True),
    ],
)
def test_what_the_program_changes_comes_back_where_it_is_the_users(
    source: str, options: tuple[str, ...], users: bool, returns: bool
) -> None:
    result = fit(bound(source, *options), facts={source: BindFact("directory", "tmpfs")})
    assert result.copies == (Copy(source, 0, "directory", "/s", (), users, returns),)
    [discarded] = fit(
        bound(source, *options),
        facts={source: BindFact("directory", "tmpfs")},
        bind_rules=((source, "discard"),),
    ).copies
    assert not discarded.returns


def test_a_volume_that_is_a_mount_is_what_is_mounted_there() -> None:
    volume = "/home/a/volumes/v/_data"
    shared = fit(bound(volume), facts={volume: BindFact("directory", "nfs4", 0, "/home/a/d")})
    assert (mounts(shared)["/s"]["source"], shared.copies) == ("/home/a/d", ())
    local = fit(bound(volume), facts={volume: BindFact("directory", "tmpfs", 0, "/tmp/d")})
    assert local.copies == (Copy("/tmp/d", 0, "directory", "/s", (), users=True, returns=True),)
    with pytest.raises(StagingError, match=r"mounted on .*_data \(server:/x, nfs\).* for /s;"):
        fit(bound(volume), facts={volume: BindFact("directory", "nfs", 0, "", "server:/x, nfs")})


def test_an_overlay_whose_changes_are_to_be_kept_is_refused() -> None:
    mount = {"destination": "/o", "type": "overlay", "options": ["lowerdir=/d", "upperdir=/home/a/upper", "workdir=/w"]}
    with pytest.raises(StagingError, match="changed in /o is to be kept in /home/a/upper"):
        fit({"root": {"path": "/r"}, "mounts": [mount]})


def test_an_image_that_is_mounted_is_a_copy_that_nobody_writes() -> None:
    options = ["lowerdir=/im/age\\:1/merged:/c/lower", "private", "userxattr"]
    mount = {"destination": "/im", "type": "overlay", "source": "overlay", "options": options}
    result = fit({"root": {"path": "/r"}, "mounts": [mount]})
    assert result.copies == (Copy("/im/age:1/merged", 0, "file", "/im", ("/c/lower",)),)
    assert "ro" in mounts(result)["/im"]["options"]


def test_a_source_on_a_memory_file_system_is_copied() -> None:
    config = {"root": {"path": "/r"}, "mounts": [{"destination": "/s", "source": "/x/y/", "options": ["rbind"]}]}
    for kind, copied in (("tmpfs", True), ("ext4", False)):
        result = fit(config, facts={"/x/y": BindFact("directory", kind)})
        assert bool(result.copies) is copied


def test_hooks_of_the_containers_own_namespaces_stay() -> None:
    hook = [{"path": "/bin/true"}]
    names = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
    new = fit({"root": {"path": "r"}, "hooks": dict.fromkeys(names, hook)}).config
    assert set(new["hooks"]) == {"createContainer", "startContainer"}


@pytest.mark.parametrize("version", ["1.2.0", "1.0.2-dev", "banana", ""])
def test_the_version_can_be_read_by_any_runtime(version: str) -> None:
    assert fit({"ociVersion": version, "root": {"path": "r"}}).config["ociVersion"] == "1.0.2"


def test_runc_gives_no_additional_groups_to_a_users_container() -> None:
    config = sample(SAMPLES[0].stem)
    config["process"]["user"] = {"uid": 0, "gid": 0, "additionalGids": [0, 5]}
    assert fit(config).config["process"]["user"]["additionalGids"] == [0, 5]
    fitted = fit(config, crun=False)
    assert "additionalGids" not in fitted.config["process"]["user"]
    assert any("groups 5 cannot be had: runc" in note for note in fitted.notes)
    of_root = fit(config, crun=False, uid_map=(), gid_map=())
    assert of_root.config["process"]["user"]["additionalGids"] == [0, 5]
