"""The push endpoint behind a real server on loopback and before a real Valkey: what a sender meets."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from collectors import build
from collectors.push import PushCollector
from collectors.push.endpoint import PushEndpoint
from collectors.receiving import Intake
from config.catalogue import Catalogue
from config.loading import load
from service.web import INTAKE_FAILURES
from store.ingest.stream import STREAM, Ingest, Limits
from store.valkey.embedded import EmbeddedValkey
from tests.support.installation import installation
from tests.support.serving import served

FOLDER = Path(__file__).parent / "catalogues" / "push"
NOW = datetime(2026, 11, 21, 8, 5, tzinfo=UTC)
TOKENS = {"desk": "the token of the desk", "hall": "the token of the hall"}
SETTINGS = {"config_dir": str(FOLDER), "demo": "0", **{f"token_{name}": token for name, token in TOKENS.items()}}
"""With which a product takes what these senders push, and nothing else."""
GUANGZHOU, SHENZHEN = "440100", "440300"


def row(value: float | str = 3, minute: int = 0, at: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """One observation of the desk, `minute` minutes before the last one that has ended."""
    start = (at - timedelta(minutes=minute + 1)).isoformat()
    return {"measure": "contacts", "region": GUANGZHOU, "start": start, "value": value} | changes


def body(*rows: Any, **more: Any) -> bytes:
    return json.dumps({"observations": rows, **more}).encode()


def tables(*regions: str, **values: list[Any]) -> bytes:
    """One table of the desk in the last minute that has ended."""
    places = list(regions) or [GUANGZHOU, SHENZHEN]
    start = (NOW - timedelta(minutes=1)).isoformat()
    return json.dumps({"tables": [{"region": places, "start": [start] * len(places), "values": values}]}).encode()


def fault_of_tables(record: int, rule: str, column: str, code: str, value: str) -> dict[str, Any]:
    """A fault as the door tells it."""
    return {"record": record, "rule": rule, "column": column, "code": code, "value": value}


@dataclass
class Sender:
    """A channel system that pushes over HTTP."""

    url: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def push(self, data: Any, key: str = "k", channel: str = "desk", **headers: str | None) -> httpx.Response:
        given = {
            "Authorization": f"Bearer {TOKENS.get(channel, '')}",
            "Idempotency-Key": key,
            "Content-Type": "application/json",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in given.items() if value is not None}
        return self.client.post(f"{self.url}/ingest/v1/{channel}", content=data, headers=sent)


@dataclass
class World:
    """The door, what is behind it, and what it told of refusals."""

    sender: Sender
    valkey: EmbeddedValkey
    ingest: Ingest
    door: PushEndpoint
    refusals: list[tuple[str, str, bytes, datetime]]
    """Channel, source, body and time of receipt."""

    def waiting(self) -> list[bytes]:
        """Bodies in the stream, without taking them."""
        return [entry[1][b"body"] for entry in self.ingest._client.xrange(STREAM)]


def collectors(catalogue: Catalogue) -> dict[str, PushCollector]:
    found = {}
    for channel in catalogue.channels.values():
        collector = build(catalogue, channel, channel.sources[0], installation())
        if isinstance(collector, PushCollector):
            found[channel.id] = collector
    return found


def routes(endpoint: PushEndpoint) -> list[Route]:
    """Its addresses without the site around them."""
    return [Route(address.path, address.endpoint, methods=address.methods) for address in endpoint.addresses()]


def nowhere() -> Intake:
    """An intake of an endpoint that nobody sends to."""
    return Intake(lambda *_: pytest.fail("nothing gets so far"), lambda *_: None, {}, lambda: datetime.now(UTC))


@contextmanager
def world(
    folder: Path, limits: Limits | None = None, clock: Any = lambda: NOW, read_s: float = 30.0
) -> Iterator[World]:
    """A door over a Valkey of its own."""
    refusals: list[Any] = []
    with EmbeddedValkey(folder / "valkey") as valkey, closing(Ingest(valkey.url, limits=limits or Limits())) as ingest:

        def refused(*told: Any) -> None:
            refusals.append(told)

        door = PushEndpoint(collectors(load(FOLDER)), Intake(ingest.append, refused, INTAKE_FAILURES, clock), read_s)
        with served(Starlette(routes=routes(door))) as url:
            sender = Sender(url)
            with closing(sender.client):
                yield World(sender, valkey, ingest, door, refusals)


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, token in TOKENS.items():
        monkeypatch.setenv(f"WATCHFLOOR_TOKEN_{name.upper()}", token)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("door")) as made:
        yield made


@pytest.fixture
def door(standing: World) -> World:
    """The module's door with nothing in its stream and no refusal told."""
    standing.ingest._client.flushall()
    standing.refusals.clear()
    return standing
