"""Memory of the embedded line-up after an hour of the reference load: how much, and whether it still grows."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.embedded import embedded
from bench.interval import START
from bench.load import Load, minutes_from
from bench.measurement import Measurement
from pipeline.judging import judge_clock

INTERVALS, LAST = 60, 30
CLOCK_EVERY = 10
"""Intervals between two audits of the clock, each of which lays out half an hour."""
MOST_MB = 1500.0


def measure() -> Iterator[Measurement]:
    """Resident memory of the pipeline and its Valkey after each interval: the largest of the last, and the slope."""
    load, held = Load(), []
    with embedded(load, START) as line_up:
        for number, minute in enumerate(minutes_from(START, INTERVALS), start=1):
            line_up.take(minute, {channel: load.body(channel, minute) for channel in load.channels})
            line_up.beat()
            if number % CLOCK_EVERY == 0:
                judge_clock(line_up.parts)
            held.append((_resident_mb("self"), _resident_mb(str(line_up.valkey_pid))))
    whole = [sum(one) for one in held]
    first, last = whole[: INTERVALS - LAST], whole[-LAST:]
    slope = float(np.polyfit(range(LAST), last, 1)[0])
    note = (
        f"pipeline and Valkey, the largest of the last {LAST} of {INTERVALS} intervals (before: {max(first):.0f}); "
        f"means {np.mean(first):.0f} and {np.mean(last):.0f}, {slope:+.2f} MB an interval over the last {LAST}; "
        f"at the end {held[-1][0]:.0f} + {held[-1][1]:.0f}; the load's generator included, the windows not"
    )
    yield Measurement("memory", "MB", round(max(whole[-LAST:]), 1), MOST_MB, "what it may take", note)


def _resident_mb(process: str) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    [line] = [line for line in lines if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024
