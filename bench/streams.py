"""How many screens a server process feeds.

The server runs as a process of its own, its screens are plain sockets here, spread over the four windows.
Measured: the server's CPU for an update of all views and per screen, the bytes of an update, and the time from
publishing to the last byte at the last screen. On a machine that does other things only the CPU is to be trusted.
"""

import asyncio
import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator
from itertools import cycle, islice

from bench.measurement import Measurement
from bench.nation import PATHS, Publisher, run_server, valkey_with_nation

EVERY_S = 2.0
STREAMS, UPDATES = 1000, 10


class Screen:
    """One open stream that counts what it gets."""

    def __init__(self) -> None:
        self.bytes = 0
        self.last = 0.0

    async def open(self, port: int, path: str) -> None:
        """Connect and read for ever; returns once the first bytes are there."""
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._writer.write(f"GET /live/{path} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\n\r\n".encode())
        assert b" 200 " in await reader.readline()
        self._task = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65536):
            self.bytes += len(data)
            self.last = time.time()


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used so far, all threads."""
    with open(f"/proc/{pid}/stat") as file:
        used = file.read().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


async def watched(port: int, pid: int, publisher: Publisher, streams: int, updates: int) -> list[Measurement]:
    """Open the screens, publish, and tell."""
    screens = [Screen() for _ in range(streams)]
    for screen, path in zip(screens, islice(cycle(PATHS), streams), strict=True):
        await screen.open(port, path)
    await asyncio.sleep(2 * EVERY_S)
    before, sent, delays = cpu_s(pid), sum(screen.bytes for screen in screens), []
    for _ in range(updates):
        published = time.time()
        await asyncio.to_thread(publisher.publish)
        await asyncio.sleep(EVERY_S)
        delays.append(max(screen.last for screen in screens) - published)
    used = (cpu_s(pid) - before) / updates
    size = (sum(screen.bytes for screen in screens) - sent) / updates / streams
    note = f"{streams} screens on {len(PATHS)} views, an update every {EVERY_S:g} s, {updates} updates"
    return [
        Measurement("server CPU of an update", "ms", round(used * 1e3, 1), note=note),
        Measurement("server CPU of a screen and second", "ms", round(used / EVERY_S * 1e3 / streams, 4), note=note),
        Measurement("bytes of an update and screen", "B", round(size), note=note),
        Measurement("published to the last screen, median", "ms", round(statistics.median(delays) * 1e3), note=note),
    ]


def measure(streams: int = STREAMS, updates: int = UPDATES) -> Iterator[Measurement]:
    """Start the server and measure."""
    context = multiprocessing.get_context("spawn")
    ports = context.Queue()
    with valkey_with_nation() as (url, publisher):
        server = context.Process(target=run_server, args=(url, ports))
        server.start()
        assert server.pid is not None
        try:
            yield from asyncio.run(watched(ports.get(timeout=60), server.pid, publisher, streams, updates))
        finally:
            server.terminate()
            server.join()
