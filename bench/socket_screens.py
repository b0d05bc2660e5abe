"""Thousands of screens without a browser: sockets that take what a server sends, in a process of their own.

`python -m bench.socket_screens PORT` obeys lines on standard input and answers each with a line of JSON; `Holder`
speaks with it.
"""

import json
import resource
import select
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from config.settings import ROOT

BEAT_BYTES = 200
"""A heartbeat is shorter, a frame longer."""
READ_EVERY = 97
"""One screen in so many unpacks what it gets, as a browser does, and looks whether its sequence is whole."""
HEAD_BYTES = 1800
"""Head of the answer and the greeting are shorter; with the first frame it is more."""
OPENING_S = 60
READ_BYTES = 64 * 1024
"""More than a frame; asking for more costs memory at each reading."""


@dataclass
class Reader:
    """Unpacks one stream and remembers the numbers of its frames."""

    raw: bytes = b""
    text: str = ""
    unpack: Any = field(default_factory=lambda: zlib.decompressobj(31))
    numbers: list[int] = field(default_factory=list)
    full: int = 0

    def take(self, data: bytes) -> None:
        """Take bytes off the wire: the head, then chunks, in them gzip, in it events."""
        self.raw += data
        if self.raw.startswith(b"HTTP/"):
            _, ended, rest = self.raw.partition(b"\r\n\r\n")
            self.raw = rest if ended else self.raw
        while self.raw and not self.raw.startswith(b"HTTP/") and (chunk := self._chunk()) is not None:
            self.text += self.unpack.decompress(chunk).decode()
        *events, self.text = self.text.split("\n\n")
        for event in events:
            self._event(*event.split("\n", 1))

    def _chunk(self) -> bytes | None:
        size, ended, rest = self.raw.partition(b"\r\n")
        length = int(size, 16) if ended else 0
        if not ended or len(rest) < length + 2:
            return None
        self.raw = rest[length + 2 :]
        return rest[:length]

    def _event(self, name: str, data: str) -> None:
        if name == "event: frame":
            frame = json.loads(data.removeprefix("data: "))
            self.numbers.append(frame["seq"])
            self.full += frame["full"]

    def missed(self) -> int:
        """Frames that were missed between two that came, and full ones sent because the screen was too slow."""
        gaps = sum(after - before != 1 for before, after in zip(self.numbers, self.numbers[1:], strict=False))
        return gaps + max(0, self.full - 1)


@dataclass
class Screen:
    """One open stream."""

    socket: socket.socket
    reader: Reader | None
    bytes: int = 0
    at: float = 0.0
    """When the last piece of a frame came (s since 1970); 0: none since last asked."""


class Screens:
    """The screens of this process."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._poll = select.epoll()
        self._screens: dict[int, Screen] = {}

    def open(self, count: int, paths: Sequence[str]) -> dict[str, Any]:
        """Open further screens as fast as the server takes them, until each has had its first frame."""
        began, new = time.time(), []
        for number in range(count):
            new.append(self._connect(paths[number % len(paths)], read=number % READ_EVERY == 0))
            self._take(0)
        while any(screen.bytes < HEAD_BYTES for screen in new) and time.time() < began + OPENING_S:
            self._take(0.05)
        return {"opened": len(new), "seconds": time.time() - began}

    def watch(self, seconds: float) -> dict[str, Any]:
        """Read for so long, then tell when each screen's last frame came and how many bytes all got."""
        for screen in self._screens.values():
            screen.bytes, screen.at = 0, 0.0
        self._take(seconds)
        screens = self._screens.values()
        return {
            "at": [screen.at for screen in screens],
            "bytes": sum(screen.bytes for screen in screens),
            "missed": sum(screen.reader.missed() for screen in screens if screen.reader),
        }

    def _take(self, seconds: float) -> None:
        until = time.time() + seconds
        while True:
            for file, _ in self._poll.poll(max(0.0, until - time.time()), len(self._screens) or 1):
                self._read(self._screens[file])
            if time.time() >= until:
                return

    def _connect(self, path: str, read: bool) -> Screen:
        connection = socket.create_connection(("127.0.0.1", self._port), OPENING_S)
        connection.sendall(f"GET /live/{path} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\n\r\n".encode())
        connection.setblocking(False)
        screen = self._screens[connection.fileno()] = Screen(connection, Reader() if read else None)
        self._poll.register(connection, select.EPOLLIN)
        return screen

    def _read(self, screen: Screen) -> None:
        try:
            data = screen.socket.recv(READ_BYTES)
        except ConnectionError:
            data = b""  # as if the server had ended it in order: this screen is late from now on
        if not data:
            self._poll.unregister(screen.socket)
        elif len(data) > BEAT_BYTES:
            screen.at = time.time()
        screen.bytes += len(data)
        if screen.reader:
            screen.reader.take(data)


class Holder:
    """The process that holds the screens of a server."""

    def __init__(self, port: int, paths: Sequence[str]) -> None:
        self._paths = paths
        self.screens = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.socket_screens", str(port)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def open(self, screens: int) -> dict[str, Any]:
        """Open as many more as are missing; gives how many, and the seconds until each had a frame."""
        more, self.screens = screens - self.screens, screens
        self.ask(f"open {more} {' '.join(self._paths)}")
        return self.hear()

    def ask(self, order: str) -> None:
        """Give an order: `open COUNT PATH…` or `watch SECONDS`."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """The answer to the last order."""
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    def close(self) -> None:
        """End it, and with it the streams."""
        self._process.kill()
        self._process.communicate()


def main() -> None:
    """Obey until standard input ends, with as many files open as this process may have."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    screens = Screens(int(sys.argv[1]))
    for line in sys.stdin:
        order, number, *paths = line.split()
        told = screens.open(int(number), paths) if order == "open" else screens.watch(float(number))
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
