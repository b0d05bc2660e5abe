"""A nation of two provinces, small enough to check by hand: places, channels, measures of every kind."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pandas as pd

from config.catalogue import (
    NATION,
    Catalogue,
    Channel,
    DayPlan,
    Delivery,
    Level,
    Measure,
    Region,
    RuleBook,
    RuleSetting,
    Source,
    Text,
)
from metrics.observations import Interval, encode_dimensions
from store.facts.history import BatchStamp, History, SumQuery

START = datetime(2026, 11, 21, 15, 50, tzinfo=UTC)
"""Ten minutes before midnight in Shanghai: every test crosses a day."""

PLACES = {
    NATION: (None, Level.NATION),
    "110000": (NATION, Level.PROVINCE),
    "110105": ("110000", Level.CITY),
    "110106": ("110000", Level.CITY),
    "120000": (NATION, Level.PROVINCE),
    "120104": ("120000", Level.CITY),
    "C-1": ("110105", Level.CENTRE),
    "C-2": ("120104", Level.CENTRE),
}
MEASURES = {
    "offered": {"kind": "additive"},
    "waited_s": {"kind": "additive"},
    "queue": {"kind": "level", "over_time": "last"},
    "agents": {"kind": "level", "over_time": "mean"},
    "lines": {"kind": "level", "over_time": "max"},
    "longest_wait": {"kind": "peak"},
}
GRAINS = {"agents": Level.CENTRE, "lines": Level.PROVINCE}
DIMENSIONS = ("service", "grade")
KEYS = tuple(
    encode_dimensions(values)
    for values in ({}, {"service": "bill"}, {"service": "fault;=终"}, {"grade": "gold", "service": "bill"})
)


def text(word: str) -> Text:
    return Text(zh=word, en=word)


def channel(name: str, interval_s: int) -> Channel:
    delivers = tuple(Delivery(measure=measure, grain=GRAINS.get(measure, Level.CITY)) for measure in MEASURES)
    source = Source(id="main", kind="push", delivers=delivers)
    return Channel(id=name, name=text(name), short=text(name), interval_s=interval_s, sources=(source,))


def world(zone: str = "Asia/Shanghai", starts: time = time(0, 0)) -> Catalogue:
    return Catalogue(
        day=DayPlan(zone=zone, starts=starts),
        measures={name: Measure(id=name, name=text(name), unit="n", **kind) for name, kind in MEASURES.items()},
        metrics={},
        channels={"hotline": channel("hotline", 60), "chat": channel("chat", 300)},
        regions={
            code: Region(code=code, parent=parent, level=level, kind=level, name=text(code), short=text(code))
            for code, (parent, level) in PLACES.items()
        },
        dimensions={name: text(name) for name in DIMENSIONS},
        codes={},
        rules=RuleBook(version="1", rules={"AC-03": RuleSetting(severity="major")}, trust={}, score={}),
        words={},
    )


def stamp(revision: int = 1, channel: str = "hotline", at: datetime = START, batch: str = "") -> BatchStamp:
    return BatchStamp(batch or f"{channel}-{revision}", channel, "main", revision, at)


def minute(number: int, start: datetime = START) -> datetime:
    return start + timedelta(minutes=number)


def table(rows: Iterable[tuple[str, str, str, datetime, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=["measure", "region", "dimension", "start", "value"])
    return frame.astype({"start": "datetime64[s, UTC]", "value": "float64"})


def contacts(rows: Iterable[tuple[str, str, str, str, datetime, float]]) -> pd.DataFrame:
    columns = ["contact", "measure", "region", "dimension", "start", "value"]
    return pd.DataFrame(list(rows), columns=columns).astype({"start": "datetime64[s, UTC]", "value": "float64"})


def hour(start: datetime = START) -> Interval:
    return Interval(start, start + timedelta(hours=1))


def ordered(rows: pd.DataFrame) -> pd.DataFrame:
    """What a store tells in no particular order, by its keys."""
    keys = ["channel", "measure", "region", "dimension", "start"]
    return rows.iloc[rows[keys].astype("str").sort_values(keys).index].reset_index(drop=True)


def query(**asked: Any) -> SumQuery:
    """What is asked, and else what was offered in the first hour."""
    first: dict[str, Any] = {"measures": ("offered",), "interval": hour()}
    return SumQuery(**first | asked)


def ask(history: History, **asked: Any) -> dict[tuple[object, ...], float]:
    return answer(history, query(**asked))


def answer(history: History, question: SumQuery) -> dict[tuple[object, ...], float]:
    found = history.totals(question)
    keys = [column for column in found.columns if column != "value"]
    rows = found[keys].itertuples(index=False, name=None)
    return dict(zip(rows, found["value"], strict=True))


def one(history: History, **asked: Any) -> float | None:
    return ask(history, **asked).get(("offered",))


def offered(value: float, at: datetime = START, region: str = "110105", dimension: str = "") -> pd.DataFrame:
    return table([("offered", region, dimension, at, value)])
