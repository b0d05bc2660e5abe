"""When contacts arrived: texts of a source's wall clock into UTC, with the two hours that daylight saving spoils."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from collectors.contact_log.options import Arrived
from collectors.contact_log.table import Table
from collectors.shared.contributions import Coded
from collectors.shared.record_verdicts import time_faults

NONE = np.int64(np.iinfo(np.int64).min)
"""Stands for a text that is no time."""
FACTORS = {"epoch_s": 1.0, "epoch_ms": 0.001}
Seconds = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Arrivals:
    """Seconds since 1970 (UTC) of each record; `fault` is a reject's code or '', `doubled` the ambiguous hour."""

    seconds: Seconds
    fault: npt.NDArray[np.object_]
    doubled: npt.NDArray[np.bool_]


def read_arrivals(table: Table, options: Arrived, zone: str, now: datetime) -> Arrivals:
    """Read when each record arrived; times without offset are of `zone`."""
    if options.column is not None:
        column = table.columns[options.column]
        seconds, aware = read_moments(column.texts, options.format)
        seconds, aware = column.each(seconds), column.each(aware)
        empty = column.empty()
    else:
        date, time = table.columns[str(options.date)], table.columns[str(options.time)]
        days, clock = parts(date, options.date_format), parts(time, options.time_format)
        of_day = clock - clock // 86400 * 86400
        seconds = np.where((days == NONE) | (clock == NONE), NONE, days // 86400 * 86400 + of_day)
        aware = np.zeros(len(table), dtype=bool)
        empty = date.empty() | time.empty()
    return located(seconds, aware, empty, options, zone, now)


def located(
    seconds: Seconds,
    aware: npt.NDArray[np.bool_],
    empty: npt.NDArray[np.bool_],
    options: Arrived,
    zone: str,
    now: datetime,
) -> Arrivals:
    """Give local times their zone and name what cannot be."""
    readable = seconds != NONE
    local = pd.DatetimeIndex(np.where(readable, seconds, 0).astype("datetime64[s]"))
    first, second = (
        local.tz_localize(zone, ambiguous=np.full(len(local), summer), nonexistent="NaT") for summer in (True, False)
    )
    missing = np.asarray(first.isna())
    one, other = epoch_seconds(first), epoch_seconds(second)
    doubled = readable & ~aware & ~missing & (one != other)
    chosen = np.maximum(one, other) if options.ambiguous == "later" else np.minimum(one, other)
    utc = np.where(aware, seconds, chosen)
    fault = time_faults(utc, now)
    fault[readable & ~aware & missing] = "nonexistent_time"
    if options.ambiguous == "reject":
        fault[doubled] = "ambiguous_time"
    fault[~readable] = "not_a_time"
    fault[empty] = "time_missing"
    return Arrivals(utc, fault, doubled)


def epoch_seconds(index: pd.DatetimeIndex) -> Seconds:
    """Seconds since 1970 of aware times; the smallest integer for no time."""
    found: Seconds = index.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64)
    return found


def parts(column: Coded, form: str) -> Seconds:
    """A date's or a time's seconds as if it were UTC, for each record."""
    spread: Seconds = column.each(by_pattern(column.texts, form)[0])
    return spread


def read_moments(texts: Sequence[str], form: str) -> tuple[Seconds, npt.NDArray[np.bool_]]:
    """Seconds since 1970 of each text, and whether the text itself says its offset (else they are local)."""
    if form == "iso":
        return by_iso(texts)
    return by_epoch(texts, FACTORS[form]) if form in FACTORS else by_pattern(texts, form)


def by_iso(texts: Sequence[str]) -> tuple[Seconds, npt.NDArray[np.bool_]]:
    """Read ISO 8601."""
    seconds, aware = np.full(len(texts), NONE), np.zeros(len(texts), dtype=bool)
    for index, text in enumerate(texts):
        try:
            moment = datetime.fromisoformat(text)
            aware[index] = moment.tzinfo is not None
            seconds[index] = math.floor((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError):
            continue
    return seconds, aware


def by_epoch(texts: Sequence[str], factor: float) -> tuple[Seconds, npt.NDArray[np.bool_]]:
    """Read seconds or milliseconds since 1970."""
    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=float) * factor
    fits = np.isfinite(numbers) & (np.abs(numbers) < 1e11)
    seconds = np.where(fits, np.floor(np.where(fits, numbers, 0)).astype(np.int64), NONE)
    return seconds, np.ones(len(texts), dtype=bool)


def by_pattern(texts: Sequence[str], form: str) -> tuple[Seconds, npt.NDArray[np.bool_]]:
    """Read times in a strptime format; with `%z` they are aware."""
    aware = "%z" in form
    index = pd.DatetimeIndex(pd.to_datetime(pd.Series(texts, dtype=object), format=form, errors="coerce", utc=aware))
    seconds = (index.tz_convert("UTC").tz_localize(None) if aware else index).to_numpy().astype("datetime64[s]")
    return seconds.astype(np.int64), np.full(len(texts), aware)
