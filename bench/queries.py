"""Questions at 50 million rows through the product's query layer, beside the same question put to DuckDB by hand.

Both are asked in turn, in one process, of one file, and must answer alike. `growth` asks at 5, 10, 25 and 50 million.
"""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from bench.held import DAY, DENSE, MINUTES, STRETCH, Held, interval, stamp
from bench.load import MEASURES, STEP, Load
from bench.measurement import Measurement, quantile
from config.loading import load as load_catalogue
from metrics.observations import Interval
from store.facts.duck import DuckHistory
from store.facts.duck.sorting import LATE_S
from store.facts.history import SumQuery

TIMES = 40
PROVINCE = "440000"
SOME = ("offered", "answered", "abandoned", "waiting")
RATE = SOME[:2]
"""What the answer rate divides."""
SHARE_OF_DAY = (27, 54, 136, DENSE)
"""Minutes that are held when it is asked at 5, 10, 25 and, with the hours before, 50 million rows."""
END = DAY + MINUTES * STEP

Answer = dict[tuple[object, ...], float]


@dataclass(frozen=True)
class Asked:
    """A question in both ways, and what the product may take at most, in milliseconds at p50."""

    name: str
    question: SumQuery
    by_hand: str
    limit: float


def measure() -> Iterator[Measurement]:
    """Fill the file, ask on the way, ask at the end, ask while it is written."""
    with tempfile.TemporaryDirectory() as folder:
        load = Load()
        held = Held(Path(folder) / "facts.duckdb", load, load_catalogue(load.lay_out(Path(folder) / "config")))
        yield from _growth(held)
        rows = held.rows()
        note = f"{rows:,} rows; 8.6 was the design's figure"
        yield Measurement("disk", "bytes a row", round(held.path.stat().st_size / rows, 2), note=note)
        with closing(held.open()) as history:
            for asked in _questions(held, END):
                yield from _both(held, history, asked, rows)
            yield _beside_writes(held, history)


def _growth(held: Held) -> Iterator[Measurement]:
    """Ask for the newest interval, and for its last quarter of an hour, while the file grows."""
    first = MINUTES - DENSE
    took: dict[str, list[tuple[int, float]]] = {"snapshot": [], "drill": []}
    for before, minutes in zip((0, *SHARE_OF_DAY), SHARE_OF_DAY, strict=False):
        sorted_until = first + minutes - minutes % STRETCH - 1 - LATE_S // 60
        if minutes == DENSE:
            held.grow(range(0, first, 15), first)
        held.grow(range(first + before, first + minutes), sorted_until)
        with closing(held.open()) as history:
            for asked in _questions(held, DAY + (first + minutes) * STEP, drilled=15):
                if asked.name in took:
                    used = _used(lambda: history.totals(asked.question))  # noqa: B023 - called before the next
                    took[asked.name].append((held.rows(), used))
    for name, points in took.items():
        rows, times = np.log([row for row, _ in points]), np.log([each for _, each in points])
        exponent = round(float(np.polyfit(rows, times, 1)[0]), 3)
        note = "; ".join(f"{row / 1e6:.0f} M rows {each:.1f} ms" for row, each in points)
        yield Measurement("growth", "exponent", exponent, 1.0, "linear", f"{name}, processor: {note}")


def _both(held: Held, history: DuckHistory, asked: Asked, rows: int) -> Iterator[Measurement]:
    """Ask in turn, through the product and by hand."""
    kinds = {kind: dict(held.names(kind)) for kind in ("channel", "measure", "region")}
    by_hand = held.engine.execute(asked.by_hand).df()
    for column, kind in (("channel", "channel"), ("place", "region"), ("measure", "measure")):
        if column in by_hand:
            by_hand[column] = by_hand[column].map(kinds[kind])
    if "start" in by_hand:
        by_hand["start"] = pd.to_datetime(by_hand["start"], unit="s", utc=True)
    if _answer(history.totals(asked.question)) != _answer(by_hand):
        raise AssertionError(f"{asked.name}: the product and the engine answer differently")
    ours, bare, ours_used, bare_used = [], [], [], []
    for _ in range(TIMES):
        marks = [time.process_time()]
        ours += _timed(lambda: history.totals(asked.question), 1)
        marks.append(time.process_time())
        bare += _timed(lambda: held.engine.execute(asked.by_hand).fetchnumpy(), 1)
        marks.append(time.process_time())
        ours_used.append((marks[1] - marks[0]) * 1000)
        bare_used.append((marks[2] - marks[1]) * 1000)
    for share, unit in ((0.5, "ms p50"), (0.95, "ms p95")):
        used = f"processor {quantile(ours_used, share)} ms, by hand {quantile(bare_used, share)} ms"
        by = " by " + " and ".join(asked.question.group) if asked.question.group else ""
        note = f"at most {asked.limit:.0f} ms p50 and 1.5x{by}; {used}; {rows:,} rows held"
        yield Measurement(asked.name, unit, quantile(ours, share), quantile(bare, share), "DuckDB by hand", note)


def _beside_writes(held: Held, history: DuckHistory) -> Measurement:
    """Drill while the next intervals are written without a pause."""
    bodies = [(channel, interval(held.load, channel, MINUTES)) for channel in held.load.channels]
    ended = threading.Event()

    def write() -> None:
        for minute in range(MINUTES, MINUTES + 2 * STRETCH):
            start = pd.Timestamp(DAY + minute * STEP).as_unit("s")
            for channel, rows in bodies:
                history.write(stamp(channel, minute), rows.assign(start=start))
        ended.set()

    writer = threading.Thread(target=write)
    [drill] = [asked for asked in _questions(held, END) if asked.name == "drill"]
    took: list[float] = []
    writer.start()
    while not ended.is_set():
        took += _timed(lambda: history.totals(drill.question), 1)
    writer.join()
    note = f"{len(took)} drills while {2 * STRETCH} intervals were written; p50 {quantile(took, 0.5)} ms"
    return Measurement("drill beside writes", "ms p95", quantile(took, 0.95), note=note)


def _questions(held: Held, end: datetime, drilled: int = 60) -> Iterator[Asked]:
    """The four questions at an instant."""
    day, hour, newest = (Interval(end - minutes * STEP, end) for minutes in (MINUTES, drilled, 1))
    province = f"p.province = {held.codes('region', (PROVINCE,))[0]}"
    peaks = f"o.measure = {held.codes('measure', ('longest_wait',))[0]}"
    rate, some = (held.codes("measure", measures) for measures in (RATE, SOME))

    def by_hand(columns: str, span: Interval, condition: str = "true", value: str = "sum(o.value)") -> str:
        low, high = int(span.start.timestamp()), int(span.end.timestamp())
        return (
            f"SELECT {columns}, o.measure, {value} AS value FROM observation o JOIN place p USING (region) "
            f"WHERE o.start >= {low} AND o.start < {high} AND NOT o.reported AND {condition} "
            "GROUP BY ALL ORDER BY ALL"
        )

    yield Asked(
        "snapshot",
        SumQuery(MEASURES, newest, group=("channel", "province")),
        by_hand("o.channel, p.province AS place", newest, value=f"if(any_value({peaks}), max(o.value), sum(o.value))"),
        10,
    )
    yield Asked(
        "trend_24h",
        SumQuery(RATE, day, 900, within=PROVINCE),
        by_hand("o.start - o.start % 900 AS start", day, f"o.measure IN {rate} AND {province}"),
        50,
    )
    for level in ("province", "city"):
        yield Asked(
            "rank_day",
            SumQuery(RATE, day, group=(level,)),
            by_hand(f"p.{level} AS place", day, f"o.measure IN {rate}"),
            50,
        )
    yield Asked(
        "drill",
        SumQuery(SOME, hour, group=("city",), within=PROVINCE),
        by_hand("p.city AS place", hour, f"o.measure IN {some} AND {province}"),
        10,
    )


def _answer(table: pd.DataFrame) -> Answer:
    """Values by keys."""
    keys = table.drop(columns="value").astype(object).itertuples(index=False, name=None)
    return dict(zip(keys, table["value"], strict=True))


def _used(work: Callable[[], object]) -> float:
    """Milliseconds of processor time, on all cores, of the cheapest of several runs."""
    used = []
    for _ in range(TIMES):
        began = time.process_time()
        work()
        used.append((time.process_time() - began) * 1000)
    return min(used)


def _timed(work: Callable[[], object], times: int) -> list[float]:
    """Milliseconds of each of several runs."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return took
