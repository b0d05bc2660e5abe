"""A believable nation behind a real Valkey and a real server, for the measurements in this folder."""

import multiprocessing
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.queues import Queue
from pathlib import Path

from config.catalogue import Catalogue
from config.loading import load
from dashboards.access.viewers import OpenAccess
from dashboards.site.application import create_app
from dashboards.site.server import SiteServer
from service.process import collect_rarely
from store.valkey.embedded import EmbeddedValkey
from store.valkey.live import Live
from tests.support.believable import believable

PATHS = ("flow", "hq", "province/440000", "quality")


class Publisher:
    """Publishes one believable snapshot after another: a few that differ, over and over."""

    def __init__(self, live: Live, catalogue: Catalogue) -> None:
        self._live = live
        self._prepared = [believable(catalogue, datetime.now(UTC), seed) for seed in range(4)]
        self._generation = self._turn = 0

    def publish(self) -> datetime:
        """Publish the next snapshot, of this instant."""
        self._turn += 1
        return self.repeat()

    def repeat(self) -> datetime:
        """Publish the same figures, of this instant."""
        self._generation += 1
        at = datetime.now(UTC)
        prepared = self._prepared[self._turn % len(self._prepared)]
        self._live.publish(replace(prepared, generation=self._generation, at=at))
        return at


@dataclass(frozen=True)
class Nation:
    """What a measurement talks to."""

    url: str
    publisher: Publisher


@contextmanager
def valkey_with_nation() -> Iterator[tuple[str, Publisher]]:
    """A Valkey with a first snapshot in it: its URL, and who publishes further ones."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder)) as valkey:
        publisher = Publisher(Live(valkey.url), load())
        publisher.publish()
        yield valkey.url, publisher


@contextmanager
def served_nation() -> Iterator[Nation]:
    """The same with a server in a thread of this process."""
    with valkey_with_nation() as (url, publisher):
        server = SiteServer(create_app(load(), Live(url), OpenAccess()), "127.0.0.1", 0)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield Nation(f"http://127.0.0.1:{port_of(server)}", publisher)
        finally:
            server.should_exit = True
            thread.join()


def port_of(server: SiteServer) -> int:
    """The port that a server took, once it has started."""
    pause = threading.Event()
    while not server.started:
        pause.wait(0.05)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


@dataclass(frozen=True)
class NationApart:
    """The same with the server in a process of its own, for those who measure that process."""

    port: int
    pid: int
    publisher: Publisher


@contextmanager
def nation_apart(core: int) -> Iterator[NationApart]:
    """Run the server as a process on one core."""
    context = multiprocessing.get_context("spawn")
    ports = context.Queue()
    with valkey_with_nation() as (url, publisher):
        server = context.Process(target=_run_server, args=(url, ports, core))
        server.start()
        assert server.pid is not None
        try:
            yield NationApart(ports.get(timeout=60), server.pid, publisher)
        finally:
            server.terminate()
            server.join()


def _run_server(valkey_url: str, tell_port: "Queue[int]", core: int) -> None:
    os.sched_setaffinity(0, {core})
    collect_rarely()
    server = SiteServer(create_app(load(), Live(valkey_url), OpenAccess()), "127.0.0.1", 0)
    threading.Thread(target=lambda: tell_port.put(port_of(server)), daemon=True).start()
    server.run()
