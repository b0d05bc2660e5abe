"""How old figures are because of what was pushed and waits, on every line-up of real Valkeys."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from store.faults import StoreUnreachable
from store.ingest.stream import STREAM, Ingest
from tests.support.valkey_lineups import Lineup

NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)


@pytest.fixture
def ingest(valkey: Lineup) -> Iterator[Ingest]:
    with closing(Ingest(valkey.url)) as opened:
        yield opened


def push(ingest: Ingest, key: str) -> str:
    return ingest.append("hotline", "counts", key, b"{}", NOW).id


def taken_before(valkey: Lineup, seconds: int) -> str:
    """A body that Valkey took so many seconds ago, by the number that says when."""
    name = f"{milliseconds(valkey) - seconds * 1000}-0"
    valkey.primary().client().xadd(STREAM, {"channel": "hotline", "key": "old", "body": b"{}"}, id=name)
    return name


def milliseconds(valkey: Lineup) -> int:
    """Valkey's own clock, since 1970."""
    seconds, micros = valkey.primary().client().time()
    return int(seconds) * 1000 + int(micros) // 1000


def assert_behind_since(name: str, ingest: Ingest, valkey: Lineup) -> None:
    """Figures are as old as what waits since a body was taken, by Valkey's clock before and after it was asked."""
    since = int(name.partition("-")[0])
    earliest = milliseconds(valkey)
    found = round(ingest.behind_s() * 1000)
    assert earliest - since <= found <= milliseconds(valkey) - since


def test_nothing_lags_while_nothing_waits(ingest: Ingest, valkey: Lineup) -> None:
    assert ingest.behind_s() == 0
    ingest.done([taken_before(valkey, 300)])
    assert ingest.behind_s() == 0


def test_what_waits_makes_figures_old_by_the_clock_of_valkey(ingest: Ingest, valkey: Lineup) -> None:
    oldest = taken_before(valkey, 300)
    push(ingest, "2")
    assert_behind_since(oldest, ingest, valkey)


def test_one_that_cannot_be_stored_makes_nothing_old_while_others_pass_by(ingest: Ingest, valkey: Lineup) -> None:
    taken_before(valkey, 300)
    newest = push(ingest, "2")
    ingest.done([newest])
    assert_behind_since(newest, ingest, valkey)


def test_a_valkey_that_is_away_is_told() -> None:
    with closing(Ingest("redis://127.0.0.1:1")) as away, pytest.raises(StoreUnreachable):
        away.behind_s()
