"""How far a source, and a reading that rests on it, can be relied on.

A source that is late turns stale, then doubtful, then nothing about it is hidden: the reason goes with every figure.
A reading is as good as the worst of what it rests on: absent > doubtful > stale > provisional > sound.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue, Metric
from data_quality.doubts import Reach, doubts
from data_quality.grid.schedule import deadline_of
from metrics.readings import SOURCES, Trust

EVERY = ""
"""Channel of a reading over all channels."""
Codes = npt.NDArray[np.int64]
Verdict = tuple[Trust, str]
"""Trust and its reason."""


def judge_sources(last: pd.DataFrame, grounds: "Grounds", now: datetime) -> pd.DataFrame:
    """The state of each source, as SOURCES says.

    `last`: channel, source, kind, last_success, covered_until, error, failing_since, and `simulated` if known; missing
    times are None or NaT. Lateness counts in intervals (or polls, if longer) after the deadline.
    """
    rows = [_judge_source(row, grounds, now) for row in last.to_dict("records")]
    frame = pd.DataFrame(rows, columns=SOURCES.columns)
    for name in ("last_success", "covered_until", "since"):
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("s")
    return frame


def _judge_source(row: dict[Any, Any], grounds: "Grounds", now: datetime) -> dict[str, Any]:
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


def _by_age(channel: str, source: str, lag_s: float, grounds: "Grounds") -> Trust:
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


def judge_readings(
    readings: pd.DataFrame, sources: pd.DataFrame, open_findings: pd.DataFrame, grounds: "Grounds"
) -> pd.DataFrame:
    """The readings with `trust` and `reason` (both category), in the order given.

    `readings` needs metric, region, channel ('' is all), value, numerator and, where it is known, open_share;
    `open_findings` as FINDINGS says.
    """
    standing = SourceTrust(grounds, sources)
    metric = _codes(readings["metric"], grounds.metrics)
    channel = _codes(readings["channel"], grounds.channels)
    region = _codes(readings["region"], tuple(grounds.catalogue.regions))
    level, why, reasons = standing.ranks[metric, channel], standing.reasons[metric, channel], standing.told
    doubted = doubts(open_findings, grounds.reach)
    doubt = doubted.table[channel, metric, region]
    _raise(level, why, doubt < len(doubted.reasons), Trust.DOUBTFUL, doubt + len(reasons))
    reasons = [*reasons, *doubted.reasons, "trust.cohort_open"]
    if "open_share" in readings:
        still_open = readings["open_share"].to_numpy(np.float64) > grounds.catalogue.rules.trust["provisional_share"]
        _raise(level, why, still_open, Trust.PROVISIONAL, len(reasons) - 1)
    unread = np.isnan(readings["numerator"].to_numpy(np.float64))
    nothing = [f"trust.source_absent|{name}" for name in grounds.metrics]
    _raise(level, why, unread, Trust.ABSENT, len(reasons) + metric)
    reasons = [*reasons, *nothing]
    return readings.assign(
        trust=pd.Categorical.from_codes(level, [trust.value for trust in Trust]), reason=_category(why, reasons)
    )


def _raise(level: Codes, why: Codes, where: npt.NDArray[np.bool_], trust: Trust, reason: Codes | int) -> None:
    """Lower the trust where it is better than this, with the reason."""
    worse = where & (level < trust.rank)
    level[worse] = trust.rank
    why[worse] = reason[worse] if isinstance(reason, np.ndarray) else reason


def _codes(column: pd.Series, names: tuple[str, ...]) -> Codes:
    """A column of known names as their places."""
    coded, index = column.astype("category").cat, {name: at for at, name in enumerate(names)}
    table = np.array([index[name] for name in coded.categories], np.int64)
    return table[coded.codes.to_numpy()] if len(table) else np.zeros(0, np.int64)


def _category(codes: Codes, names: list[str]) -> pd.Categorical:
    """Codes into names that may repeat, as a category."""
    index: dict[str, int] = {}
    table = np.array([index.setdefault(name, len(index)) for name in names], np.int64)
    return pd.Categorical.from_codes(table[codes], list(index))


class Grounds:
    """What the sources and the readings of a catalogue are judged by; made once for it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue, self.reach = catalogue, Reach(catalogue)
        self.metrics = tuple(catalogue.metrics)
        self.channels = (*catalogue.channels, EVERY)
        self.rests = [list(self._of_metric(metric)) for metric in catalogue.metrics.values()]
        """By metric and channel: the sources that count for it, and whether they deliver the whole formula."""
        self.due = {
            (channel.id, source.id): (max(channel.interval_s, source.poll_s), deadline_of(source, catalogue))
            for channel in catalogue.channels.values()
            for source in channel.sources
        }
        """By source: seconds of an interval (or of its polling), and after an interval's end until it is due."""

    def _of_metric(self, metric: Metric) -> Iterator[tuple[tuple[str, ...], bool]]:
        needed = set(metric.formula.measures)
        for channel in self.catalogue.channels.values():
            delivered = {source.id: {one.measure for one in source.delivers} for source in channel.sources}
            own = tuple(source for source, measures in delivered.items() if needed & measures)
            yield own, needed <= set().union(*(delivered[source] for source in own))


@dataclass(frozen=True)
class SourceTrust:
    """What the sources' states say of every (metric, channel); the last channel is all of them."""

    grounds: Grounds
    sources: pd.DataFrame

    @cached_property
    def _verdicts(self) -> list[list[Verdict]]:
        return [list(self._of_metric(at)) for at in range(len(self.grounds.metrics))]

    @cached_property
    def told(self) -> list[str]:
        """The reasons, '' first."""
        return list(dict.fromkeys(["", *(reason for row in self._verdicts for _, reason in row)]))

    @cached_property
    def ranks(self) -> Codes:
        """(metric, channel): rank of the trust."""
        return np.array([[trust.rank for trust, _ in row] for row in self._verdicts], np.int64)

    @cached_property
    def reasons(self) -> Codes:
        """(metric, channel): place of the reason in `told`."""
        index = {reason: at for at, reason in enumerate(self.told)}
        return np.array([[index[reason] for _, reason in row] for row in self._verdicts], np.int64)

    @cached_property
    def _states(self) -> dict[tuple[str, str], Verdict]:
        """Trust and reason of each source."""
        reasons = {Trust.STALE: "source_stale", Trust.DOUBTFUL: "source_lost", Trust.ABSENT: "source_absent"}
        found = {}
        for row in self.sources.to_dict("records"):
            trust = Trust(row["state"])
            when = "" if trust is Trust.ABSENT or pd.isna(row["since"]) else f"|{row['since'].isoformat()}"
            reason = f"trust.{reasons[trust]}|{row['channel']}{when}" if trust in reasons else ""
            found[row["channel"], row["source"]] = (trust, reason)
        return found

    def _of_metric(self, at: int) -> Iterator[Verdict]:
        """Trust and reason of a metric by channel, then over all channels."""
        joined: list[tuple[str, Verdict]] = []
        for channel, (sources, whole) in zip(self.grounds.catalogue.channels, self.grounds.rests[at], strict=True):
            never = (Trust.ABSENT, f"trust.source_absent|{channel}")
            verdict = max((self._states.get((channel, source), never) for source in sources), key=_rank, default=never)
            if whole:
                joined.append((channel, verdict))
            yield verdict
        yield _together(self.grounds.metrics[at], joined)


def _together(metric: str, joined: Sequence[tuple[str, Verdict]]) -> Verdict:
    """All channels: absent when every one is, doubtful when one of several is missing, else the worst."""
    there = [verdict for _, verdict in joined if verdict[0] is not Trust.ABSENT]
    gone = [channel for channel, verdict in joined if verdict[0] is Trust.ABSENT]
    if not there:
        return Trust.ABSENT, f"trust.source_absent|{metric}"
    missing = [(Trust.DOUBTFUL, f"trust.channel_missing|{channel}") for channel in gone[:1]]
    return max([*missing, *there], key=_rank)


def _rank(judged: Verdict) -> int:
    return judged[0].rank
