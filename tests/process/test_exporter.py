"""``scrun exporter`` beside real containers of the local scheduler, asked as Prometheus asks."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import msgpack
import pytest
import zmq
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from scrun.exporter import serving
from scrun.exporter.hearer import Hearer
from scrun.exporter.metrics import METRICS
from scrun.exporter.registry import Numbers
from scrun.tap.crowds import Crowds
from tests.chaos.witness import find
from tests.process.site import COMMAND, Site

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.conftest import WaitUntil

ME = os.getuid()
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Call(http.client.HTTPConnection):
    """A connection to where an exporter says that it listens."""

    def __init__(self, place: str) -> None:
        self.path = place.removeprefix("unix:") if place.startswith("unix:") else ""
        super().__init__("x" if self.path else place.split("/")[2], timeout=10)

    def connect(self) -> None:
        if self.path:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(self.path)
        else:
            super().connect()


class Answer(NamedTuple):
    status: int
    form: str
    text: str


def ask(place: str, accept: str = "", method: str = "GET") -> Answer:
    with contextlib.closing(Call(place)) as call:
        call.request(method, "/metrics", headers={"Accept": accept})
        answer = call.getresponse()
        return Answer(answer.status, answer.headers["Content-Type"] or "", answer.read().decode())


def numbers(text: str) -> dict[str, float]:
    """``name`` or ``name{word}`` to its value."""
    samples = [sample for family in plain(text) for sample in family.samples if not sample.name.endswith("_bucket")]
    return {
        sample.name + (f"{{{','.join(sample.labels.values())}}}" if sample.labels else ""): sample.value
        for sample in samples
    }


class Exporter:
    def __init__(self, site: Observed, *words: str, **more: Any) -> None:
        streams: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | more
        command = [*COMMAND, "--root", str(site.root), "exporter", *words]
        self.process: subprocess.Popen[str] = site.stack.enter_context(
            subprocess.Popen(command, env=site.environ, text=True, **streams)
        )
        site.stack.callback(self.process.kill)
        self.place = ""

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def now(self) -> dict[str, float]:
        return numbers(ask(self.place).text)

    def ends(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


class Observed(Site):
    def __init__(self, path: pathlib.Path, stack: contextlib.ExitStack, wait_until: WaitUntil) -> None:
        super().__init__(path)
        self.stack = stack
        self.wait_until = wait_until

    def exporter(self, listen: str = "127.0.0.1:0") -> Exporter:
        found = Exporter(self, "--listen", listen)
        found.place = found.says()
        return found

    def life(self, name: str, program: str = "exit 7") -> None:
        self.config(program=program)
        self.succeeds("create", name)
        self.succeeds("start", name)
        self.wait_until(lambda: json.loads(self.succeeds("state", name))["status"] == "stopped")
        self.succeeds("delete", name)


@pytest.fixture
def site(tmp_path: pathlib.Path, wait_until: WaitUntil) -> Iterator[Observed]:
    with contextlib.ExitStack() as stack:
        found = Observed(tmp_path, stack, wait_until)
        found.config()
        yield found
        for name in ("x", "y"):
            found.scrun("delete", "--force", name)


def test_a_container_that_comes_and_goes_quickly_is_counted_once(site: Observed) -> None:
    exporter = site.exporter()
    site.life("x")
    site.wait_until(lambda: exporter.now()["scrun_exporter_containers_followed"] == 0)
    now = exporter.now()
    assert now["scrun_containers_seen_total"] == 1
    assert {key: value for key, value in now.items() if "_ends_" in key and value} == {
        "scrun_container_ends_total{exited}": 1
    }
    assert not any(value for key, value in now.items() if key.startswith("scrun_containers{"))
    for name in ("queue", "staging", "launch"):
        assert now[f"scrun_{name}_seconds_count"] == 1, name
    assert now["scrun_stagings_total{ready}"] == 1
    assert now["scrun_requests_total{start}"] == 1
    assert not any(value for key, value in now.items() if "_gaps_" in key or "refused" in key)
    assert exporter.ends() == 0


def test_times_of_what_was_said_before_the_first_hello(site: Observed) -> None:
    exporter = site.exporter()
    exporter.process.send_signal(signal.SIGSTOP)
    site.succeeds("create", "x")
    exporter.process.send_signal(signal.SIGCONT)
    site.wait_until(lambda: exporter.now()["scrun_containers{created}"] == 1)
    now = exporter.now()
    assert [now[f"scrun_{name}_seconds_count"] for name in ("queue", "staging")] == [1, 1]
    assert now["scrun_stagings_total{ready}"] == 1


def test_ends_by_cause(site: Observed) -> None:
    exporter = site.exporter()
    site.life("x")
    site.config()
    site.succeeds("create", "y")
    site.succeeds("start", "y")
    site.wait_until(lambda: exporter.now()["scrun_containers{running}"] == 1)
    site.wait_until(lambda: site.scrun("kill", "y", "KILL").returncode == 0)
    site.wait_until(lambda: exporter.now()["scrun_container_ends_total{signalled}"] == 1)
    assert exporter.now()["scrun_container_ends_total{exited}"] == 1
    assert exporter.now()["scrun_requests_total{kill}"] >= 1


def test_programs_of_exec_and_commands_that_end(site: Observed) -> None:
    exporter = site.exporter()
    site.succeeds("create", "y")
    site.succeeds("start", "y")
    site.wait_until(lambda: exporter.now()["scrun_containers{running}"] == 1)
    assert site.scrun("exec", "y", "/bin/busybox", "sh", "-c", "exit 3").returncode == 3
    site.succeeds("exec", "--detach", "y", "/bin/busybox", "true")
    site.wait_until(lambda: exporter.now()["scrun_execs_total"] == 2)
    assert not any(value for key, value in exporter.now().items() if "_commands_" in key)
    site.wait_until(lambda: site.scrun("kill", "y", "KILL").returncode == 0)
    site.wait_until(lambda: exporter.now()["scrun_container_ends_total{signalled}"] == 1)
    now = {key: value for key, value in exporter.now().items() if "_commands_" in key and value}
    assert now["scrun_slurm_commands_total{step}"] == 1
    assert "scrun_slurm_commands_total{other}" not in now


def test_bytes_of_a_pipe(site: Observed) -> None:
    exporter = site.exporter()
    site.config(program="echo hello")
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as output:
        with open(writing, "wb") as end:
            command = [*COMMAND, "--root", str(site.root), "create", "--bundle", str(site.bundle), "x"]
            subprocess.run(command, env=site.environ, stdin=subprocess.DEVNULL, stdout=end, check=True, timeout=60)
        site.succeeds("start", "x")
        assert output.read() == "hello\n"
    site.wait_until(lambda: exporter.now()["scrun_stdio_bytes_total{stdout}"] == len("hello\n"))


def test_a_late_start_and_a_restart_know_what_there_is(site: Observed) -> None:
    site.succeeds("create", "x")

    def comes_late() -> None:
        exporter = site.exporter()
        site.wait_until(lambda: exporter.now()["scrun_containers{created}"] == 1)
        now = exporter.now()
        assert now["scrun_containers_seen_total"] == 1
        assert now["scrun_queue_seconds_count"] == now["scrun_requests_total{start}"] == 0
        assert exporter.ends(signal.SIGINT) == 0

    comes_late()
    comes_late()


def test_an_actor_that_is_replaced(site: Observed) -> None:
    exporter = site.exporter()
    site.succeeds("create", "x")
    site.wait_until(lambda: exporter.now()["scrun_containers{created}"] == 1)
    os.kill(find(json.loads(site.succeeds("state", "x"))["pid"], "state"), signal.SIGKILL)
    site.wait_until(lambda: exporter.now()["scrun_actor_restarts_total{state}"] == 1)
    now = exporter.now()
    assert now["scrun_tap_gaps_total{replaced}"] == 1
    assert now["scrun_containers_seen_total"] == now["scrun_containers{created}"] == 1


def test_what_came_and_went_unheard(site: Observed) -> None:
    exporter = site.exporter()
    exporter.process.send_signal(signal.SIGSTOP)
    site.life("x")
    exporter.process.send_signal(signal.SIGCONT)
    site.wait_until(lambda: exporter.now()["scrun_tap_gaps_total{unheard}"] == 1)
    assert exporter.now()["scrun_containers_seen_total"] == 0


def test_a_unix_socket_is_the_owners_alone_and_replaces_one_that_is_deserted(site: Observed) -> None:
    path = site.path / "metrics"
    with socket.socket(socket.AF_UNIX) as deserted:
        deserted.bind(str(path))
    exporter = site.exporter(f"unix:{path}")
    assert exporter.place == f"unix:{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert exporter.now()["scrun_exporter_containers_followed"] == 0
    second = Exporter(site, "--listen", f"unix:{path}")
    assert second.process.wait(20) == 1
    assert second.says().startswith("cannot listen at unix:")
    assert exporter.ends() == 0
    assert not path.exists()


def test_a_file_that_is_there_is_left_alone(site: Observed) -> None:
    path = site.path / "precious"
    path.write_text("mine")
    assert "cannot listen" in site.scrun("exporter", "--listen", f"unix:{path}").stderr
    assert path.read_text() == "mine"


def test_both_forms_by_content_negotiation(site: Observed) -> None:
    exporter = site.exporter()
    answer = ask(exporter.place, OPENMETRICS)
    assert answer.form.startswith("application/openmetrics-text; version=1.0.0")
    found = openmetrics.text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
    names = {family.name for family in found}
    assert names == {metric.name.removesuffix("_total").removesuffix("_info") for metric in METRICS}
    answer = ask(exporter.place)
    assert answer.form.startswith("text/plain; version=0.0.4")
    assert {family.name for family in plain(answer.text)} >= {"scrun_containers"}
    assert ask(exporter.place, method="POST").status == 405


def test_a_text_file_at_once_and_at_the_end(site: Observed) -> None:
    path = site.path / "scrun.prom"
    exporter = Exporter(site, "--textfile", str(path))
    site.wait_until(path.exists)
    assert numbers(path.read_text())["scrun_containers{created}"] == 0
    site.succeeds("create", "x")
    first = path.stat().st_ino
    site.wait_until(lambda: path.stat().st_ino != first, 30)
    assert exporter.ends() == 0
    assert numbers(path.read_text())["scrun_containers{created}"] == 1
    assert [name.name for name in site.path.glob("scrun.prom*")] == ["scrun.prom"]


def test_a_text_file_that_cannot_be_written_is_one_sentence(site: Observed) -> None:
    done = site.scrun("exporter", "--textfile", str(site.path / "none/scrun.prom"))
    assert done.returncode == 1
    assert done.stderr.startswith("cannot write ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("where", ["", "nonsense", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "unix:"])
def test_what_is_no_place(site: Observed, where: str) -> None:
    done = site.scrun("exporter", f"--listen={where or ':'}")
    assert done.returncode == 1
    assert "--listen" in done.stderr


def test_either_one_or_the_other(site: Observed) -> None:
    assert "either" in site.scrun("exporter", "--listen", "127.0.0.1:0", "--textfile", "x").stderr
    assert "leave --root out" in site.scrun("exporter", "--all-users").stderr or os.getuid()


def test_without_the_package_it_says_what_to_install(site: Observed) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); sys.modules['prometheus_client'] = None; "
        "from scrun.main import main; sys.exit(main(['--root', sys.argv[2], 'exporter']))"
    )
    command = [COMMAND[0], "-IS", "-c", program, os.path.dirname(os.path.dirname(COMMAND[2])), str(site.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"scrun exporter needs prometheus-client: {COMMAND[0]} -m pip install prometheus-client\n"


def test_who_says_nothing_is_hung_up_on_and_the_next_is_served(
    monkeypatch: pytest.MonkeyPatch, wait_until: WaitUntil
) -> None:
    monkeypatch.setattr(serving, "CALLERS", 2)
    monkeypatch.setattr(serving, "PATIENCE", 0.2)
    with serving.Serving("127.0.0.1:0", Numbers().registry) as served, contextlib.ExitStack() as stack:
        host, port = served.place.split("/")[2].split(":")
        silent = [stack.enter_context(socket.create_connection((host, int(port)))) for _ in range(3)]
        for caller in silent:
            caller.settimeout(20)
            assert caller.recv(1) == b""
        wait_until(lambda: ask(served.place).status == 200)


def test_all_users_are_listened_to_where_nothing_leads_elsewhere(site: Observed, wait_until: WaitUntil) -> None:
    """What root does, with this user's directory as one of many, and traps beside the container."""
    site.succeeds("create", "x")
    site.succeeds("create", "y")
    (site.root / "link").symlink_to(site.root / "y")
    (site.root / "trap").mkdir()
    (site.root / "trap/tap").symlink_to(site.root / "y/tap")
    os.mkfifo(site.root / "trap/state.json")
    (site.path / "link").symlink_to(site.root)
    places = [(ME, str(site.root)), (ME, str(site.path / "link")), (ME + 1, str(site.path))]
    told = Numbers()
    with zmq.Context() as context, contextlib.closing(Crowds(context, "", Hearer(0.0), lambda: places)) as found:

        def value(name: str, **labels: str) -> float | None:
            told.apply(found.hear())
            told.follow(found.followed())
            found.wait(0.1)
            return told.registry.get_sample_value(name, labels)

        wait_until(lambda: value("scrun_containers", phase="created") == 2)
        assert value("scrun_exporter_containers_followed") == 2
        site.succeeds("delete", "--force", "x")
        wait_until(lambda: value("scrun_exporter_containers_followed") == 1)
        site.config(program="exit 7")
        site.succeeds("create", "x")
        wait_until(lambda: value("scrun_containers", phase="created") == 2)
        assert value("scrun_containers_seen_total") == 3
        assert value("scrun_tap_refused_messages_total") == 0
    (site.root / "trap/tap").unlink()
    (site.root / "trap/state.json").unlink()
    (site.root / "trap").rmdir()
    (site.root / "link").unlink()


def test_a_user_who_talks_nonsense_is_refused_and_counted(tmp_path: pathlib.Path, wait_until: WaitUntil) -> None:
    (tmp_path / "x").mkdir()
    header = {"tap": 1, "container": "x", "incarnation": 1, "number": 1, "time": 1.0}
    nonsense = [
        [b"hello"],
        [b"hello", b"\xc1"],
        [b"hello", msgpack.packb([])],
        [b"hello", msgpack.packb(header | {"tap": 99, "data": {}})],
        [b"hello", msgpack.packb(header | {"container": [], "data": {}})],
        [b"hello", msgpack.packb(header | {"data": {"numbers": {str(n): n for n in range(1000)}}})],
        [b"hello", msgpack.packb(header | {"data": {"numbers": {}, "state": {"created": float("nan")}}})],
        [b"\xff", msgpack.packb(header | {"data": {}})],
    ]
    told = Numbers()
    with contextlib.ExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        liar = stack.enter_context(context.socket(zmq.XPUB))
        liar.bind(f"ipc://{tmp_path}/x/tap")
        found = stack.enter_context(contextlib.closing(Crowds(context, "", Hearer(0.0), lambda: [(ME, str(tmp_path))])))

        def refused() -> float | None:
            told.apply(found.hear())
            return told.registry.get_sample_value("scrun_tap_refused_messages_total")

        wait_until(lambda: refused() == 0 and liar.poll(10))
        for frames in nonsense:
            liar.send_multipart(frames)
        wait_until(lambda: refused() == len(nonsense))
        assert told.registry.get_sample_value("scrun_containers_seen_total") == 0
