"""What was answered 202 is never lost: the product is killed whole the instant after an answer, and starts again."""

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.push_world import SETTINGS, Sender, body
from tests.support.real_product import Product
from tests.support.waiting import eventually

CITIES = {"440000": "440100", "420000": "420100", "430000": "430100", "330000": "330100", "320000": "320100"}
"""A city of each of five provinces: the command line groups the nation by province."""

Key = tuple[str, str]


@contextmanager
def product(home: Path) -> Iterator[tuple[Product, Sender]]:
    """The product and a sender that knows its address."""
    running = Product(home, **SETTINGS)
    try:
        with httpx.Client(timeout=30, transport=httpx.HTTPTransport(retries=8)) as client:
            yield running, Sender(running.url, client)
    finally:
        running.end()


def kill_everything(product: Product) -> None:
    """SIGKILL to the product and to its Valkey, which lives in a session of its own."""
    valkey = int((product.home / "valkey" / "valkey.pid").read_text())
    product.process.kill()
    os.kill(valkey, signal.SIGKILL)
    product.process.wait()


def batch(number: int, chance: random.Random, at: datetime) -> tuple[bytes, dict[Key, float]]:
    """A body of five cities in a minute of its own, and what must be in the store when it was taken."""
    start = (at - timedelta(minutes=1 + number)).isoformat()
    figures = {(province, start): float(chance.randrange(1, 1000)) for province in CITIES}
    rows = [
        {"measure": "contacts", "region": city, "start": start, "value": figures[province, start]}
        for province, city in CITIES.items()
    ]
    return body(*rows), figures


def stored(product: Product, at: datetime) -> dict[Key, float]:
    """Every figure in the store, as the command line tells it; asserts that none is told twice."""
    span = ["--from", (at - timedelta(days=1)).isoformat(), "--to", (at + timedelta(days=1)).isoformat()]
    answer = product.ask("query", "contacts", *span, "--by", "1min", "--group", "region")
    rows: list[dict[str, Any]] = [row for row in answer if row["region"] in CITIES and row["value"]]
    found = {(row["region"], row["start"]): row["value"] for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.timeout(300)
def test_a_batch_that_was_taken_survives_the_death_of_every_process(tmp_path: Path) -> None:
    chance = random.Random(2026)
    at = datetime.now(UTC).replace(second=0, microsecond=0)
    taken: dict[Key, float] = {}
    number = 0
    for _ in range(3):
        with product(tmp_path) as (running, sender):
            for _ in range(chance.randrange(1, 30)):
                data, figures = batch(number, chance, at)
                answer = sender.push(data, f"batch {number}")
                assert answer.status_code == 202, answer.text
                taken |= figures
                number += 1
            kill_everything(running)
    with product(tmp_path) as (running, sender):
        eventually(lambda: taken.items() <= stored(running, at).items(), "what was taken is stored")
        assert sender.push(data, f"batch {number - 1}").json()["duplicate"]
    assert stored(running, at) == taken
