"""How far each source can be relied on: now, by its lateness; in a period of the past, by what came of it.

A source that is late turns stale, then doubtful, then nothing about it is hidden: the reason goes with every figure.
What is late now says nothing of a period of the past, unless that is the newest that the source has brought. Of a
period it is asked which intervals a readable batch covered: none is absent, more than `trust.doubtful_share` missing
is doubtful. An interval that nobody expected (it ended before the source was first asked), that is not due yet, or
whose batches are no longer remembered, is not missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_quality.grounds import Grounds
from data_quality.periods import Periods, Seconds
from metrics.intervals import floor_to
from metrics.readings import SOURCES, Trust

STEP_S = 60
"""The board shows whole minutes."""
Key = tuple[str, str]
"""Channel and source."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SourceStates:
    """How each source of the grounds stands in each period, (source, period)."""

    periods: Periods
    rank: npt.NDArray[np.int8]
    """Rank of its trust, `Trust.rank`."""
    why: npt.NDArray[np.int64]
    """Place of the reason in `reasons`."""
    lacking: Mask
    """Whether part of what was due of the period never came."""
    present: Mask
    """Whether the period is the newest that the source has brought, so that what is said of now is said of it."""
    settled: npt.NDArray[np.float64]
    """By source: seconds since 1970 up to which most contacts have ended; NaN where it never came."""
    reasons: tuple[str, ...]


def judge_sources(last: pd.DataFrame, grounds: Grounds, now: datetime) -> pd.DataFrame:
    """The state of each source now, as SOURCES says.

    `last`: channel, source, kind, last_success, covered_until, error, failing_since, and `simulated` if known; missing
    times are None or NaT. Lateness counts in intervals (or polls, if longer) after the deadline.
    """
    rows = [_judge_source(row, grounds, now) for row in last.to_dict("records")]
    frame = pd.DataFrame(rows, columns=SOURCES.columns)
    for name in ("last_success", "covered_until", "since"):
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("s")
    return frame


def _judge_source(row: dict[Any, Any], grounds: Grounds, now: datetime) -> dict[str, Any]:
    known = {name: None if pd.isna(row[name]) else row[name] for name in ("last_success", "covered_until")}
    failing = None if pd.isna(row["failing_since"]) else row["failing_since"]
    covered = known["covered_until"] or known["last_success"]
    lag_s = np.nan if covered is None else (now - covered).total_seconds()
    state = Trust.ABSENT if covered is None else _by_age(row["channel"], row["source"], lag_s, grounds)
    since = failing if covered is None else covered
    return {
        **{name: row[name] for name in ("channel", "source", "kind")},
        **known,
        "state": state.value,
        "lag_s": lag_s,
        "error": _fault(row["error"]),
        "since": None if state is Trust.SOUND else since,
        "simulated": bool(row.get("simulated", False)),
    }


def _by_age(channel: str, source: str, lag_s: float, grounds: Grounds) -> Trust:
    """Sound, stale or doubtful by how many intervals a source is late."""
    step, deadline_s = grounds.due[channel, source]
    limits, late = grounds.catalogue.rules.trust, (lag_s - deadline_s) / step
    if late > limits["doubtful_intervals"]:
        return Trust.DOUBTFUL
    return Trust.STALE if late > limits["stale_intervals"] else Trust.SOUND


def _fault(error: object) -> str:
    """A fault as `code: detail` or code alone, as a words key with its argument."""
    if not isinstance(error, str) or not error:
        return ""
    code, _, detail = error.partition(":")
    return f"fault.{code.strip()}" + (f"|{detail.strip().replace('|', '/')}" if detail else "")


def states_now(sources: pd.DataFrame, grounds: Grounds) -> SourceStates:
    """How the sources stand at present; `sources` as SOURCES says."""
    rank, reasons = _now(sources, grounds)
    shape = (len(grounds.sources), 1)
    return SourceStates(
        Periods.present(),
        rank[:, None],
        np.arange(len(reasons))[:, None],
        np.zeros(shape, np.bool_),
        np.ones(shape, np.bool_),
        _settled(sources, grounds),
        tuple(reasons),
    )


def _now(sources: pd.DataFrame, grounds: Grounds) -> tuple[npt.NDArray[np.int8], list[str]]:
    """By source: rank and reason of its state; one that nothing is known of never came."""
    words = {Trust.STALE: "source_stale", Trust.DOUBTFUL: "source_lost", Trust.ABSENT: "source_absent"}
    known = {(row["channel"], row["source"]): row for row in sources.to_dict("records")}
    rank, reasons = [], []
    for channel, source in grounds.sources:
        row = known.get((channel, source), {"state": Trust.ABSENT, "since": None})
        trust = Trust(row["state"])
        when = "" if trust is Trust.ABSENT or pd.isna(row["since"]) else f"|{row['since'].isoformat()}"
        reasons.append(f"trust.{words[trust]}|{channel}{when}" if trust in words else "")
        rank.append(trust.rank)
    return np.array(rank, np.int8), reasons


def _settled(sources: pd.DataFrame, grounds: Grounds) -> npt.NDArray[np.float64]:
    covered = zip(sources["channel"], sources["source"], sources["covered_until"], strict=True)
    known = {(channel, source): until.timestamp() for channel, source, until in covered if not pd.isna(until)}
    settle_s = {name: channel.settle_s for name, channel in grounds.catalogue.channels.items()}
    return np.array(
        [known[key] // STEP_S * STEP_S - settle_s[key[0]] if key in known else np.nan for key in grounds.sources]
    )


@dataclass(frozen=True)
class Came:
    """What is known of the arrival of figures about a span of the past."""

    covered: Mapping[Key, tuple[Seconds, Seconds]]
    """By source: starts and ends of the stretches that readable batches cover, in order and apart."""
    asked: Mapping[Key, datetime]
    """When each source was first asked, as far as it is remembered."""
    remembered: datetime | None
    """The oldest batch that is remembered came then; None: there is none."""
    read: Mapping[str, Mask]
    """By channel: the periods of which the store holds any of its figures."""


def states_then(sources: pd.DataFrame, came: Came, periods: Periods, grounds: Grounds, now: datetime) -> SourceStates:
    """How the sources stood in periods of the past; `sources` as SOURCES says, as of `now`."""
    rank_now, reasons = _now(sources, grounds)
    settled = _settled(sources, grounds)
    present = _present(settled, periods)
    number = len(grounds.sources)
    rank, lacking = np.zeros(present.shape, np.int8), np.zeros(present.shape, np.bool_)
    absent = [f"trust.period_absent|{channel}" for channel, _ in grounds.sources]
    why = np.full(present.shape, 2 * number)
    for at, key in enumerate(grounds.sources):
        reached = settled[at] + grounds.catalogue.channels[key[0]].settle_s
        due, missing, left_out = _due(key, came, periods, grounds, now, reached)
        there = overlapped(came.covered.get(key), periods) | came.read.get(key[0], False)
        never = bool(np.isnan(settled[at]))
        gone = ~there & ((missing > 0) | (never & (present[at] | (key not in came.asked))))
        said = present[at] & (not never)
        rank[at, said], why[at, said] = rank_now[at], at
        rank[at, gone] = Trust.ABSENT.rank
        why[at, gone] = at if never else number + at
        limit = grounds.catalogue.rules.trust["doubtful_share"]
        lacking[at] = there & (left_out > limit * due)
    return SourceStates(periods, rank, why, lacking, present, settled, (*reasons, *absent, ""))


def _present(settled: npt.NDArray[np.float64], periods: Periods) -> Mask:
    """(source, period): whether nothing newer than the period has come; of one that never came: as of the others."""
    newest = np.nanmax(settled) if not np.isnan(settled).all() else -np.inf
    mask: Mask = periods.ends[None, :] >= np.where(np.isnan(settled), newest, settled)[:, None]
    return mask


def overlapped(covered: tuple[Seconds, Seconds] | None, periods: Periods) -> Mask:
    """The periods of which anything is covered, by stretches in order and apart."""
    if covered is None:
        return np.zeros(len(periods), np.bool_)
    starts, ends = covered
    mask: Mask = np.searchsorted(starts, periods.ends, "left") > np.searchsorted(ends, periods.starts, "right")
    return mask


def _due(
    key: Key, came: Came, periods: Periods, grounds: Grounds, now: datetime, reached: float
) -> tuple[Seconds, Seconds, Seconds]:
    """By period: intervals of a source that were due, those of them that no readable batch covers, and of these those
    before `reached`, up to where the source has been read: that what follows is late, its state now says.
    """
    if came.remembered is None or key not in came.asked:
        nothing = np.zeros(len(periods), np.int64)
        return nothing, nothing, nothing
    channel, since = grounds.catalogue.channels[key[0]], max(came.remembered, came.asked[key])
    step, begin = channel.interval_s, max(datetime.fromtimestamp(int(periods.starts[0]), UTC), since)
    first = int(floor_to(begin, step, ZoneInfo(channel.zone)).timestamp())
    ends = np.arange(first, int(periods.ends[-1]), step) + step
    ends = ends[(ends > since.timestamp()) & (ends + grounds.due[key][1] <= now.timestamp())]
    missing = ~_contained(came.covered.get(key), ends - step, ends)
    due, left_out = np.ones(len(ends), np.bool_), missing & ~(ends > reached)
    starts = ends - step
    return _counted(starts, due, periods), _counted(starts, missing, periods), _counted(starts, left_out, periods)


def _contained(covered: tuple[Seconds, Seconds] | None, starts: Seconds, ends: Seconds) -> Mask:
    """Which intervals are covered from start to end."""
    if covered is None or not len(covered[0]):
        return np.zeros(len(starts), np.bool_)
    at = np.searchsorted(covered[0], starts, side="right") - 1
    mask: Mask = (at >= 0) & (ends <= covered[1][at])
    return mask


def _counted(starts: Seconds, chosen: Mask, periods: Periods) -> Seconds:
    """How many chosen intervals start in each period; their starts are in order."""
    until = np.concatenate([[0], np.cumsum(chosen)])
    counts: Seconds = until[np.searchsorted(starts, periods.ends)] - until[np.searchsorted(starts, periods.starts)]
    return counts
