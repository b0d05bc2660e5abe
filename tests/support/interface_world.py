"""The real application with real accounts and tokens and a believable nation, asked as other systems ask it."""

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from starlette.testclient import TestClient

from config.catalogue import NATION, Catalogue
from config.loading import load
from dashboards.access.sign_in import SignInAccess
from dashboards.access.tokens import TokenAccess
from dashboards.executors import Executors
from dashboards.site.application import create_app
from store.state import State, open_state
from tests.support.believable import believable
from tests.support.live_world import MemoryLive
from tests.support.sign_in_world import Clock

ORIGIN = "http://testserver"
PASSWORD = "a long enough word"
JSON, CSV, ARROW = "application/json", "text/csv", "application/vnd.apache.arrow.stream"
PROBLEM = "application/problem+json"
GUANGDONG, BEIJING = "440000", "110000"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class House:
    """An application that tokens open, and the clocks that it looks at."""

    client: TestClient
    catalogue: Catalogue
    state: State
    live: MemoryLive
    clock: Clock
    now: list[datetime] = field(default_factory=lambda: [NOW])

    def token(self, role: str, region: str = NATION, days: int = 30) -> str:
        """What a new token's owner shows."""
        return self.state.tokens.add(role, role, region, NOW, NOW + timedelta(days=days))[1]

    def get(self, path: str, token: str = "", accept: str = "", **headers: str) -> Any:
        """Ask with a token, for a format."""
        sent = {"authorization": f"Bearer {token}"} if token else {}
        sent |= {"accept": accept} if accept else {}
        return self.client.get(path, headers={**sent, **headers})

    def rows(self, path: str, token: str) -> list[dict[str, Any]]:
        """The rows of one page."""
        answer = self.get(path, token)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["rows"]
        return found

    def walk(self, path: str, token: str) -> Iterator[list[dict[str, Any]]]:
        """Every page, by the Link header."""
        while path:
            answer = self.get(path, token)
            assert answer.status_code == 200, answer.text
            yield answer.json()["rows"]
            path = answer.links["next"]["url"] if "next" in answer.links else ""
            assert (answer.json()["next"] is None) == (not path)


@contextmanager
def interface(folder: Path) -> Iterator[House]:
    """An application whose newest snapshot is there."""
    catalogue, clock, live, now, executors = load(), Clock(), MemoryLive(), [NOW], Executors()
    live.newest = believable(catalogue)
    state = open_state(f"sqlite:///{folder / 'state.sqlite'}", catalogue.rules)
    people = SignInAccess(catalogue, state.users, b"a key of the tests", executors, clock)
    access = TokenAccess(catalogue, state.tokens, people, clock, lambda: now[0])
    app = create_app(catalogue, live, access, people.addresses(), executors=executors)
    try:
        with TestClient(app, follow_redirects=False, base_url=ORIGIN) as client:
            while client.get("/health").json()["generation"] is None:
                pass
            yield House(client, catalogue, state, live, clock, now)
    finally:
        state.close()


def read_csv(text: str, like: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of CSV, each cell as the column's schema (`type`, `format`) says."""
    return [
        {name: _cell(text, like[name]) for name, text in row.items()}
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]


def _cell(text: str, schema: Mapping[str, Any]) -> Any:
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if text == "" and "null" in kinds:
        return None
    if "boolean" in kinds:
        return {"true": True, "false": False}[text]
    if "integer" in kinds:
        return int(text)
    return float(text) if "number" in kinds else text


def read_arrow(content: bytes) -> list[dict[str, Any]]:
    """Rows of an Arrow stream as pyarrow reads them, times written as JSON writes them."""
    rows = pa.ipc.open_stream(content).read_all().to_pylist()
    return [{name: _plain(cell) for name, cell in row.items()} for row in rows]


def _plain(cell: Any) -> Any:
    return cell.isoformat().replace("+00:00", "Z") if isinstance(cell, datetime) else cell
