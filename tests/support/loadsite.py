"""A small HTTPS server for the load generators to speak to."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue

from bench.engines import Endpoint

from llmos.authentication.certificates import ensure_certificates

TOKEN = "the-right-token"


class Site(ThreadingHTTPServer):
    """What was asked of it, and who watches."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.watches: list[SimpleQueue[bytes]] = []
        self.lost_events = 0
        """So many events are kept from the watchers."""

    def publish(self, body: bytes) -> None:
        """Tell the watchers of an object."""
        if self.lost_events:
            self.lost_events -= 1
            return
        for watch in self.watches:
            watch.put(body)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        if not self._welcome(200):
            return
        if "watch" in self.path:
            self._watch()
        else:
            self._answer(200, b"{}" * 40_000 if "large" in self.path else b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self._welcome(201):
            self.server.bodies.append(body)
            self.server.publish(body)
            self._answer(201, body)

    def _welcome(self, _: int) -> bool:
        self.server.paths.append(self.path)
        if self.headers["authorization"] == f"Bearer {TOKEN}":
            return True
        self._answer(401, b"who are you?")
        return False

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _watch(self) -> None:
        events: SimpleQueue[bytes] = SimpleQueue()
        self.server.watches.append(events)
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        while body := events.get():
            # In pieces, so that a time stands over two chunks.
            for piece in (body[:20], body[20:]):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def site(directory: Path, *, tls: bool = True) -> Iterator[tuple[Site, Endpoint]]:
    """The server, and how generators find it."""
    server = Site()
    authority = None
    if tls:
        certificates = ensure_certificates(directory, ["127.0.0.1"], time.time)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.cert_path, certificates.key_path)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        authority = directory / "ca.crt"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    tokens = {"alice": TOKEN, "mallory": "a-wrong-token"}
    try:
        port = server.server_address[1]
        yield server, Endpoint("site", "127.0.0.1", port, authority, tokens)
    finally:
        for watch in server.watches:
            watch.put(b"")
        server.shutdown()
        server.server_close()
