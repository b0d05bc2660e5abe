"""What was answered 202 is never lost: the product is killed whole the instant after an answer, and starts again."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.settings import ROOT
from tests.support.push_world import FOLDER, TOKENS, Sender, body

CITIES = {"440000": "440100", "420000": "420100", "430000": "430100", "330000": "330100", "320000": "320100"}
"""A city of each of five provinces: the command line groups the nation by province."""
PATIENCE_S = 60

Key = tuple[str, str]


def environment(home: Path) -> dict[str, str]:
    own = {"HOME_DIR": str(home), "CONFIG_DIR": str(FOLDER), "DEMO": "0", "PORT": "0"}
    tokens = {f"WATCHFLOOR_TOKEN_{name.upper()}": token for name, token in TOKENS.items()}
    return os.environ | {f"WATCHFLOOR_{name}": value for name, value in own.items()} | tokens


@contextmanager
def product(home: Path) -> Iterator[tuple[subprocess.Popen[str], Sender]]:
    """`python app.py` and a sender that knows its address."""
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment(home), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("Watchfloor is at "), said
        with httpx.Client(timeout=30, transport=httpx.HTTPTransport(retries=8)) as client:
            yield process, Sender(said.split()[3].rstrip("/"), client)
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def kill_everything(process: subprocess.Popen[str], home: Path) -> None:
    """SIGKILL to the product and to its Valkey, which lives in a session of its own."""
    valkey = int((home / "valkey" / "valkey.pid").read_text())
    process.kill()
    os.kill(valkey, signal.SIGKILL)
    process.wait()


def batch(number: int, chance: random.Random, at: datetime) -> tuple[bytes, dict[Key, float]]:
    """A body of five cities in a minute of its own, and what must be in the store when it was taken."""
    start = (at - timedelta(minutes=1 + number)).isoformat()
    figures = {(province, start): float(chance.randrange(1, 1000)) for province in CITIES}
    rows = [
        {"measure": "contacts", "region": city, "start": start, "value": figures[province, start]}
        for province, city in CITIES.items()
    ]
    return body(*rows), figures


def stored(home: Path, at: datetime) -> dict[Key, float]:
    """Every figure in the store, as the command line tells it; asserts that none is told twice."""
    span = ["--from", (at - timedelta(days=1)).isoformat(), "--to", (at + timedelta(days=1)).isoformat()]
    command = ["query", "contacts", *span, "--by", "1min", "--group", "region", "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "service.commands", *command],
        cwd=ROOT, env=environment(home), capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows: list[dict[str, Any]] = [one for one in json.loads(done.stdout) if one["region"] in CITIES and one["value"]]
    found = {(one["region"], one["start"]): one["value"] for one in rows}
    assert len(found) == len(rows)
    return found


def wait_until_stored(home: Path, at: datetime, wanted: dict[Key, float]) -> dict[Key, float]:
    until = time.monotonic() + PATIENCE_S
    while True:
        found = stored(home, at)
        if wanted.items() <= found.items() or time.monotonic() > until:
            return found


@pytest.mark.timeout(300)
def test_a_batch_that_was_taken_survives_the_death_of_every_process(tmp_path: Path) -> None:
    chance = random.Random(2026)
    at = datetime.now(UTC).replace(second=0, microsecond=0)
    taken: dict[Key, float] = {}
    number = 0
    for _ in range(3):
        with product(tmp_path) as (process, sender):
            for _ in range(chance.randrange(1, 30)):
                data, figures = batch(number, chance, at)
                answer = sender.push(data, f"batch {number}")
                assert answer.status_code == 202, answer.text
                taken |= figures
                number += 1
            kill_everything(process, tmp_path)
    with product(tmp_path) as (_, sender):
        found = wait_until_stored(tmp_path, at, taken)
        assert sender.push(data, f"batch {number - 1}").json()["duplicate"]
    assert found == taken
    assert stored(tmp_path, at) == taken
