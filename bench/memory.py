"""Memory of the embedded line-up after an hour of the reference load: how much, and whether it still grows."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from bench.embedded import embedded
from bench.interval import START
from bench.load import Load, minutes_from
from bench.measurement import Measurement
from pipeline.flow.judging import judge_clock
from store.facts.duck.schema import SETTINGS

INTERVALS, LAST = 60, 30
CLOCK_EVERY = 10
"""Intervals between two audits of the clock, each of which lays out half an hour."""
MOST_MB = 1500.0


def measure() -> Iterator[Measurement]:
    """Resident memory of the pipeline and its Valkey after each interval: the largest of the last, and the slope."""
    load, held = Load(), []
    with embedded(load, START) as line_up, closing(line_up.engine()) as engine:
        for number, minute in enumerate(minutes_from(START, INTERVALS), start=1):
            line_up.take(minute, {channel: load.body(channel, minute) for channel in load.channels})
            line_up.beat()
            if number % CLOCK_EVERY == 0:
                judge_clock(line_up.dependencies)
            held.append((_resident_mb("self"), _resident_mb(str(line_up.valkey_pid)), _cached_mb(engine)))
    own, valkey, cached = np.array(held).T
    whole = own + valkey
    first, last = whole[:-LAST], whole[-LAST:]
    note = (
        f"pipeline and Valkey, the largest of the last {LAST} of {INTERVALS} intervals (before: {max(first):.0f}); "
        f"means {np.mean(first):.0f} and {np.mean(last):.0f}; over the last {LAST} {_slope(last):+.2f} MB an interval, "
        f"of which {_slope(cached[-LAST:]):+.2f} is what DuckDB keeps of its file, at most {SETTINGS['memory_limit']}; "
        f"at the end {own[-1]:.0f} + {valkey[-1]:.0f}; the load's generator included, the windows not"
    )
    yield Measurement("memory", "MB", round(float(max(last)), 1), MOST_MB, "what it may take", note)


def _slope(held: npt.NDArray[np.float64]) -> float:
    return float(np.polyfit(range(len(held)), held, 1)[0])


def _cached_mb(engine: duckdb.DuckDBPyConnection) -> float:
    [(held,)] = engine.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchall()
    return float(held) / 1024**2


def _resident_mb(process: str) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    [line] = [line for line in lines if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024
