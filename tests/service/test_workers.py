"""Workers that collect for one pipeline, told by NATS: what they bring shows, and none of them is missed."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import yaml

from tests.support.nats_cluster import NatsCluster
from tests.support.push_world import FOLDER, SETTINGS, Sender, body
from tests.support.real_postgres import schema_of
from tests.support.real_product import Product, Shown, Silent
from tests.support.valkey_lineups import lineup

pytestmark = pytest.mark.timeout(240)
CITY = "440100"
MINUTE = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2)
CALLS = {
    "id": "calls",
    "name": {"zh": "话务", "en": "calls"},
    "short": {"zh": "话务", "en": "calls"},
    "settle_s": 0,
    "sources": [
        {
            "id": "log",
            "kind": "contact_log",
            "poll_s": 1,
            "delivers": [{"measure": "contacts", "expected": False}],
            "options": {
                "path": "calls.csv",
                "contact": {"columns": ["id"]},
                "arrived": {"column": "arrived", "format": "iso"},
                "region": {"column": "city"},
                "measures": {"contacts": {}},
            },
        }
    ],
}
"""A file that a worker tails, beside the push endpoint's channels."""


@dataclass
class Works:
    """One pipeline, its workers and a front."""

    start: Callable[[str, str], Product]
    calls: Path
    web: Product
    workers: list[Product]
    pipeline: Product

    def log(self, *lines: str) -> None:
        with self.calls.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    def push(self, contacts: int, key: str) -> None:
        row = {"measure": "contacts", "region": CITY, "start": MINUTE.isoformat(), "value": contacts}
        with httpx.Client(timeout=30, trust_env=False) as client:
            assert Sender(self.web.url, client).push(body(row), key).status_code == 202


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    folder = tmp_path_factory.mktemp("workers")
    catalogue, calls = folder / "config", folder / "calls.csv"
    (catalogue / "channels").mkdir(parents=True)
    for file in (FOLDER / "channels").iterdir():
        (catalogue / "channels" / file.name).write_bytes(file.read_bytes())
    options = {**CALLS["sources"][0]["options"], "path": str(calls)}  # type: ignore[index]
    told = {**CALLS, "sources": [{**CALLS["sources"][0], "options": options}]}  # type: ignore[index]
    (catalogue / "channels" / "calls.yaml").write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    calls.write_text("id,arrived,city\n", encoding="utf-8")
    with ExitStack() as stack:
        nats = stack.enter_context(NatsCluster(folder / "nats"))
        valkey = stack.enter_context(lineup("single", folder / "valkey"))
        facts = schema_of(folder)
        settings = {
            **SETTINGS,
            "config_dir": str(catalogue),
            "valkey_url": valkey.url,
            "nats_url": nats.url,
            "facts_url": facts,
            "state_url": facts.replace("postgresql://", "postgresql+psycopg://"),
            "pseudonym_key": "the key of all workers",
        }

        def start(name: str, role: str) -> Product:
            product = (Product if role == "web" else Silent)(folder / name, role=role, **settings)
            stack.callback(product.end)
            return product

        workers = [start(f"worker-{number}", "worker") for number in range(2)]
        yield Works(start, calls, start("web", "web"), workers, start("pipeline", "pipeline"))


def contacts(number: int) -> Callable[[Shown], bool]:
    def shown(parts: Shown) -> bool:
        return parts.get("tile-contacts", {}).get(".value") == str(number)

    return shown


def test_what_workers_bring_shows_and_a_killed_one_is_not_missed(works: Works) -> None:
    at = MINUTE.isoformat()
    works.log(f"a,{at},{CITY}", f"b,{at},{CITY}")
    works.push(10, "first")
    works.web.screen("flow?lang=en", contacts(12))
    works.workers[0].signal(signal.SIGKILL)
    works.log(f"c,{at},{CITY}")
    works.push(20, "second")
    works.web.screen("flow?lang=en", contacts(23))
    works.pipeline.signal(signal.SIGKILL)
    works.log(f"d,{at},{CITY}")
    works.push(30, "third")
    works.start("another pipeline", "pipeline")
    works.web.screen("flow?lang=en", contacts(34))
