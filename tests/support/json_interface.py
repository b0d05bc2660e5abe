"""A real HTTP server on loopback whose behaviour each test writes path by path."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Call:
    """One call as the server saw it."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What the server answers; `stream` writes the body itself, as slowly or wrongly as it likes."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    stream: Callable[[Any], None] | None = None


def say(document: Any, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(json.dumps(document).encode(), status, {"content-type": "application/json"} | named)


def zipped(body: bytes) -> Reply:
    return Reply(gzip.compress(body), 200, {"content-encoding": "gzip", "content-type": "application/json"})


class Interface:
    """The server: `routes` maps a path to a function of the call; `calls` is everything that was asked."""

    def __init__(self) -> None:
        self.routes: dict[str, Callable[[Call], Reply]] = {}
        self.calls: list[Call] = []
        self.closing = threading.Event()
        self.url = ""

    def asked(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    def in_turn(self, path: str, *replies: Reply) -> None:
        """Answer a path with one reply after the other; the last stays."""
        left = list(replies)
        self.routes[path] = lambda call: left.pop(0) if len(left) > 1 else left[0]


def handler_of(interface: Interface) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            params = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(self.command, parts.path, params, headers, self.rfile.read(length))
            interface.calls.append(call)
            route = interface.routes.get(parts.path)
            self.write(say({"error": "no such path"}, 404) if route is None else route(call))

        def write(self, reply: Reply) -> None:
            if reply.stream is not None:
                self.close_connection = True
                try:
                    reply.stream(self.wfile)
                except OSError:
                    return  # the collector hung up, as it should
                return
            self.send_response(reply.status)
            for name, value in ({"content-length": str(len(reply.body))} | reply.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    return Handler


class Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A collector that hangs up is no news; whatever else went wrong here fails the test by its answer."""


@contextmanager
def serving() -> Iterator[Interface]:
    interface = Interface()
    server = Server(("127.0.0.1", 0), handler_of(interface))
    interface.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield interface
    finally:
        interface.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
