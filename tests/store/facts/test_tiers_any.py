"""Anything, rolled and forgotten at any moments, says to the last digit what all rows kept for ever would say."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.catalogue import NATION, Catalogue
from metrics.condensing import by_instants
from metrics.observations import Interval
from store.facts.duck import DuckHistory
from store.facts.history import BatchStamp, SumQuery
from store.facts.tiers import TieredHistory
from store.faults import NotKept
from store.state.tier_progress import TierProgressStore
from tests.support.store_reference import ReferenceHistory
from tests.support.store_world import KEYS, MEASURES, START, contacts, minute, stamp, table, world
from tests.support.tiers_world import MANY, tiers

FEW = settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
DAY = 1440
PLANS = (
    ("Asia/Shanghai", time(0), START),
    ("Asia/Shanghai", time(4, 30), START),
    # Clocks go back on 1 November 2026 and forward on 14 March 2027 in New York.
    ("America/New_York", time(0), datetime.fromisoformat("2026-11-01T02:50:00+00:00")),
    ("America/New_York", time(1, 15), datetime.fromisoformat("2027-03-13T20:50:00+00:00")),
)
PLACES = {"offered": ["110105", "110106", "120104", "110000"], "agents": ["C-1", "C-2"], "lines": ["110000", "120000"]}
MINUTES = st.one_of(st.integers(0, 2 * DAY), st.integers(0, 40), st.integers(DAY - 40, DAY + 40))

cells = st.sampled_from(sorted(MEASURES)).flatmap(
    lambda measure: st.tuples(
        st.just(measure),
        st.sampled_from(PLACES.get(measure, ["110105", "110106", "120104"])),
        st.sampled_from(KEYS[:3]),
        MINUTES,
        # Quarters add up without rounding in any order.
        st.integers(0, 40).map(lambda quarters: quarters / 4),
    )
)
writes = st.tuples(
    st.just("write"), st.sampled_from(["hotline", "chat"]), st.integers(1, 4), st.lists(cells, min_size=4, max_size=25)
)
calls = st.tuples(
    st.just("contribute"),
    st.just("hotline"),
    st.integers(1, 4),
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(["110105", "110106"]), st.integers(0, DAY - 1), st.integers(1, 5)),
        min_size=1,
        max_size=4,
    ),
)
jobs = st.tuples(st.sampled_from(["roll", "retain"]), st.integers(0, 700), st.sampled_from([1, 100, MANY]))
steps = st.lists(st.one_of(writes, writes, calls, jobs), min_size=1, max_size=6)


def crowd(seed: int) -> tuple[str, str, int, list[tuple[object, ...]]]:
    """So many rows of everything that hardly a question finds none."""
    chance = random.Random(seed)
    rows: list[tuple[object, ...]] = []
    for measure in MEASURES:
        places = PLACES.get(measure, ["110105", "110106", "120104"])
        for _ in range(60):
            rows.append((measure, chance.choice(places), chance.choice(KEYS[:3]), chance.randrange(2 * DAY), 1.25))
    return "write", "hotline", 2, rows


@dataclass
class Ages:
    """A tiered history and the reference side by side, under one clock."""

    history: TieredHistory
    tier_progress: TierProgressStore
    reference: ReferenceHistory
    start: datetime
    now: datetime
    told: int = 0

    def do(self, step: Sequence[Any]) -> None:
        if step[0] in ("roll", "retain"):
            self.now += timedelta(minutes=step[1])
            if step[0] == "roll":
                self.history.roll(self.now, step[2])
            else:
                self.history.retain(self.now)
            return
        self.told += 1
        act, channel, revision, cells = step
        given_stamp = stamp(revision, channel, self.now, f"batch-{self.told}")
        if act == "write":
            self.write(given_stamp, self.observations(cells))
        else:
            self.contribute(given_stamp, self.contributions(cells))

    def observations(self, cells: Sequence[Any]) -> pd.DataFrame:
        return table((name, place, key, minute(at, self.start), value) for name, place, key, at, value in cells)

    def contributions(self, cells: Sequence[Any]) -> pd.DataFrame:
        """A contact of a day moves only within it: whoever forgot its parts could not take them back."""
        at = minute(0, self.start)
        first = self.reference.bucket(at + timedelta(days=1), "day")
        rows = [(f"call-{who}", "waited_s", place, "", minute(n, first), value) for who, place, n, value in cells]
        inside = [row for row in rows if self.reference.bucket(row[4], "day") == first]
        return contacts(inside)

    def write(self, given_stamp: BatchStamp, rows: pd.DataFrame) -> None:
        closed = self.tier_progress.read().closed("raw")
        self.history.write(given_stamp, rows)
        self.reference.write(given_stamp, rows if closed is None else rows[rows["start"] >= closed])

    def contribute(self, given_stamp: BatchStamp, rows: pd.DataFrame) -> None:
        closed = self.tier_progress.read().closed("raw")
        self.history.contribute(given_stamp, rows)
        late = [] if closed is None else list(rows.loc[rows["start"] < closed, "contact"])
        self.reference.contribute(given_stamp, rows[~rows["contact"].isin(late)])

    def ask(self, question: SumQuery) -> None:
        try:
            found = self.history.totals(question)
        except NotKept:
            assert self.may_refuse(question), question
            return
        keys = [column for column in found.columns if column != "value"]
        shown = dict(zip(found[keys].itertuples(index=False, name=None), found["value"], strict=True))
        assert shown == self.reference.totals(question)

    def may_refuse(self, question: SumQuery) -> bool:
        """Only of forgotten time, and only what buckets cannot say."""
        standing = self.tier_progress.read()
        raw, quarter = standing.forgotten("raw"), standing.forgotten("quarter")
        if raw is None or question.interval.start >= raw:
            return False
        daily = quarter is not None and question.interval.start < quarter
        size: int | Literal["day"] = "day" if daily else 900
        edges = [question.interval.start, *([question.interval.end] if question.interval.end <= raw else [])]
        cut = any(self.reference.bucket(edge, size) != edge for edge in edges)
        between = quarter is not None and question.interval.end < quarter
        cut = cut or (between and self.reference.bucket(question.interval.end, "day") != question.interval.end)
        too_fine = question.by not in (None, "day") and (daily or question.by % 900 != 0)
        instants = daily and any(by_instants(self.reference.catalogue.measures[name]) for name in question.measures)
        return cut or too_fine or instants or question.as_known_at is not None


SPANS: list[tuple[int | Literal["day"], int]] = [("day", DAY), ("day", 3 * DAY), ("day", 9 * DAY), (900, 90), (60, 50)]


@st.composite
def questions(draw: st.DrawFn, start: datetime, catalogue: Catalogue) -> SumQuery:
    reference = ReferenceHistory(catalogue)
    align, length = draw(st.sampled_from(SPANS))
    first = draw(st.sampled_from([-DAY, 0, 20, DAY]))
    edges = [reference.bucket(minute(at, start), align) for at in (first, first + length)]
    reported = draw(st.sampled_from([False, False, False, True]))
    group = draw(
        st.lists(st.sampled_from(["channel", "province", "city", "region", "service"]), max_size=2, unique=True)
    )
    known = st.one_of(st.none(), st.none(), st.none(), st.none(), MINUTES.map(lambda at: minute(at, start)))
    return SumQuery(
        measures=tuple(draw(st.lists(st.sampled_from(sorted(MEASURES)), min_size=1, max_size=4, unique=True))),
        interval=Interval(edges[0], edges[1]),
        by=draw(st.sampled_from([None, None, None, "day", "day", 3600, 900, 300])),
        group=tuple(group) if not reported else ("region",),
        within=draw(st.sampled_from([NATION, NATION, NATION, "110000", "110105"])),
        channels=draw(st.sampled_from([None, None, ("hotline",), ("hotline", "chat")])),
        where=draw(st.sampled_from([{}, {}, {}, {"service": ("bill", "")}, {"grade": ("gold",)}])),
        as_known_at=draw(known),
        reported=reported,
    )


def test_what_is_asked_covers_refusals_and_answers() -> None:
    """The property below would be empty if every question were refused or nothing were ever forgotten."""
    assert {name for name in MEASURES if by_instants(world().measures[name])} == {"agents", "lines"}


@FEW
@given(data=st.data())
def test_any_history_in_tiers_answers_as_if_nothing_had_been_forgotten(data: st.DataObject) -> None:
    zone, starts, start = data.draw(st.sampled_from(PLANS))
    catalogue = world(zone, starts)
    with (
        TemporaryDirectory() as folder,
        tiers(Path(folder), catalogue, lambda at, own: DuckHistory(at / "facts.duckdb", own)) as (
            history,
            tier_progress,
        ),
    ):
        ages = Ages(history, tier_progress, ReferenceHistory(catalogue), start, start)
        ages.do(crowd(data.draw(st.integers(0, 2**32))))
        for step in data.draw(steps):
            ages.do(step)
        ages.now = max(ages.now, minute(data.draw(st.sampled_from([DAY, 2 * DAY, 4 * DAY])), start))
        for days in data.draw(st.sampled_from([(0, 1), (1, 1), (2, 4)])):
            for _ in range(4):
                ages.do(("roll", 0, MANY))
                ages.do(("retain", 0, MANY))
            for question in data.draw(st.lists(questions(start, catalogue), min_size=8, max_size=8)):
                ages.ask(question)
            for step in data.draw(steps):
                ages.do(step)
            for question in data.draw(st.lists(questions(start, catalogue), min_size=4, max_size=4)):
                ages.ask(question)
            ages.do(("roll", days * DAY, 100))
