"""Measure the history at some million rows: `python -m tests.store.measure_history [millions]`.

A nation of 11 channels, 31 provinces and 333 cities writes one interval after another; then single
steps are timed, each several times: wall clock, and the processor time of all threads, which tells
more on a busy machine.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd

from config.catalogue import NATION, Catalogue, Channel, Delivery, Level, Measure, Region, RuleBook, Source, Text
from metrics.observations import Interval, encode_dimensions
from store.duck import DuckHistory
from store.history import BatchStamp, Question

START = datetime(2026, 11, 21, tzinfo=UTC)
CHANNELS = [f"channel_{n}" for n in range(11)]
MEASURES = [f"measure_{n}" for n in range(9)]
CITIES = [f"{province:02d}{city:04d}" for province in range(11, 42) for city in range(1, 12)][:333]
DIMENSIONS = [encode_dimensions({"service": f"s{n % 10}", "grade": f"g{n // 10}"}) for n in range(60)]
CHANCE = np.random.default_rng(7)


def nation() -> Catalogue:
    def text(word: str) -> Text:
        return Text(zh=word, en=word)

    places = {NATION: (None, Level.NATION)}
    places |= {f"{province:02d}0000": (NATION, Level.PROVINCE) for province in range(11, 42)}
    places |= {city: (f"{city[:2]}0000", Level.CITY) for city in CITIES}
    source = Source(id="main", kind="push", delivers=tuple(Delivery(measure=measure) for measure in MEASURES))
    return Catalogue(
        measures={name: Measure(id=name, name=text(name), kind="additive", unit="n") for name in MEASURES},
        metrics={},
        channels={name: Channel(id=name, name=text(name), short=text(name), sources=(source,)) for name in CHANNELS},
        regions={
            code: Region(code=code, parent=parent, level=level, kind=level, name=text(code), short=text(code))
            for code, (parent, level) in places.items()
        },
        dimensions={"service": text("service"), "grade": text("grade")},
        codes={},
        rules=RuleBook(version="1", rules={}, trust={}, score={}),
        words={},
    )


def interval(number: int, dimensions: int) -> pd.DataFrame:
    """One minute of one channel: 9 measures, 333 cities, some dimension keys."""
    index = pd.MultiIndex.from_product(
        [MEASURES, CITIES, DIMENSIONS[:dimensions]], names=["measure", "region", "dimension"]
    )
    frame = index.to_frame(index=False).astype("category")
    start = pd.Timestamp(START + timedelta(minutes=number)).as_unit("s")
    return frame.assign(start=start, value=CHANCE.poisson(5, len(frame)).astype(float))


def timed(name: str, work: Callable[[], object], times: int = 7) -> None:
    wall, processor = [], []
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        work()
        wall.append((time.perf_counter() - began) * 1000)
        processor.append((time.process_time() - used) * 1000)
    print(
        f"{name:<62} wall {np.median(wall):7.1f} ms (best {min(wall):.1f}), processor {np.median(processor):7.1f} ms",
        flush=True,
    )


def main(millions: float) -> None:
    revisions = count(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(DuckHistory(Path(folder) / "facts.duckdb", nation())) as history,
    ):

        def stamp(channel: str) -> BatchStamp:
            revision = next(revisions)
            return BatchStamp(f"b{revision}", channel, "main", revision, START + timedelta(seconds=revision))

        rows, minutes = 0, 0
        small = {channel: interval(0, 2) for channel in CHANNELS}
        while rows < millions * 1e6:
            for channel, frame in small.items():
                start = pd.Timestamp(START + timedelta(minutes=minutes)).as_unit("s")
                history.write(stamp(channel), frame.assign(start=start))
                rows += len(frame)
            minutes += 1
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        print(f"{rows:,} rows over {minutes} minutes, {size / rows:.1f} bytes a row with the write-ahead log")

        large = iter([interval(minutes + n, 60) for n in range(7)])
        timed(
            "write 179,820 new rows (one minute, one channel)", lambda: history.write(stamp(CHANNELS[0]), next(large))
        )
        again = interval(minutes, 60)
        timed("write 179,820 rows that confirm", lambda: history.write(stamp(CHANNELS[0]), again))
        changed = iter([interval(minutes + 1, 60) for _ in range(7)])
        timed("write 179,820 rows of which 9 in 10 change", lambda: history.write(stamp(CHANNELS[0]), next(changed)))
        next_small = count(minutes + 20)

        def one_small() -> None:
            start = pd.Timestamp(START + timedelta(minutes=next(next_small))).as_unit("s")
            history.write(stamp(CHANNELS[1]), small[CHANNELS[1]].assign(start=start))

        timed("write 5,994 new rows (a usual poll)", one_small, 30)

        end = START + timedelta(minutes=minutes)
        hour = Interval(end - timedelta(hours=1), end)
        day = Interval(START, end)
        measures = tuple(MEASURES)
        for group in (("channel", "region"), ("channel", "province"), ("channel",), ("service",), ()):
            question = Question(measures, hour, group=group)
            timed(f"totals, 60 min, 9 measures by {group}", lambda asked=question: history.totals(asked))
        timed(
            "totals, whole span by 5 min and province",
            lambda: history.totals(Question(measures[:2], day, 300, ("province",))),
        )
        known = Question(measures, hour, group=("channel", "region"), as_known_at=end)
        timed("totals, 60 min by channel and region, as known at", lambda: history.totals(known))
        one = Interval(end - timedelta(minutes=1), end)
        timed("observations, one minute of one channel", lambda: history.observations(one, [CHANNELS[0]]))

        calls = iter(range(100))

        def contribute() -> None:
            number = next(calls)
            at = pd.Timestamp(START + timedelta(minutes=number)).as_unit("s")
            frame = pd.DataFrame(
                {
                    "contact": [f"call-{number}-{n // 5}" for n in range(50_000)],
                    "measure": np.resize(MEASURES[:5], 50_000),
                }
            )
            frame = frame.assign(region=np.resize(CITIES, 50_000), dimension="", start=at, value=1.0)
            history.contribute(stamp(CHANNELS[2]), frame)

        timed("contribute 10,000 contacts in 50,000 rows (ledger to 1 M)", contribute, 20)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3)
