"""Line-ups of real processes, each kept up as a service manager does, under the reference load and before screens."""

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import httpx
import redis

from bench.ledger import Ledger
from bench.load import CHANNELS, Load, minutes_from
from config.catalogue import Catalogue
from config.loading import load as load_catalogue
from store.facts.duck import DuckHistory
from store.facts.history import History
from store.facts.postgres import PostgresHistory
from store.ingest.stream import STREAM
from store.valkey.embedded import EmbeddedValkey
from tests.support.faults.places import Place
from tests.support.faults.postgres_server import PostgresServer
from tests.support.faults.screens import Screen, Watched
from tests.support.faults.sender import Sender
from tests.support.faults.supervised import Supervised, valkey_answers, valkey_command
from tests.support.ports import free_port
from tests.support.real_product import environment
from tests.support.waiting import eventually

CHANNELS_SENT, REGIONS, PACE_S = 3, 6, 0.5
"""A part of the reference load: a body of some 250 observations a channel, twice a second."""
BEGUN_S = 120.0
AnyLineup = TypeVar("AnyLineup", bound="Lineup")
EntryId = tuple[int, int]
"""Of a stream: they grow, whatever the clock does."""
BEFORE = timedelta(hours=20)
"""The first minute that is sent lies so far back: what is sent in half a second is a minute."""


class Lineup(ABC):
    """The parts that every line-up has; `folder` is its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.load = Load(regions=REGIONS)
        self.load.channels = CHANNELS[:CHANNELS_SENT]
        self.load.lay_out(folder / "catalogue")
        self.prepare()
        self.catalogue: Catalogue = load_catalogue(folder / "catalogue")
        self.ledger = Ledger(self.load)
        self.accounted = 0
        """Observations that the store was compared for already."""
        self.parts: dict[str, Supervised] = {}
        self.screens: list[Watched] = []
        self.addresses: list[str] = []
        self.sender: Sender

    def prepare(self) -> None:  # noqa: B027 - most add nothing
        """What a line-up of its own kind adds to the catalogue before anything starts."""

    def begin(self) -> None:
        """The load, and a screen at every web process."""
        first = minutes_from(datetime.now(UTC) - BEFORE, 1)[0]
        self.sender = Sender(self.load, self.ledger, self.addresses, first, PACE_S)
        self.sender.start()
        self.screens += [Screen(address, "hq?lang=en") for address in self.addresses]
        for screen in self.screens:
            screen.start()

    def end(self) -> None:
        """End everything, the servers last."""
        for screen in self.screens:
            screen.end()
        for part in reversed(self.parts.values()):
            part.end()

    def add(self, *parts: Supervised) -> None:
        """Start parts beside each other, and wait until all of them are up."""
        for part in parts:
            self.parts[part.name] = part
            part.start()
        for part in parts:
            part.ready()

    def product(
        self,
        name: str,
        settings: Mapping[str, str],
        more: Mapping[str, str] | None = None,
        inside: Sequence[str] = (),
    ) -> Supervised:
        """A process of the product; one that serves windows has an address as well."""
        port = free_port()
        own = {"config_dir": str(self.folder / "catalogue"), "demo": "0", "port": str(port), **settings}
        told = environment(self.folder / name, **own) | self.load.environment | dict(more or {})
        command = [*inside, sys.executable, "app.py"]
        if settings.get("role") not in (None, "web"):
            return Supervised(name, command, self.folder, lambda: True, told)
        address = f"http://127.0.0.1:{port}"
        self.addresses.append(address)
        return Supervised(name, command, self.folder, lambda: _served(address), told)

    def accepted(self) -> EntryId:
        """The newest body that the stream has taken."""
        with redis.Redis.from_url(self.valkey_url, socket_timeout=5) as client:
            return _entry(client.xinfo_stream(STREAM)["last-generated-id"])

    def waits(self, until: EntryId) -> bool:
        """Whether a body is not stored yet that was taken up to some other."""
        with redis.Redis.from_url(self.valkey_url, socket_timeout=5) as client:
            oldest = client.xrange(STREAM, count=1)
        return bool(oldest) and _entry(oldest[0][0]) <= until

    @property
    @abstractmethod
    def valkey_url(self) -> str:
        """Where the stream of what was pushed is."""

    @abstractmethod
    def history(self) -> AbstractContextManager[History]:
        """What is stored, while nobody sends."""


class Split(Lineup):
    """One pipeline and two web processes, Valkey, facts and state in PostgreSQL."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None, place: Place | None = None) -> None:
        """`environment`: what the product and Valkey find in theirs besides."""
        super().__init__(folder)
        self.place = place or Place()
        self.postgres = PostgresServer(folder, self.place)
        self._valkey_port = free_port()
        (folder / "valkey").mkdir()
        self.prepare_disks()
        self.add(self.postgres, self._valkey(environment or {}))
        self.add_standbys()
        kept = dict.fromkeys(("facts_url", "state_url"), self.database_url("pipeline"))
        pipeline = {"role": "pipeline", "valkey_url": self._valkey_at("pipeline"), **kept}
        web = {"role": "web", "valkey_url": self._valkey_at("web")}
        webs = [self.product(name, web, environment) for name in ("web-a", "web-b")]
        self.add(self.product("pipeline", pipeline, environment, self.place.inside("pipeline")), *webs)

    def prepare_disks(self) -> None:
        """What a line-up of its own kind does to the servers' folders before they start."""

    def add_standbys(self) -> None:
        """What follows the PostgreSQL server, which is up."""

    def database_url(self, asker: str = "") -> str:
        """The database for one of the parts, or for the test."""
        return self.postgres.url(asker)

    @property
    def valkey_url(self) -> str:
        return self._valkey_at("")

    def _valkey_at(self, asker: str) -> str:
        return f"redis://{self.place.host(asker, 'valkey')}:{self._valkey_port}"

    def _valkey(self, environment: Mapping[str, str]) -> Supervised:
        """A Valkey as `docs/operating.md` wants it."""
        own = {"port": str(self._valkey_port), "bind": self.place.listens("valkey"), "protected-mode": "no"}
        command = [*self.place.inside("valkey"), *valkey_command({**own, "dir": str(self.folder / "valkey")})]
        answers = partial(valkey_answers, self.valkey_url)
        return Supervised("valkey", command, self.folder, answers, {**os.environ, **environment})

    @contextmanager
    def history(self) -> Iterator[History]:
        history = PostgresHistory(self.database_url(), self.catalogue)
        try:
            yield history
        finally:
            history.close()


class Whole(Lineup):
    """Everything in one process, with Valkey beside it and facts in DuckDB under one data folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.home = folder / "whole"
        self.whole = self.product("whole", {})
        self.add(self.whole)

    @property
    def valkey_url(self) -> str:
        return EmbeddedValkey(self.home / "valkey").url

    @contextmanager
    def history(self) -> Iterator[History]:
        """A DuckDB file belongs to one process: the product leaves it to us for a moment."""
        self.whole.leave()
        history = DuckHistory(self.home / "facts.duckdb", self.catalogue)
        try:
            yield history
        finally:
            history.close()
            self.whole.come_back()
            self.whole.ready()


def _entry(name: bytes) -> EntryId:
    milliseconds, _, number = name.partition(b"-")
    return int(milliseconds), int(number)


def _served(address: str) -> bool:
    try:
        httpx.get(f"{address}/health", trust_env=False, timeout=2)
    except httpx.HTTPError:
        return False
    return True


@contextmanager
def up(lineup: AnyLineup) -> Iterator[AnyLineup]:
    """A line-up under load, with figures on its screens."""
    with ExitStack() as stack:
        stack.callback(lineup.end)
        lineup.begin()
        stack.callback(lineup.sender.end)
        eventually(
            lambda: all(screen.fresh_at and not screen.marked for screen in lineup.screens),
            "figures are on the screens",
            patience_s=BEGUN_S,
        )
        yield lineup
