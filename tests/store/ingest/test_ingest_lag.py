"""How old figures are because of what was pushed and waits, on every line-up of real Valkeys."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from store.faults import StoreUnreachable
from store.ingest.stream import Ingest
from tests.support.valkey_lineups import Lineup

NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)
PAUSE_S = 0.3


@pytest.fixture
def ingest(valkey: Lineup) -> Iterator[Ingest]:
    with closing(Ingest(valkey.url)) as opened:
        yield opened


def push(ingest: Ingest, key: str) -> str:
    return ingest.append("hotline", key, b"{}", NOW).id


def test_nothing_lags_while_nothing_waits(ingest: Ingest) -> None:
    assert ingest.behind_s() == 0
    ingest.done([push(ingest, "1")])
    time.sleep(PAUSE_S)
    assert ingest.behind_s() == 0


def test_what_waits_makes_figures_old_by_the_clock_of_valkey(ingest: Ingest) -> None:
    push(ingest, "1")
    assert ingest.behind_s() < PAUSE_S
    time.sleep(PAUSE_S)
    push(ingest, "2")
    assert PAUSE_S <= ingest.behind_s() < 2 * PAUSE_S + 5


def test_one_that_cannot_be_stored_makes_nothing_old_while_others_pass_by(ingest: Ingest) -> None:
    push(ingest, "poison")
    time.sleep(PAUSE_S)
    ingest.done([push(ingest, "2")])
    assert ingest.behind_s() < PAUSE_S


def test_a_valkey_that_is_away_is_told() -> None:
    with closing(Ingest("redis://127.0.0.1:1")) as away, pytest.raises(StoreUnreachable):
        away.behind_s()
