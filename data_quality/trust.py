"""How far a source, and a reading that rests on it, can be relied on.

A source that is late turns stale, then doubtful, then nothing about it is hidden: the reason goes with every figure.
A reading is as good as the worst of what it rests on: absent > doubtful > stale > provisional > sound.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue, Metric
from data_quality.doubts import doubts
from data_quality.schedule import deadline_of
from metrics.readings import SOURCE_COLUMNS, Trust

ORDER = (Trust.SOUND, Trust.PROVISIONAL, Trust.STALE, Trust.DOUBTFUL, Trust.ABSENT)
RANK = {trust: rank for rank, trust in enumerate(ORDER)}
EVERY = ""
"""Channel of a reading over all channels."""
Codes = npt.NDArray[np.int64]


def judge_sources(last: pd.DataFrame, catalogue: Catalogue, now: datetime) -> pd.DataFrame:
    """The state of each source, SOURCE_COLUMNS.

    `last`: channel, source, kind, last_success, covered_until, error, failing_since, and `simulated` if known; missing
    times are None or NaT. Lateness counts in intervals (or polls, if longer) after the deadline.
    """
    rows = [_judge_source(row, catalogue, now) for row in last.to_dict("records")]
    frame = pd.DataFrame(rows, columns=list(SOURCE_COLUMNS))
    for name in ("last_success", "covered_until", "since"):
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("s")
    return frame


def _judge_source(row: dict[Any, Any], catalogue: Catalogue, now: datetime) -> dict[str, Any]:
    known = {name: None if pd.isna(row[name]) else row[name] for name in ("last_success", "covered_until")}
    failing = None if pd.isna(row["failing_since"]) else row["failing_since"]
    covered = known["covered_until"] or known["last_success"]
    lag_s = np.nan if covered is None else (now - covered).total_seconds()
    state = Trust.ABSENT if covered is None else _by_age(row["channel"], row["source"], lag_s, catalogue)
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


def _by_age(channel_id: str, source_id: str, lag_s: float, catalogue: Catalogue) -> Trust:
    """Sound, stale or doubtful by how many intervals a source is late."""
    channel, limits = catalogue.channels[channel_id], catalogue.rules.trust
    source = next(one for one in channel.sources if one.id == source_id)
    step = max(channel.interval_s, source.poll_s)
    late = (lag_s - deadline_of(source, catalogue)) / step
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
    readings: pd.DataFrame, sources: pd.DataFrame, open_findings: pd.DataFrame, catalogue: Catalogue
) -> pd.DataFrame:
    """The readings with `trust` and `reason` (both category), in the order given.

    `readings` needs metric, region, channel ('' is all), value, numerator and, where it is known, open_share;
    `open_findings` FINDING_COLUMNS.
    """
    standing = Standing(catalogue, sources)
    metric = _codes(readings["metric"], standing.metrics)
    channel = _codes(readings["channel"], standing.channels)
    region = _codes(readings["region"], tuple(catalogue.regions))
    level, why, reasons = standing.ranks[metric, channel], standing.reasons[metric, channel], standing.told
    doubted = doubts(open_findings, catalogue, standing.metrics, standing.channels)
    doubt = doubted.table[metric, channel, region]
    _raise(level, why, doubt > 0, Trust.DOUBTFUL, doubt + len(reasons) - 1)
    reasons = [*reasons, *doubted.reasons, "trust.cohort_open"]
    if "open_share" in readings:
        still_open = readings["open_share"].to_numpy(np.float64) > catalogue.rules.trust["provisional_share"]
        _raise(level, why, still_open, Trust.PROVISIONAL, len(reasons) - 1)
    unread = np.isnan(readings["numerator"].to_numpy(np.float64))
    nothing = [f"trust.source_absent|{name}" for name in standing.metrics]
    _raise(level, why, unread, Trust.ABSENT, len(reasons) + metric)
    reasons = [*reasons, *nothing]
    return readings.assign(
        trust=pd.Categorical.from_codes(level, [trust.value for trust in ORDER]), reason=_category(why, reasons)
    )


def _raise(level: Codes, why: Codes, where: npt.NDArray[np.bool_], trust: Trust, reason: Codes | int) -> None:
    """Lower the trust where it is better than this, with the reason."""
    worse = where & (level < RANK[trust])
    level[worse] = RANK[trust]
    why[worse] = reason[worse] if isinstance(reason, np.ndarray) else reason


def _codes(column: pd.Series, names: tuple[str, ...]) -> Codes:
    """A column of known names as their places."""
    coded, index = column.astype("category").cat, {name: at for at, name in enumerate(names)}
    table = np.array([index[name] for name in coded.categories], np.int64)
    return table[coded.codes.to_numpy()] if len(table) else np.zeros(0, np.int64)


def _category(codes: Codes, names: list[str]) -> pd.Categorical:
    """Codes into names that may repeat, as a category."""
    distinct = list(dict.fromkeys(names))
    table = np.array([distinct.index(name) for name in names], np.int64)
    return pd.Categorical.from_codes(table[codes], distinct)


@dataclass(frozen=True)
class Standing:
    """What the sources' states say of every (metric, channel); the last channel is all of them."""

    catalogue: Catalogue
    sources: pd.DataFrame

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Metric ids in the order of the tables."""
        return tuple(self.catalogue.metrics)

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """Channel ids in the order of the tables."""
        return (*self.catalogue.channels, EVERY)

    @cached_property
    def _verdicts(self) -> list[list[tuple[Trust, str]]]:
        return [list(self._of_metric(metric)) for metric in self.catalogue.metrics.values()]

    @cached_property
    def told(self) -> list[str]:
        """The reasons, '' first."""
        return list(dict.fromkeys(["", *(reason for row in self._verdicts for _, reason in row)]))

    @cached_property
    def ranks(self) -> Codes:
        """(metric, channel): rank of the trust."""
        return np.array([[RANK[trust] for trust, _ in row] for row in self._verdicts], np.int64)

    @cached_property
    def reasons(self) -> Codes:
        """(metric, channel): place of the reason in `told`."""
        return np.array([[self.told.index(reason) for _, reason in row] for row in self._verdicts], np.int64)

    @cached_property
    def _states(self) -> dict[tuple[str, str], tuple[Trust, str]]:
        """Trust and reason of each source."""
        reasons = {Trust.STALE: "source_stale", Trust.DOUBTFUL: "source_lost", Trust.ABSENT: "source_absent"}
        found = {}
        for row in self.sources.to_dict("records"):
            trust = Trust(row["state"])
            when = "" if trust is Trust.ABSENT or pd.isna(row["since"]) else f"|{row['since'].isoformat()}"
            reason = f"trust.{reasons[trust]}|{row['channel']}{when}" if trust in reasons else ""
            found[row["channel"], row["source"]] = (trust, reason)
        return found

    def _of_metric(self, metric: Metric) -> Iterator[tuple[Trust, str]]:
        """Trust and reason of a metric by channel, then over all channels."""
        needed = set(metric.formula.measures)
        joined: list[tuple[str, Trust, str]] = []
        for channel in self.catalogue.channels.values():
            own = [source for source in channel.sources if needed & {one.measure for one in source.delivers}]
            states = [self._states.get((channel.id, source.id), _never(channel.id)) for source in own]
            trust, reason = max(states, key=_rank, default=_never(channel.id))
            delivered = {one.measure for source in own for one in source.delivers}
            if needed <= delivered:
                joined.append((channel.id, trust, reason))
            yield trust, reason
        yield self._together(metric.id, joined)

    def _together(self, metric: str, joined: list[tuple[str, Trust, str]]) -> tuple[Trust, str]:
        """All channels: absent when every one is, doubtful when one of several is missing, else the worst."""
        there = [(trust, reason) for _, trust, reason in joined if trust is not Trust.ABSENT]
        gone = [channel for channel, trust, _ in joined if trust is Trust.ABSENT]
        if not there:
            return Trust.ABSENT, f"trust.source_absent|{metric}"
        missing = [(Trust.DOUBTFUL, f"trust.channel_missing|{channel}") for channel in gone[:1]]
        return max([*missing, *there], key=_rank)


def _rank(judged: tuple[Trust, str]) -> int:
    return RANK[judged[0]]


def _never(channel: str) -> tuple[Trust, str]:
    return Trust.ABSENT, f"trust.source_absent|{channel}"
