"""The list of what engines demand of a runtime, points 19 to 21, 23, 24 and 26: what reaches the node, and from it."""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import re
import secrets
import socket
import struct
import subprocess
import termios
from typing import TYPE_CHECKING, Any

from tests.conftest import read_proc

if TYPE_CHECKING:
    from tests.oci.podman import Podman
    from tests.slurm.runtime import Runtime


def staged(runtime: Runtime, container_id: str) -> dict[str, Any]:
    """config.json as the node gets it."""
    path = runtime.runner(["sh", "-c", f"cat ~/.scrun/{container_id}~*/config.json"]).stdout
    return dict(json.loads(path))


def test_point_19_hooks_run_here_and_not_on_the_node(runtime: Runtime) -> None:
    out = runtime.directory / "hooks"

    def hook(word: str) -> list[dict[str, Any]]:
        return [{"path": "/bin/sh", "args": ["sh", "-c", f"echo {word} >>{out}"], "env": ["PATH=/bin"]}]

    here = ("prestart", "createRuntime", "poststart", "poststop")
    bundle = runtime.change(runtime.bundle("/bin/true"), hooks={kind: hook(kind) for kind in here})
    runtime.create("x", bundle)
    hooks = [hook["args"] for kind in staged(runtime, "x").get("hooks", {}).values() for hook in kind]
    assert not [args for args in hooks if not any("/node/" in word for word in args)]  # the root file system's own
    runtime.ok("start", "x")
    runtime.wait_until(lambda: json.loads(runtime("state", "x").stdout)["status"] == "stopped", 30)
    runtime.ok("delete", "x")
    assert out.read_text().split() == list(here)


def test_point_20_a_file_that_only_this_host_has_is_brought_along(runtime: Runtime) -> None:
    local = pathlib.Path(f"/run/user/{os.stat(runtime.directory).st_uid}/scrun-test-{secrets.token_hex(4)}")
    assert runtime.runner(["tee", str(local)], "only here\n").returncode == 0
    mount = {"destination": "/etc/hosts", "type": "bind", "source": str(local), "options": ["rbind", "ro"]}
    bundle = runtime.bundle("/bin/cat", "/etc/hosts")
    assert runtime.runner(["sh", "-c", f"mkdir -p {runtime.directory}/rootfs/etc"]).returncode == 0
    runtime.change(bundle, mounts=[*json.loads((bundle / "config.json").read_text())["mounts"], mount])
    reading, writing = os.pipe()
    runtime.ids.append("x")
    words = runtime.words("create", "--bundle", str(bundle), "x")
    assert runtime.runner.start(words, stdout=writing, stderr=subprocess.DEVNULL).wait(60) == 0
    os.close(writing)
    [source] = [entry["source"] for entry in staged(runtime, "x")["mounts"] if entry["destination"] == "/etc/hosts"]
    assert runtime.runner(["rm", str(local)]).returncode == 0
    assert "/.scrun/x~" in source
    runtime.ok("start", "x")
    with open(reading, "rb") as output:
        assert output.read() == b"only here\n"


def test_point_21_the_terminal_is_handed_over_and_follows_the_window(runtime: Runtime) -> None:
    script = 'trap "stty size" WINCH; echo ready; while :; do sleep 0.1; done'
    bundle = runtime.bundle("/bin/sh", "-c", script, terminal=True)
    path = f"{runtime.directory}/console"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        os.chmod(path, 0o777)
        listener.listen(1)
        listener.settimeout(60)
        runtime.create("x", bundle, "--console-socket", path)
        with listener.accept()[0] as peer:
            name, [master], *_ = socket.recv_fds(peer, 4096, 2)
            # One message, and that is all.
            assert peer.recv(1) == b""
    slave = os.stat(name.decode()).st_rdev
    os.set_blocking(master, False)
    seen = b""

    def sees(text: bytes) -> bool:
        nonlocal seen
        try:
            seen += os.read(master, 4096)
        except BlockingIOError:
            pass
        return text in seen

    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("4H", 31, 97, 0, 0))
    runtime.ok("start", "x")
    runtime.wait_until(lambda: sees(b"ready"), 30)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("4H", 44, 155, 0, 0))
    runtime.wait_until(lambda: sees(b"44 155"), 30, what=repr(seen))
    # Whoever the kernel tells of the new size leads a session whose terminal it is.
    leaders = [int(path.name) for path in pathlib.Path("/proc").glob("[0-9]*") if terminal_of(path.name) == slave]
    assert any(os.getsid(pid) == pid for pid in leaders)
    runtime.ok("kill", "x", "KILL")
    os.close(master)


def terminal_of(pid: str) -> int:
    """Device of a process's controlling terminal, 0 if it has none."""
    words = read_proc(pid, "stat").rpartition(b")")[2].split()
    number = int(words[4]) if words else 0
    return os.makedev((number >> 8) & 0xFFF, (number & 0xFF) | (number >> 12 & 0xFFF00)) if number else 0


def test_point_23_options_of_slurm_by_annotation(runtime: Runtime) -> None:
    name = f"name-{secrets.token_hex(4)}"
    box = runtime.box("/bin/true", annotations={"scrun.job-name": name, "scrun.partition": "short"}, environ={})
    done = runtime.runner(["squeue", "--noheader", f"--name={name}", "--format=%i %P"])
    assert done.stdout.split() == [str(box.job()), "short"]


def test_point_24_podman_hears_that_memory_ran_out(podman: Podman, runtime: Runtime) -> None:
    site = runtime.short_of_memory()
    name = podman.name()
    flag = f"--runtime-flag=slurm-conf={site['SLURM_CONF']}"
    done = podman(flag, "run", "--name", name, "busybox", "sh", "-c", "exit 137")
    assert done.returncode == 137
    assert podman.inspect(name, ".State.OOMKilled") == "true"
    other = podman.name()
    assert podman("run", "--name", other, "busybox", "sh", "-c", "exit 137").returncode == 137
    assert podman.inspect(other, ".State.OOMKilled") == "false"


def test_point_26_slurm_sees_the_user_behind_the_namespace(podman: Podman, cluster: Any) -> None:
    name = podman.detached("busybox", "sleep", "600")
    text = podman.runner(["scontrol", "show", "job", str(podman.job(podman.id(name)))]).stdout
    assert re.search(rf"UserId=\w+\({cluster.uid}\)", text)
    # And scrun was root there.
    pid = podman.inspect(name, ".State.Pid")
    assert read_proc(pid, "uid_map").split()[:2] == [b"0", str(cluster.uid).encode()]
