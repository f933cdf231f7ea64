"""Who may read what, whose directories are trusted, where secrets are not, and that no shell reads a user's text."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import stat
import subprocess
from typing import TYPE_CHECKING, Any

import msgpack
import pytest
import zmq

from tests.conftest import CHECKOUT, Runner, all_pids, read_proc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.slurm.runtime import Box, Runtime

SECRET = "x-secret-x"
TOKEN = "x-token-x"
FOREIGN = "x-foreign-x"


# --- permissions ------------------------------------------------------------------------------------------------


def open_to_others(top: pathlib.Path) -> list[str]:
    """What of a tree somebody else could reach; a directory that nobody may enter hides what is in it."""
    found = []
    queue = [top]
    while queue:
        path = queue.pop()
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode) or not status.st_mode & 0o077:
            continue
        found.append(f"{stat.filemode(status.st_mode)} {path}")
        if stat.S_ISDIR(status.st_mode):
            queue += path.iterdir()
    return found


def wrong_modes(runtime: Runtime, container_id: str) -> list[str]:
    """Of the state directory each file by itself has to be private, of what is staged the directory."""
    found = open_to_others(runtime.root)
    for directory, directories, files in os.walk(runtime.root):
        for name in (*directories, *files):
            mode = os.lstat(f"{directory}/{name}").st_mode
            if mode & 0o077 and not stat.S_ISLNK(mode):
                found.append(f"{stat.filemode(mode)} {directory}/{name}")
    home = pathlib.Path(runtime.runner(["/bin/sh", "-c", "echo $HOME"]).stdout.strip())
    staged = home / ".scrun" / container_id
    return found + (open_to_others(staged) if staged.exists() else [])


def test_everything_is_private_in_each_phase_whatever_the_umask(runtime: Runtime) -> None:
    start = runtime.runner.start

    def careless(argv: Any, **stdio: Any) -> Any:
        return start(["/bin/sh", "-c", 'umask 0; exec "$@"', "sh", *argv], **stdio)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime.runner, "start", careless)
        box = runtime.begin("/bin/cat", stdin=True)
        process = runtime.creating[box.id]
        while process.poll() is None:
            with contextlib.suppress(OSError):  # what is looked at may be renamed meanwhile
                if runtime.root.exists():
                    assert not wrong_modes(runtime, box.id)
        assert process.returncode == 0, box.read("err")
        box.anchor = int(runtime.pid_file(box.id).read_text())
        assert not wrong_modes(runtime, box.id)
        runtime.ok("start", box.id)
        assert not wrong_modes(runtime, box.id)
        runtime.ok("kill", box.id, "KILL")
        assert box.wait() == 137
        assert not wrong_modes(runtime, box.id)
    assert {"journal", "state.json", "config.json", "log"} <= set(os.listdir(runtime.root / box.id))


# --- the state directory ----------------------------------------------------------------------------------------

ROOTS = {
    "mkdir r; chmod 777 r": ("r", "others may write into the state directory"),
    "mkdir r; chmod 770 r": ("r", "others may write into the state directory"),
    "mkdir d; ln -s d r": ("r", "is not yours"),
    ": > r": ("r", "cannot make the state directory"),
    "mkdir -m 777 w": ("w/r", "is below"),
    "mkdir -m 777 w; mkdir d; ln -s ../d w/l": ("w/l/r", "is below"),
}


@pytest.mark.parametrize("script", ROOTS)
def test_a_root_that_is_not_safe_is_refused(runtime: Runtime, script: str) -> None:
    name, words = ROOTS[script]
    done = runtime.runner(["/bin/sh", "-c", f"cd {runtime.directory} && {script}"])
    assert done.returncode == 0, done.stderr
    runtime.root = runtime.directory / name
    assert words in runtime.fails("create", "--bundle", str(runtime.bundle("/bin/true")), "x")
    assert not (runtime.root / "x").exists()


def test_a_root_of_or_below_another_user_s_is_refused(runtime: Runtime) -> None:
    """As root, whom no permission stops; the user could replace what is below a directory of his."""
    assert runtime.runner(["mkdir", "-m", "755", str(runtime.directory / "his")]).returncode == 0
    scrun = runtime.runner(["/bin/sh", "-c", "command -v scrun"]).stdout.strip()
    as_root = Runner(CHECKOUT / ".cluster/as-root")
    bundle = str(runtime.bundle("/bin/true"))
    for root, words in ((runtime.directory / "his", "is not yours"), (runtime.directory / "his/r", "which others")):
        done = as_root([scrun, "--root", str(root), "create", "--bundle", bundle, "x"])
        assert done.returncode == 1
        assert words in done.stderr
        assert not (root / "x").exists()


# --- paths that the caller names ----------------------------------------------------------------------------------


def test_a_pid_file_replaces_a_link_and_spares_what_it_names(runtime: Runtime) -> None:
    precious = runtime.directory / "precious"
    precious.write_text("precious")
    runtime.pid_file("box0").symlink_to(precious)
    box = runtime.box("/bin/true")
    assert precious.read_text() == "precious"
    assert not runtime.pid_file(box.id).is_symlink()
    assert int(runtime.pid_file(box.id).read_text()) == box.anchor


@pytest.mark.parametrize("kind", ["fifo", "full device", "dangling link"])
def test_a_log_that_takes_nothing_stops_nobody(runtime: Runtime, kind: str) -> None:
    script = {"fifo": "mkfifo l", "full device": "ln -s /dev/full l", "dangling link": "ln -s nowhere/at/all l"}[kind]
    assert runtime.runner(["/bin/sh", "-c", f"cd {runtime.directory} && {script}"]).returncode == 0
    words = [
        "scrun",
        "--root",
        str(runtime.root),
        "--log",
        str(runtime.directory / "l"),
        "--log-format=json",
        "state",
        "nobody",
    ]
    done = runtime.runner(words, timeout=20)
    assert (done.returncode, done.stderr) == (1, "container nobody does not exist\n")


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../x", "a b", "$(touch x)", "a\nb", "~x", ""])
def test_an_id_is_never_a_path_or_more(runtime: Runtime, name: str) -> None:
    bundle = str(runtime.bundle("/bin/true"))
    before = sorted(os.listdir(runtime.directory))
    for words in (["create", "--bundle", bundle], ["delete", "--force"], ["state"], ["kill"], ["start"]):
        assert runtime(*words, "--", name).returncode == 1
        runtime.log.unlink(missing_ok=True)
    assert sorted(set(os.listdir(runtime.directory)) - {"root"}) == before


def test_a_root_file_system_that_is_a_link_outwards_is_not_followed_by_what_removes(runtime: Runtime) -> None:
    bundle = runtime.bundle("/bin/sh", "-c", "echo hello > /tmp/x; cat /tmp/x", name="bundle-linked")
    text = (bundle / "config.json").read_text().replace(f"{runtime.directory}/rootfs", "rootfs")
    (bundle / "config.json").write_text(text)
    (bundle / "rootfs").symlink_to("../rootfs")
    start = runtime.bundle
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "bundle", lambda *_, **more: bundle if more["name"] == "bundle-linked" else start())
        box = runtime.running(id="linked")
    assert (box.read(), box.read("err"), box.wait()) == ("hello\n", "", 0)
    runtime.ok("delete", box.id)
    assert (runtime.directory / "rootfs/bin/busybox").exists()


# --- secrets --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def listening(path: pathlib.Path) -> Iterator[list[bytes]]:
    """All that a tap says meanwhile."""
    heard: list[bytes] = []
    with zmq.Context() as context, context.socket(zmq.SUB) as tap:
        tap.subscribe("")
        tap.connect(f"ipc://{path}")
        heard += tap.recv_multipart()
        yield heard
        while tap.poll(200):
            heard += tap.recv_multipart()


def texts_of(top: pathlib.Path) -> dict[str, bytes]:
    found = {}
    for directory, _, files in os.walk(top):
        for name in files:
            path = pathlib.Path(directory, name)
            if path.is_file():
                found[name] = path.read_bytes()
    return found


def test_secrets_stay_where_they_belong(runtime: Runtime) -> None:
    """The environment of the container and a token of the caller's: with the loudest log that there is."""
    # Slurm's commands get the one, for plugins; the other is none of scrun's business.
    secret = {
        "SLURM_SPANK_TOKEN": TOKEN, "AWS_SECRET_ACCESS_KEY": FOREIGN, "SCRUN_DEBUG": "debug5",
        "SCRUN_FILE_DEBUG": "error",
    }  # fmt: skip
    box = runtime.box(
        "/bin/sh", "-c", 'echo "$SECRET"; read x', stdin=True, environ=secret, env=["PATH=/bin", f"SECRET={SECRET}"]
    )
    job = box.job()
    home = pathlib.Path(runtime.runner(["/bin/sh", "-c", "echo $HOME"]).stdout.strip())
    told: set[tuple[str, str]] = set()

    def look_for_secrets() -> None:
        """Which file has which secret, of the container's directory and of what is staged."""
        for top in (runtime.root / box.id, *(home / ".scrun").glob(f"{box.id}~*")):
            for name, text in texts_of(top).items():
                told.update((word, name) for word in (SECRET, TOKEN, FOREIGN) if word.encode() in text)

    look_for_secrets()

    def visible() -> dict[str, bytes]:
        """What other users may see of a container: command lines and names, and what Slurm says of the job."""
        lines = {f"process {pid}": read_proc(pid, "cmdline") + read_proc(pid, "comm") for pid in all_pids()}
        for words in (["scontrol", "show", "job", "-dd", str(job)], ["scontrol", "show", "step", f"{job}.0"],
                      ["squeue", "-j", str(job), "-O", "Comment:200,Name:100,Command:200,WorkDir:200,AdminComment"],
                      ["squeue", "-h", "-o", "%all"]):  # fmt: skip
            done = subprocess.run(
                ["/usr/bin/env", f"SLURM_CONF={runtime.runner(['/bin/sh', '-c', 'echo $SLURM_CONF']).stdout.strip()}",
                 *words], capture_output=True, check=False,
            )  # fmt: skip
            lines[" ".join(words)] = done.stdout
        return lines

    with listening(runtime.root / box.id / "tap") as heard:
        runtime.ok("start", box.id, environ=secret)
        assert box.read_line() == SECRET
        shown = visible()
        look_for_secrets()
        assert str(job).encode() in shown[f"scontrol show job -dd {job}"]
        for command in ("tree", "journal", "wants", "state", "story 1", "job", "descriptors", "stack state"):
            shown[f"console {command}"] = runtime("console", box.id, *command.split()).stdout.encode()
        runtime("console", box.id, "dump", str(runtime.directory / "dump"))
        shown["console dump"] = (runtime.directory / "dump").read_bytes()
        assert len(shown["console dump"]) > 1000
        shown["state"] = runtime("state", box.id).stdout.encode()
        shown["list"] = runtime("list", "--format=json").stdout.encode()
        box.close_stdin()
        assert box.wait() == 1
    files = texts_of(runtime.root / box.id)
    look_for_secrets()
    # Whoever enters the program on the node has to know its environment, and exec, which has no other source; the
    # journal knows the one variable that later commands of Slurm's need. Nobody else may read them (see above). A
    # plug-in's variable is in the job's environment, which scrun.lua gets, and in the program's, as with srun.
    entry = {(SECRET, "config.json"), (SECRET, ".scrun-entry"), (TOKEN, ".scrun-entry")}
    assert told == entry | {(TOKEN, "job.env"), (TOKEN, "journal")}
    for name in ("config.json", "job.env", "journal"):
        files.pop(name)
    assert len(files["log"]) > 500
    shown |= files | {"tap": b"\n".join(heard)}
    assert msgpack.unpackb(heard[1])["tap"] == 1
    secrets = [word.encode() for word in (SECRET, TOKEN, FOREIGN)]
    assert not [where for where, text in shown.items() if any(word in text for word in secrets)]


# --- shells ---------------------------------------------------------------------------------------------------

TRICKS = """$({bait}) ; {bait} & `{bait}` '; {bait}; ' #\""""


def bait_of(runtime: Runtime) -> str:
    """A file in the user's home; there is no slash, for a file's name has none either."""
    return f"pwned-{next(part for part in runtime.directory.parts if part.startswith('scrun-test'))}"


def hostile(runtime: Runtime) -> str:
    return TRICKS.format(bait=f"cd;touch {bait_of(runtime)}")


def untouched(runtime: Runtime) -> bool:
    """Whether no shell has read the text; and, so that it would be seen, what one does that has."""
    probe = ["/bin/sh", "-c", f"cd; ls {bait_of(runtime)}"]
    clean = runtime.runner(probe).returncode != 0
    runtime.runner(["/bin/sh", "-c", f"echo {hostile(runtime)}"])
    assert runtime.runner(probe).returncode == 0
    runtime.runner(["/bin/sh", "-c", f"cd; rm {bait_of(runtime)}"])
    return clean


def test_no_shell_reads_annotations_arguments_or_environment(runtime: Runtime) -> None:
    text = hostile(runtime)
    annotations = {"scrun.job-name": text, "org.example": text, text: text}
    box = runtime.running(
        "/bin/sh", "-c", 'printf "%s\\n" "$0" "$X"', text, annotations=annotations, env=["PATH=/bin", f"X={text}"]
    )
    assert box.read() == f"{text}\n{text}\n"
    assert box.wait() == 0
    runtime.ok("delete", box.id)
    assert untouched(runtime)


@pytest.fixture
def strange(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Bundles, state directory and pid files are below a directory with all that shells know, and a new line."""
    path = runtime.directory / (hostile(runtime) + "\n*")
    assert runtime.runner(["mkdir", str(path)]).returncode == 0
    assert runtime.runner(["cp", "-r", str(runtime.directory / "rootfs"), str(path)]).returncode == 0
    monkeypatch.setattr(runtime, "directory", path)
    runtime.root = path / "root"
    return path.parent


@pytest.mark.parametrize("with_lua", [False, True], ids=["builtin", "lua"])
def test_no_shell_reads_paths(runtime: Runtime, strange: pathlib.Path, with_lua: bool) -> None:
    environ = {}
    if with_lua:
        script = """function slurm_scrun_stage_in(id, bundle, spool_dir, config_file, jobid, user_id, group_id, job_env)
            return slurm.SUCCESS end
        function slurm_scrun_stage_out(id, bundle, orig_bundle, root_path, orig_root_path, spool_dir, config_file,
            jobid, user_id, group_id) return slurm.SUCCESS end
        return slurm.SUCCESS"""
        lua = strange / "scrun.lua"
        lua.write_text(script)
        lua.chmod(0o644)
        environ = runtime.site(f'[scrun]\nlua = "{lua}"\n')
    box = runtime.begin("/bin/sh", "-c", "exit 3", id="x", environ=environ)
    process = runtime.creating["x"]
    assert process.wait(timeout=60) == 0, box.read("err")
    box.anchor = int(runtime.pid_file("x").read_text())
    runtime.ok("start", "x", environ=environ)
    assert box.wait() == 3, box.read("err")
    runtime.ok("delete", "x", environ=environ)
    assert untouched(runtime)
    assert runtime.names() == []


@pytest.mark.usefixtures("strange")
def test_the_guard_s_shell_reads_no_path_either(runtime: Runtime) -> None:
    """It becomes an interpreter when the anchor is killed."""
    box: Box = runtime.running("/bin/sleep", "600")
    job = box.job()
    os.kill(box.anchor, signal.SIGKILL)
    runtime.wait_until(lambda: runtime.released(job))
    box.wait()
    runtime.ok("delete", box.id)
    assert untouched(runtime)
