"""The cases of runtime-tools' ``validation`` that look from inside the container, one function for each.

The suite sends a program, ``runtimetest``, into the container, which compares what it finds with config.json. Here
busybox prints what there is, and the comparison is made outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.slurm.runtime import Runtime

PROC = {"destination": "/proc", "type": "proc", "source": "proc"}
DEV = {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}


def output(runtime: Runtime, script: str, *args: str, code: int = 0, **more: Any) -> list[str]:
    """Lines that a shell prints in the container; the applets that are no links are called by ``busybox``."""
    box = runtime.running("/bin/sh", "-c", script, *args, **more)
    text = box.read()
    assert box.wait() == code, box.read("err")
    return text.splitlines()


def test_validation_default(runtime: Runtime) -> None:
    """Devices and links that every Linux container has, whatever its config.json says."""
    script = """for d in null zero full random urandom tty; do test -c /dev/$d && echo $d; done
        for l in fd stdin stdout stderr; do busybox readlink /dev/$l; done
        head=$(dd if=/dev/zero bs=4 count=1 2>/dev/null | busybox wc -c); echo $head; echo lost >/dev/null
        test -d /proc/self && echo proc"""
    assert output(runtime, script) == [
        "null", "zero", "full", "random", "urandom", "tty",
        "/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", "4", "proc",
    ]  # fmt: skip


def test_validation_hostname(runtime: Runtime) -> None:
    assert output(runtime, "hostname", config={"hostname": "conformance"}) == ["conformance"]


def test_validation_process(runtime: Runtime) -> None:
    found = output(
        runtime, 'echo "$PWD"; echo "$0|$1|$2"; env', "zero", "", "two words",
        cwd="/tmp", env=["PATH=/bin", "EMPTY=", "TEXT=a b=c", "LINE=1\u00e4"],
    )  # fmt: skip
    assert found[:2] == ["/tmp", "zero||two words"]
    assert {"EMPTY=", "TEXT=a b=c", "LINE=1\u00e4"} <= set(found)


def test_validation_process_user(runtime: Runtime) -> None:
    user = {"uid": 1234, "gid": 5678, "umask": 0o027}
    assert output(runtime, "busybox id -u; busybox id -g; umask", user=user) == ["1234", "5678", "0027"]


def test_validation_process_oom_score_adj(runtime: Runtime) -> None:
    assert output(runtime, "cat /proc/self/oom_score_adj", oomScoreAdj=500) == ["500"]


def test_validation_process_capabilities(runtime: Runtime) -> None:
    names = ["CAP_CHOWN", "CAP_KILL"]
    script = "while read key value; do case $key in Cap[PEB]*) echo $key $value; esac; done </proc/self/status"
    found = output(runtime, script, capabilities=dict.fromkeys(("bounding", "effective", "permitted"), names))
    mask = f"{1 << 0 | 1 << 5:016x}"  # the numbers of CHOWN and KILL
    assert sorted(found) == [f"CapBnd: {mask}", f"CapEff: {mask}", f"CapPrm: {mask}"]


def test_validation_root_readonly_true(runtime: Runtime) -> None:
    root = {"path": str(runtime.directory / "rootfs"), "readonly": True}
    mounts = "while read a b c d; do [ $b != / ] || echo $d; done </proc/mounts"
    script = f"touch /bin/new 2>/dev/null || echo refused; {mounts}"
    refused, options = output(runtime, script, config={"root": root})
    assert refused == "refused"
    assert options.split(",")[0] == "ro"


def test_validation_mounts(runtime: Runtime) -> None:
    mounts = [
        PROC,
        DEV,
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "size=65536k"]},
        {"destination": "/tmp/below", "type": "tmpfs", "source": "tmpfs", "options": ["noexec", "ro"]},
    ]
    found = output(runtime, "while read a b c d e; do echo $b $c $d; done </proc/mounts", config={"mounts": mounts})
    rows = {row[0]: (row[1], set(row[2].split(","))) for row in map(str.split, found)}
    assert rows["/proc"][0] == "proc"
    kind, options = rows["/tmp"]
    assert kind == "tmpfs"
    assert {"rw", "nosuid", "nodev", "size=65536k"} <= options
    kind, options = rows["/tmp/below"]
    assert kind == "tmpfs"
    assert {"ro", "noexec"} <= options


def test_validation_linux_masked_paths(runtime: Runtime) -> None:
    linux = {"namespaces": [{"type": "pid"}, {"type": "mount"}], "maskedPaths": ["/proc/version", "/proc/tty"]}
    script = "cat /proc/version; cat /proc/tty/* 2>/dev/null; echo end"
    assert output(runtime, script, config={"linux": linux}) == ["end"]


def test_validation_linux_readonly_paths(runtime: Runtime) -> None:
    linux = {"namespaces": [{"type": "pid"}, {"type": "mount"}], "readonlyPaths": ["/tmp/kept"]}
    mounts = [PROC, DEV, {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
              {"destination": "/tmp/kept", "type": "tmpfs", "source": "tmpfs"}]  # fmt: skip
    script = "touch /tmp/x && echo written; touch /tmp/kept/x 2>/dev/null || echo refused"
    assert output(runtime, script, config={"linux": linux, "mounts": mounts}) == ["written", "refused"]
