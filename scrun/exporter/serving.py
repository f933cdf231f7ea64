"""The metrics over HTTP, at a port or a Unix socket, with bounds: few callers at a time, each for a short while."""

import os
import socket
import socketserver
import stat
import threading
import time
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

from proto.errors import SettingsError, UsageError

CALLERS = 8
"""At a time; who comes then is hung up on."""
PATIENCE = 10.0
"""Seconds for a whole call."""
UNIX = "unix:"


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the standard library
        """Say nothing: who asks is nothing for a log."""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """Where callers come in, a thread each."""

    daemon_threads = True

    def __init__(self, family: socket.AddressFamily, address: Any) -> None:
        self.address_family = family
        self._calls: dict[Any, float] = {}
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Without a question to the name service, which http.server asks."""
        if self.address_family != socket.AF_UNIX:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", 0
        self.setup_environ()

    def get_request(self) -> tuple[socket.socket, Any]:
        """A caller; one at a Unix socket has no address."""
        caller, address = self.socket.accept()
        return caller, address or ("", 0)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer, if there are not too many already."""
        if len(self._calls) >= CALLERS:
            self.shutdown_request(request)
            return
        self._calls[request] = time.monotonic() + PATIENCE
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """A call is over."""
        self._calls.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End the calls of who takes too long; ``serve_forever`` comes by twice a second."""
        now = time.monotonic()
        for request, due in list(self._calls.items()):
            if now > due:
                self._calls.pop(request, None)
                try:
                    request.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it has just ended

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the caller has gone, or was made to go."""


class Serving:
    """Answers calls in threads of its own, as a context.

    Attributes:
        place: where, for people.

    """

    def __init__(self, where: str, registry: CollectorRegistry) -> None:
        """Args:
        where: ``HOST:PORT`` or ``unix:PATH``.
        registry: what is served.

        Raises:
            UsageError: it is neither of both.
            SettingsError: nobody can listen there.

        """
        self._path = os.path.abspath(where.removeprefix(UNIX)) if where.startswith(UNIX) else ""
        try:
            self._server = _at_path(self._path) if self._path else _at_port(where)
        except OSError as error:
            msg = f"cannot listen at {where}: {error.strerror or error}; choose another place with --listen"
            raise SettingsError(msg) from None
        self._server.set_app(make_wsgi_app(registry))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        if self._path:
            self.place = f"{UNIX}{self._path}"
        else:
            host, port = self._server.socket.getsockname()[:2]
            self.place = f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        if self._path:
            os.unlink(self._path)


def _at_port(where: str) -> _Server:
    host, _, port = where.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isascii() or not port.isdigit() or int(port) >= 1 << 16:
        msg = f"--listen wants HOST:PORT or unix:PATH, not {where[:80]!r}"
        raise UsageError(msg)
    family, _, _, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
    return _Server(family, address)


def _at_path(path: str) -> _Server:
    """A socket for the owner alone; one that nobody listens at any more is replaced."""
    if _deserted(path):
        os.unlink(path)
    mask = os.umask(0o177)
    try:
        return _Server(socket.AF_UNIX, path)
    finally:
        os.umask(mask)


def _deserted(path: str) -> bool:
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return False
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(path)
    except ConnectionRefusedError:
        return True
    except OSError:
        pass
    return False
