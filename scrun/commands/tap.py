"""``scrun tap``: print everything that containers' processes say and do, and what of it was missed.

The tap is an XPUB that any ZeroMQ client can read; ``docs/tap.md`` is the contract, to which this keeps like any other.
"""

import time
from typing import TYPE_CHECKING

from proto import TAP_VERSION
from proto.errors import NotFoundError, UsageError
from proto.host.paths import check_id, make_root
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.packages import use_packages
from scrun.report.lines import feed
from scrun.tap.births import Births
from scrun.tap.following import Following
from scrun.tap.hearing import Gap
from scrun.tap.lines import FORMATS, gap_body

if TYPE_CHECKING:
    import zmq

LOOK = 0.5
"""Seconds between two looks whether containers have come or gone."""
AT_ONCE = 1000
"""Messages that are printed before it looks again."""


def run(line: Line) -> int:
    """Print until the container has ended (one), until interrupted (``--all``), or until nobody reads."""
    use_packages()
    import zmq

    everyone = line.own.flag("all")
    if everyone == bool(line.arguments):
        msg = "scrun tap wants either a container id or --all"
        raise UsageError(msg)
    root = root_of(line)
    with zmq.Context() as context, context.socket(zmq.SUB) as sock:
        prefix = line.own.text("topic")
        following = Following(sock, root, (prefix,))
        printer = _Printer(following, prefix, line.own.text("format") or "json")
        births = None
        if everyone:
            make_root(root)
            births = Births(root)  # before the first look, so that none comes between
        elif following.lives(check_id(line.id)):
            following.begin([line.id])
        else:
            msg = f"container {line.id} does not exist or has stopped"
            raise NotFoundError(msg)
        try:
            _listen(sock, following, printer, births)
        except BrokenPipeError:
            pass
        finally:
            if births is not None:
                births.close()
    return 0


def _listen(sock: "zmq.Socket[bytes]", following: Following, printer: "_Printer", births: Births | None) -> None:
    import zmq

    poller = zmq.Poller()
    poller.register(sock, zmq.POLLIN)
    poller.register(1, zmq.POLLERR)  # nobody reads any more
    if births is not None and births.descriptor >= 0:
        poller.register(births.descriptor, zmq.POLLIN)
    due = 0.0
    while following.ears or births is not None:
        if births is not None:
            following.begin(births.names())
        if time.monotonic() >= due:
            due = time.monotonic() + LOOK
            if births is not None:
                following.look()
            for name in following.end():
                printer.unheard(name)
        for _ in range(AT_ONCE):
            try:
                printer.message(*sock.recv_multipart(zmq.DONTWAIT))
            except zmq.Again:
                break
        ready = dict(poller.poll(max(0, int((due - time.monotonic()) * 1000) + 1)))
        if ready.get(1, 0) & zmq.POLLERR:
            return


class _Printer:
    """Prints messages and gaps, a line each."""

    def __init__(self, following: Following, prefix: str, form: str) -> None:
        self._following = following
        self._prefix = prefix
        self._format = FORMATS[form]

    def message(self, topic_frame: bytes, frame: bytes) -> None:
        """Print what is missing before a message, and the message if it is wanted."""
        import msgpack

        topic, body = topic_frame.decode(errors="backslashreplace"), msgpack.unpackb(frame)
        ear = self._following.ears.get(body["container"])
        if ear and body.get("tap") == TAP_VERSION:  # one that is older or newer is printed as it is
            for gap in ear.hearing.hear(topic, body):
                self._print("gap", gap_body(gap, body["container"], body["incarnation"], body["time"]))
        if topic.startswith(self._prefix):
            self._print(topic, body)

    def unheard(self, name: str) -> None:
        """Print that a container came and went."""
        self._print("gap", gap_body(Gap("unheard"), name, 0, time.time()))

    def _print(self, topic: str, body: dict[str, object]) -> None:
        feed(f"{self._format(topic, body)}\n".encode(errors="backslashreplace"))
