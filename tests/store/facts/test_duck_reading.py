"""DuckDB is asked within the range of codes, and at one instant without the sums at each: what it says is the same."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from metrics.observations import Interval
from store.facts.duck import DuckHistory
from store.facts.duck.reading import one_instant
from store.facts.history import SumQuery
from store.facts.shared.sum_queries import among
from tests.support.store_reference import ReferenceHistory
from tests.support.store_world import MEASURES, START, minute, stamp, table, world

PLACES = {"agents": ("C-1", "C-2"), "lines": ("110000", "120000")}


@pytest.mark.parametrize(
    ("codes", "condition"),
    [
        ([], "c IN (NULL)"),
        ([7], "c BETWEEN 7 AND 7"),
        ([3, 2, 4], "c BETWEEN 2 AND 4"),
        ([2, 3, 5, 6], "c BETWEEN 2 AND 6 AND c NOT IN (4)"),
        ([3, 4, 7], "c BETWEEN 3 AND 7 AND c NOT IN (5, 6)"),
        ([2, 5], "c BETWEEN 2 AND 5 AND c NOT IN (3, 4)"),
        ([2, 9], "c BETWEEN 2 AND 9 AND c IN (2, 9)"),
    ],
)
def test_codes_become_the_condition_that_reads_less(codes: list[int], condition: str) -> None:
    assert among("c", codes) == condition


def body(seconds: tuple[int, ...]) -> pd.DataFrame:
    """Every measure at some seconds after START."""
    return table(
        (measure, place, "", START + timedelta(seconds=second), 1 + 3 * at + len(measure))
        for at, second in enumerate(seconds)
        for measure in MEASURES
        for place in PLACES.get(measure, ("110105", "120104"))
    )


@pytest.mark.parametrize(
    ("seconds", "asked_s", "at_once"),
    [
        ((0, 60, 120), 60, True),
        ((0, 60, 120), 300, False),
        ((0, 299, 300), 300, False),
        ((30,), 300, False),
        ((0,), 301, False),
        ((300,), 300, True),
    ],
)
def test_levels_of_one_instant_say_what_they_say_by_instants(
    tmp_path: Path, seconds: tuple[int, ...], asked_s: int, at_once: bool
) -> None:
    reference, span = ReferenceHistory(world()), Interval(START, START + timedelta(seconds=asked_s))
    with closing(DuckHistory(tmp_path / "facts.duckdb", world())) as history:
        for channel in ("hotline", "chat"):
            history.write(stamp(channel=channel), body(seconds))
            reference.write(stamp(channel=channel), body(seconds))
        for group in ((), ("province",), ("channel", "province")):
            question = SumQuery(tuple(MEASURES), span, group=group)
            with history._file.cursor() as cursor:
                assert one_instant(cursor, question, world()) is at_once
            found = history.totals(question)
            keys = found.drop(columns="value").itertuples(index=False, name=None)
            assert dict(zip(keys, found["value"], strict=True)) == reference.totals(question)


def test_an_instant_that_was_taken_back_counts_for_what_was_shown_then(tmp_path: Path) -> None:
    span = Interval(START, START + timedelta(minutes=5))
    with closing(DuckHistory(tmp_path / "facts.duckdb", world())) as history:
        history.write(stamp(1, at=minute(10)), body((0, 60)))
        history.withdraw(stamp(2, at=minute(20)), body((60,)).drop(columns="value"))
        now, then = (SumQuery(("queue",), span, as_known_at=known) for known in (None, minute(15)))
        with history._file.cursor() as cursor:
            assert one_instant(cursor, now, world())
            assert not one_instant(cursor, then, world())
        assert [history.totals(asked)["value"].tolist() for asked in (now, then)] == [[12.0], [18.0]]
