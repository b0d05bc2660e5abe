"""Tiers by hand: what is rolled, what is touched again, what is forgotten, what is refused."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from config.catalogue import Catalogue
from metrics.observations import Interval
from store.facts.duck import DuckHistory
from store.facts.history import History, SumQuery, Written
from store.facts.tiers import TieredHistory
from store.faults import NotKept
from store.state.tier_progress import TierProgressStore
from tests.support.store_world import START, contacts, minute, stamp, table, world
from tests.support.tiers_world import MANY, Open, grow_old, later, tiers

QUARTER = timedelta(minutes=15)
TODAY = Interval(START - timedelta(hours=1, minutes=5), START + timedelta(hours=2, minutes=10))
"""From a quarter to a quarter around midnight in Shanghai."""
DAYS = Interval(minute(10), minute(10 + 4 * 1440))
"""Four whole days in Shanghai."""


def embedded(folder: Path, catalogue: Catalogue) -> History:
    return DuckHistory(folder / "facts.duckdb", catalogue)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[TieredHistory, TierProgressStore]]:
    with tiers(tmp_path, world(), embedded) as found:
        yield found


@pytest.fixture
def anywhere(tmp_path: Path, open_history: Open) -> Iterator[TieredHistory]:
    """Over every engine: for the tests that need all that an engine must do for tiers."""
    with tiers(tmp_path, world(), open_history) as (found, _):
        yield found


@pytest.fixture
def history(opened: tuple[TieredHistory, TierProgressStore]) -> TieredHistory:
    return opened[0]


def values(history: History, *measures: str, span: Interval = TODAY, **asked: Any) -> dict[object, float]:
    found = history.totals(SumQuery(measures or ("offered",), span, **asked))
    keys = found.drop(columns="value").itertuples(index=False, name=None)
    return {key[0] if len(key) == 1 else key: value for key, value in zip(keys, found["value"], strict=True)}


def minutes(measure: str, region: str, first: int, cells: list[float]) -> pd.DataFrame:
    return table([(measure, region, "", minute(first + n), cell) for n, cell in enumerate(cells)])


def rolled_rows(history: TieredHistory, name: str) -> list[tuple[Any, ...]]:
    [tier] = [tier for tier in history.tiers if tier.name == name]
    rows = tier.history.observations(Interval(later(-3), later(9)))
    return sorted(rows[["measure", "region", "start", "value"]].itertuples(index=False, name=None))


# The engines below


def test_a_withdrawn_key_has_no_value_and_may_come_again(open_history: Open, tmp_path: Path) -> None:
    engine = open_history(tmp_path, world())
    rows = minutes("offered", "110105", 0, [1, 2, 4])
    engine.write(stamp(5), rows)
    keys = rows.drop(columns="value").iloc[:2]
    assert engine.withdraw(stamp(1), keys).removed == 2
    assert engine.withdraw(stamp(1), keys).removed == 0
    assert values(engine) == {"offered": 4}
    assert engine.write(stamp(2), rows).inserted == 2
    assert values(engine) == {"offered": 7}
    engine.close()


def test_holdings_count_rows_and_bytes(open_history: Open, tmp_path: Path) -> None:
    engine = open_history(tmp_path, world())
    assert (engine.holdings().rows, engine.holdings().oldest) == (0, None)
    engine.write(stamp(), minutes("offered", "110105", 0, [1, 2, 4]))
    held = engine.holdings()
    assert (held.rows, held.oldest, held.newest) == (3, START, minute(2))
    assert held.bytes > 0
    engine.close()


# Rolling


def test_each_kind_of_measure_is_rolled_by_its_own_rule(history: TieredHistory) -> None:
    for measure, place in (("offered", "110105"), ("longest_wait", "110105"), ("queue", "110105"), ("agents", "C-1")):
        history.write(stamp(), minutes(measure, place, 10, [3, 9, 5]))
    history.roll(later(2), MANY)
    at = minute(10)
    assert rolled_rows(history, "quarter") == [
        *[("agents", "C-1", at + timedelta(minutes=n), value) for n, value in enumerate([3.0, 9, 5])],
        ("longest_wait", "110105", at, 9),
        ("offered", "110105", at, 17),
        ("queue", "110105", minute(12), 5),
    ]
    assert rolled_rows(history, "daily") == [
        ("longest_wait", "110105", at, 9),
        ("offered", "110105", at, 17),
        ("queue", "110105", minute(12), 5),
    ]


def test_a_bucket_is_rolled_only_when_its_contacts_have_had_time_to_settle(history: TieredHistory) -> None:
    history.write(stamp(), minutes("offered", "110105", -5, [1] * 20))
    settle = timedelta(seconds=world().channels["hotline"].settle_s + 60)
    history.roll(minute(10) + settle - timedelta(seconds=1), MANY)
    assert rolled_rows(history, "quarter") == []
    history.roll(minute(10) + settle, MANY)
    assert rolled_rows(history, "quarter") == [("offered", "110105", minute(-5), 15)]


def test_rolling_again_finds_nothing_to_do(history: TieredHistory) -> None:
    history.write(stamp(), minutes("offered", "110105", 0, [1] * 40))
    assert history.roll(later(2), MANY).inserted > 0
    assert history.roll(later(2), MANY).buckets == 0


def test_a_late_correction_rolls_again_exactly_what_it_touches(history: TieredHistory) -> None:
    """Of 4 quarters and 2 days, one correction of one key: one bucket compared and one row changed, in each tier."""
    for place in ("110105", "110106", "120104"):
        history.write(stamp(), minutes("offered", place, -20, [1] * 60))
    history.roll(later(2), MANY)
    before = rolled_rows(history, "quarter")
    history.write(stamp(2), minutes("offered", "110106", 11, [8]))
    done = history.roll(later(2), MANY)
    assert (done.buckets, done.inserted, done.changed, done.removed) == (2, 0, 2, 0)
    after = rolled_rows(history, "quarter")
    assert [row for row in after if row not in before] == [("offered", "110106", minute(10), 22)]
    assert ("offered", "110106", minute(10), 37) in rolled_rows(history, "daily")


def test_a_late_replay_changes_nothing(history: TieredHistory) -> None:
    rows = minutes("offered", "110105", 0, [1] * 40)
    history.write(stamp(), rows)
    history.roll(later(2), MANY)
    history.write(stamp(), rows)
    done = history.roll(later(2), MANY)
    assert (done.inserted, done.changed, done.removed) == (0, 0, 0)


def test_a_contact_that_moves_late_is_rolled_in_both_places(anywhere: TieredHistory) -> None:
    """What it leaves has no value afterwards, not zero; and its old place is not named by the correction."""
    history = anywhere
    history.contribute(stamp(1), contacts([("call", "offered", "110105", "", minute(-10), 1)]))
    history.roll(later(2), MANY)
    history.contribute(stamp(2), contacts([("call", "offered", "110106", "", minute(20), 1)]))
    history.roll(later(2), MANY)
    assert rolled_rows(history, "quarter") == [("offered", "110106", minute(10), 1)]
    assert rolled_rows(history, "daily") == [("offered", "110106", minute(10), 1)]


def dying(write: Callable[..., Written]) -> Callable[..., Written]:
    """A write after which nothing else happens."""

    def written(*given: object, **more: object) -> Written:
        write(*given, **more)
        raise KeyboardInterrupt

    return written


def test_who_is_killed_when_a_contact_has_moved_has_marked_the_place_that_it_left(
    anywhere: TieredHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = anywhere
    raw = history.tiers[0].history
    moved = contacts([("call", "offered", "110106", "", minute(20), 1)])
    history.contribute(stamp(1), contacts([("call", "offered", "110105", "", minute(-10), 1)]))
    history.roll(later(2), MANY)

    with monkeypatch.context() as patched:
        patched.setattr(raw, "contribute", dying(raw.contribute))
        with pytest.raises(KeyboardInterrupt):
            history.contribute(stamp(2), moved)
    assert history.contribute(stamp(2), moved).touched is None
    history.roll(later(2), MANY)
    assert rolled_rows(history, "quarter") == [("offered", "110106", minute(10), 1)]


def test_a_late_last_instant_takes_the_place_of_the_earlier_one(history: TieredHistory) -> None:
    history.write(stamp(), minutes("queue", "110105", 10, [3, 4]))
    history.roll(later(2), MANY)
    history.write(stamp(), minutes("queue", "110105", 12, [6]))
    history.roll(later(2), MANY)
    assert rolled_rows(history, "daily") == [("queue", "110105", minute(12), 6)]


def test_what_was_touched_and_not_yet_rolled_is_asked_of_the_rows(history: TieredHistory) -> None:
    day = Interval(minute(10), minute(10) + timedelta(days=1))
    history.write(stamp(), minutes("offered", "110105", 10, [1] * 40))
    history.roll(later(2), MANY)
    history.write(stamp(2), minutes("offered", "110105", 10, [5]))
    assert values(history, span=day) == {"offered": 44}
    history.roll(later(2), MANY)
    assert values(history, span=day) == {"offered": 44}


def test_a_run_is_bounded_and_the_next_goes_on(history: TieredHistory) -> None:
    history.write(stamp(), minutes("offered", "110105", -20, [1] * 200))
    runs = 0
    while history.roll(later(2), 10).buckets:
        runs += 1
    assert runs > 3
    assert sum(row[3] for row in rolled_rows(history, "quarter")) == 200


# Forgetting


def test_what_is_forgotten_below_is_answered_above(anywhere: TieredHistory) -> None:
    history = anywhere
    for measure in ("offered", "queue", "longest_wait"):
        history.write(stamp(), minutes(measure, "110105", -20, list(range(60))))
        history.write(stamp(), minutes(measure, "110105", 3 * 1440, [70]))
    span = Interval(minute(10 - 1440), minute(10 + 4 * 1440))
    whole = {measure: values(history, measure, span=span) for measure in ("offered", "queue", "longest_wait")}
    hours = values(history, span=Interval(minute(-20), minute(70)), by=900)
    grow_old(history, later(4))
    raw, quarter, _ = (tier.history.holdings() for tier in history.tiers)
    assert raw.oldest == minute(3 * 1440)
    assert quarter.oldest == minute(3 * 1440 - 5)
    assert {measure: values(history, measure, span=span) for measure in whole} == whole
    with pytest.raises(NotKept, match=r"before .* by buckets of 15min; before .* by buckets of day; ask for whole"):
        values(history, span=Interval(minute(-20), minute(70)), by=900)
    assert len(hours) == 4


def test_nothing_is_forgotten_before_the_tier_above_holds_it(history: TieredHistory) -> None:
    history.write(stamp(), minutes("offered", "110105", -20, [1] * 60))
    for _ in range(5):
        assert history.retain(later(4)) == 0
    assert history.tiers[0].history.holdings().rows == 60


def test_a_bucket_is_compared_once_more_before_its_rows_are_forgotten(
    opened: tuple[TieredHistory, TierProgressStore],
) -> None:
    """Also a mark that was lost between a write and a crash costs nothing."""
    history, tier_progress = opened
    history.write(stamp(), minutes("offered", "110105", 10, [1] * 40))
    history.roll(minute(24 * 60), MANY)
    history.tiers[0].history.write(stamp(2), minutes("offered", "110105", 10, [5]))
    assert tier_progress.read().marks == ()
    grow_old(history, later(4))
    assert history.tiers[0].history.holdings().rows == 0
    assert values(history, span=DAYS) == {"offered": 44}


def test_a_row_that_comes_after_its_time_was_closed_is_kept_aside(history: TieredHistory) -> None:
    history.write(stamp(), minutes("offered", "110105", 10, [1] * 40))
    history.write(stamp(), minutes("offered", "110105", 3 * 1440, [1]))
    grow_old(history, later(4))
    late = pd.concat([minutes("offered", "110105", 10, [5]), minutes("offered", "110105", 3 * 1440, [5])])
    assert history.write(stamp(2, batch="late"), late).changed == 1
    history.roll(later(4), MANY)
    assert values(history, span=DAYS) == {"offered": 45}
    aside = history.aside()
    assert list(aside[["batch", "code", "kept"]].itertuples(index=False, name=None)) == [
        ("late observations of closed time", "time_closed", False)
    ]
    assert "measure=offered region=110105" in aside["value"].item()


def test_a_contact_is_kept_aside_whole(history: TieredHistory) -> None:
    history.write(stamp(), minutes("offered", "110105", 10, [1] * 40))
    grow_old(history, later(4))
    rows = [("old", "offered", "110105", "", minute(10), 1), ("old", "offered", "110105", "", later(4), 1)]
    assert history.contribute(stamp(2), contacts([*rows, ("new", "offered", "110105", "", later(4), 1)])).inserted == 1
    assert len(history.aside()) == 2


def test_a_lost_state_does_not_hide_what_was_forgotten(tmp_path: Path) -> None:
    rows = pd.concat([minutes("offered", "110105", 10, [1] * 40), minutes("offered", "110105", 3 * 1440, [5])])
    with tiers(tmp_path, world(), embedded) as (history, _):
        history.write(stamp(), rows)
        grow_old(history, later(4))
    for file in tmp_path.glob("state.sqlite*"):
        file.unlink()
    with tiers(tmp_path, world(), embedded) as (history, _):
        assert values(history, span=DAYS) == {"offered": 45}


# Refusals


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"by": 300}, "ask for whole buckets, by steps that they divide"),
        ({"span": Interval(minute(11), minute(60))}, "ask for whole buckets"),
        ({"as_known_at": later(1)}, "what was shown at a time is forgotten"),
    ],
)
def test_what_cannot_be_answered_exactly_is_refused(history: TieredHistory, asked: dict[str, Any], reason: str) -> None:
    history.write(stamp(), minutes("offered", "110105", 10, [1] * 40))
    span = Interval(minute(10), minute(70))
    assert values(history, **{"span": span, **asked})
    grow_old(history, later(2.5))
    assert values(history, span=span) == {"offered": 40}
    assert values(history, span=span, by=900)
    with pytest.raises(NotKept, match=reason):
        values(history, **{"span": span, **asked})


def test_a_mean_of_instants_is_refused_where_its_instants_are_forgotten(history: TieredHistory) -> None:
    history.write(stamp(), minutes("agents", "C-1", 10, [1, 2, 6]))
    span = Interval(minute(10), minute(10) + timedelta(days=1))
    grow_old(history, later(2.5))
    assert history.tiers[0].history.holdings().rows == 0
    assert values(history, "agents", span=span) == {"agents": 3}
    grow_old(history, later(5))
    with pytest.raises(NotKept, match="needs every instant"):
        values(history, "agents", span=span)


def test_a_reporting_day_must_start_on_a_quarter(opened: tuple[TieredHistory, TierProgressStore]) -> None:
    odd = world(starts=datetime(2026, 1, 1, 4, 10).time())  # noqa: DTZ001 - only its time of day counts
    with pytest.raises(ValueError, match="04:10"):
        TieredHistory(opened[0].tiers, opened[1], odd)
