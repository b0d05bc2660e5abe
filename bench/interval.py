"""One interval of the reference load, from bytes at the push endpoint to the snapshot that every screen reads.

`interval_to_snapshot`: half of the intervals take no longer, beside writing the same figures into a bare numpy grid.
`growth`: the same with one, two, four and eight times the regions, and the exponent by which time follows the load.
"""

import time
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from statistics import median

import numpy as np

from bench.embedded import Taken, embedded
from bench.ledger import Ledger
from bench.load import LATE, Load, minutes_from
from bench.measurement import Measurement

START = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
INTERVALS, WARM = 8, 2
"""Intervals that are measured, and those before them that are not."""
TRIES = {1: 4, 2: 3, 4: 2, 8: 2}
"""Times the load, and intervals that are measured at it: the quickest counts, and the larger are the steadier."""


def measure() -> Iterator[Measurement]:
    """The interval at the reference load."""
    load = Load()
    taken, cpu, lost = _intervals(load, INTERVALS, ledger=Ledger(load))
    limit = min(_bare_grid(load) for _ in range(5))
    whole = median(one.whole for one in taken)
    shares = ", ".join(
        f"{step.name} {median(getattr(one, step.name) for one in taken) * 1000:.0f}" for step in fields(Taken)
    )
    note = (
        f"{_observations(load)} observations in {len(load.channels)} bodies, p50 of {INTERVALS}; ms: {shares}; "
        f"CPU {median(cpu) * 1000:.0f} ms; {lost} cells lost or counted twice; must stay within 500 ms and 50 times"
    )
    yield Measurement("interval_to_snapshot", "ms", _ms(whole), _ms(limit), "bare numpy grid", note)


def measure_growth() -> Iterator[Measurement]:
    """How time follows the load: a straight line through the logarithms of both."""
    walls, cpus = [], []
    for scale, tries in TRIES.items():
        taken, cpu, _ = _intervals(Load(scale), tries, warm=1)
        walls.append(min(one.whole for one in taken))
        cpus.append(min(cpu))
    exponents = [float(np.polyfit(np.log(list(TRIES)), np.log(times), 1)[0]) for times in (walls, cpus)]
    told = ", ".join(
        f"{scale}x {_ms(wall):.0f} ({_ms(one):.0f})" for scale, wall, one in zip(TRIES, walls, cpus, strict=True)
    )
    note = f"interval_to_snapshot by load (1 is linear), ms of wall (CPU): {told}; exponent of CPU {exponents[1]:.2f}"
    yield Measurement("growth", "exponent", round(exponents[0], 2), 1.0, "linear", note)


def _intervals(
    load: Load, number: int, warm: int = WARM, ledger: Ledger | None = None
) -> tuple[list[Taken], list[float], int]:
    """Steps and CPU seconds of each measured interval, and how many cells differ from the ledger at the end."""
    taken, cpu = [], []
    with embedded(load, START) as line_up:
        for minute in minutes_from(START, warm + number):
            bodies = {channel: load.body(channel, minute) for channel in load.channels}
            began = time.process_time()
            taken.append(line_up.take(minute, bodies))
            cpu.append(time.process_time() - began)
            line_up.beat()
            if ledger is not None:
                for channel in load.channels:
                    ledger.acknowledge(channel, minute)
        lost = len(ledger.differences(line_up.dependencies.history)) if ledger else 0
    return taken[warm:], cpu[warm:], lost


def _observations(load: Load) -> int:
    said = (values for channel in load.channels for _, values in load.said(channel, START))
    return sum(int(np.count_nonzero(~np.isnan(values))) for values in said)


def _bare_grid(load: Load) -> float:
    """Seconds to write an interval's rows, as codes, into a dense grid where the newer revision wins, and no more."""
    shape = (len(LATE), len(load.channels), load.rows(load.channels[0]), len(load.regions))
    said = np.full(shape, np.nan)
    for at, channel in enumerate(load.channels):
        for step, (_, values) in enumerate(load.said(channel, START)):
            said[step, at, : load.rows(channel)] = values
    rows = np.random.default_rng(load.seed).permutation(np.argwhere(~np.isnan(said)))
    step, channel_at, row, region = rows.T.copy()
    values = said[step, channel_at, row, region]
    held, revision, received = np.zeros(shape), np.full(shape, -1), np.zeros(shape, np.int64)
    began = time.perf_counter()
    at = np.ravel_multi_index((step, channel_at, row, region), shape)
    newer = at[revision.reshape(-1)[at] < 1]
    held.reshape(-1)[newer], revision.reshape(-1)[newer], received.reshape(-1)[newer] = values, 1, 1
    return time.perf_counter() - began


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
