"""``scrun exporter``: the numbers of containers for Prometheus, from their taps alone (``docs/exporter.md``).

It asks neither Slurm nor a container: it listens, as anybody may, and no container waits for it.
"""

import contextlib
import signal
import sys
import time
from typing import TYPE_CHECKING

from proto.errors import SettingsError, UsageError, reason
from proto.host.paths import make_root
from scrun.cli.parsing import Line
from scrun.cli.root import check_all_users, root_of
from scrun.packages import use_packages

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

LISTEN = "127.0.0.1:9762"
EVERY = 15.0
"""Seconds between two versions of the text file."""


def run(line: Line) -> int:
    """Listen and tell until it is ended by SIGTERM or SIGINT, which is no error."""
    root = _root(line)
    if line.own.text("listen") and line.own.text("textfile"):
        raise UsageError("scrun exporter wants either --listen or --textfile")
    use_packages()
    try:
        import prometheus_client  # noqa: F401 - whether it is there
    except ImportError:
        msg = f"scrun exporter needs prometheus-client: {sys.executable} -m pip install prometheus-client"
        raise SettingsError(msg) from None
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        _export(root, line.own.text("listen"), line.own.text("textfile"))
    return 0


def _root(line: Line) -> str:
    """The state directory to listen to; empty: those of all users.

    Raises:
        UsageError: the caller is not root, or names one directory.

    """
    if not line.own.flag("all-users"):
        root = root_of(line)
        make_root(root)
        return root
    check_all_users(line, "listen to")
    return ""


def _export(root: str, listen: str, textfile: str) -> None:
    import zmq

    from scrun.exporter.hearer import Hearer
    from scrun.exporter.registry import Numbers
    from scrun.exporter.serving import Serving
    from scrun.tap.crowds import Crowds, allow_descriptors

    allow_descriptors()
    numbers = Numbers()
    with zmq.Context() as context, contextlib.ExitStack() as stack:
        crowds = Crowds(context, root, Hearer(time.time()))
        stack.callback(crowds.close)
        if textfile:
            stack.callback(_write, textfile, numbers.registry)
        else:
            print(stack.enter_context(Serving(listen or LISTEN, numbers.registry)).place, flush=True)
        due = time.monotonic()
        while True:
            numbers.apply(crowds.hear())
            numbers.follow(crowds.followed())
            if time.monotonic() >= due:
                due = time.monotonic() + EVERY
                if textfile:
                    _write(textfile, numbers.registry)
            crowds.wait(due - time.monotonic())


def _write(path: str, registry: "CollectorRegistry") -> None:
    """Replace the text file: a reader sees the old one or the new one.

    Raises:
        SettingsError: it cannot be written.

    """
    from prometheus_client import write_to_textfile

    try:
        write_to_textfile(path, registry)
    except OSError as error:
        msg = f"cannot write {path}: {reason(error)}; choose another file with --textfile"
        raise SettingsError(msg) from None
