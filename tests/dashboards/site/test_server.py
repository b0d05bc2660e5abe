"""The site behind its real server: sockets that read slowly, that all come at once, and more than may be open."""

import json
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from config.settings import ROOT
from tests.support.browsers import SmallWorld
from tests.support.live_world import snapshot

MANY = 300
SLOW_BYTES = 4096
"""What the kernel keeps for a screen that does not read; it takes that as a hint and keeps a little more."""


class Screen:
    """A stream over a socket, read as HTTP/1.1 without compression."""

    def __init__(self, port: int, receive_bytes: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(b"GET /live/flow HTTP/1.1\r\nHost: test\r\n\r\n")
        self._file = self.socket.makefile("rb")
        while self._file.readline().strip():
            pass

    def chunks(self) -> Iterator[bytes]:
        """The chunks of the answer, until it ends."""
        while size := int(self._file.readline(), 16):
            chunk = self._file.read(size)
            assert self._file.readline() == b"\r\n"
            yield chunk

    def frames(self) -> Iterator[dict[str, Any]]:
        """The frames among the events; a chunk holds one whole event."""
        for chunk in self.chunks():
            name, data, *_ = chunk.decode().split("\n")
            if name == "event: frame":
                yield json.loads(data.removeprefix("data: "))

    def until(self, offered: str) -> list[dict[str, Any]]:
        """The frames up to the one that shows a number."""
        seen = []
        for frame in self.frames():
            seen.append(frame)
            if frame["set"].get("offered") == {"text": offered}:
                return seen
        raise AssertionError(f"the stream ended before {offered} came")

    def close(self) -> None:
        self._file.close()
        self.socket.close()


@pytest.fixture
def site() -> Iterator[SmallWorld]:
    site = SmallWorld()
    yield site
    site.stop()


def test_a_screen_that_does_not_read_owes_little_and_then_gets_the_newest(site: SmallWorld) -> None:
    site.publish(snapshot(1, 100))
    slow, quick = Screen(site.port, SLOW_BYTES), Screen(site.port)
    slow.until("100")
    quick.until("100")
    last = 400
    seen = []
    for number in range(101, last + 1):
        site.publish(snapshot(number, number))
        seen += quick.until(str(number))
    assert [frame["seq"] for frame in seen] == list(range(seen[0]["seq"], seen[0]["seq"] + last - 100))
    assert not any(frame["full"] for frame in seen)
    late = slow.until(str(last))
    assert len(late) < (last - 100) / 2
    assert any(frame["full"] for frame in late)
    slow.close()
    quick.close()


def test_all_screens_come_back_at_once_after_a_restart(site: SmallWorld) -> None:
    site.publish(snapshot(1, 100))
    screens = [Screen(site.port) for _ in range(MANY)]
    for screen in screens:
        screen.until("100")
    site.stop()
    for screen in screens:
        assert list(screen.chunks())[1:] == []  # the stream is ended, not cut
        screen.close()
    site.start()
    site.publish(snapshot(2, 200))
    screens = [Screen(site.port) for _ in range(MANY)]
    assert all(screen.until("200")[-1]["full"] for screen in screens)
    assert site.site.hub.streams == MANY
    for screen in screens:
        screen.close()


def told(most: int, streams: int) -> str:
    """What the server of a process that may open so many files makes of a limit of streams."""
    program = f"""
import logging, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, {most}))
logging.basicConfig(format="%(message)s")
from dashboards.live.hub import Limits
from dashboards.site.server import SiteServer
from dashboards.site.application import create_app
from dashboards.access.viewers import OpenAccess
from tests.support.live_world import MemoryLive, catalogue, windows
site = create_app(catalogue(), MemoryLive(), OpenAccess(), limits=Limits(streams={streams}), windows=windows())
SiteServer(site, "127.0.0.1", 0)
print(site.hub.limits.streams, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def test_a_server_raises_its_limit_of_open_files_as_far_as_its_streams_need() -> None:
    assert told(most=4000, streams=1000) == "1000 1500\n"


def test_too_few_files_become_fewer_streams_and_are_told() -> None:
    expected = "700 1200\nonly 1200 files may be open, too few for 1000 screens; raise `ulimit -n`\n"
    assert told(most=1200, streams=1000) == expected


def test_this_process_may_open_the_files_that_these_tests_need() -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 2 * MANY
