"""The snapshot: what every screen may show at this instant, made once for all of them.

1. For every feed and window: sums by (measure, place) from the board.
2. Per channel and metric: numerator and denominator; channels that deliver the whole formula are joined.
3. Divided last; then state against the target, then trust.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import count

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_quality.score import scores
from data_quality.trust import judge_readings, judge_sources
from metrics.arithmetic import Figures
from metrics.formula import Floats as Values
from metrics.observations import decode_dimensions
from metrics.readings import (
    FINDING_COLUMNS,
    FLOW_COLUMNS,
    READING_COLUMNS,
    SOURCE_COLUMNS,
    TREND_COLUMNS,
    WINDOWS,
    Snapshot,
)
from metrics.states import states_of
from pipeline.board import BUCKETS, PATH_STAGES, Board, Feed, Sums
from pipeline.figures import Formulas
from pipeline.parts import Parts
from store.state.open_finding import OpenFinding

ALL = ""
"""Channel of a reading over all channels together."""
LAST_COLUMNS = ("channel", "source", "kind", "last_success", "covered_until", "error", "failing_since")


@dataclass(frozen=True)
class Scope:
    """Figures of one channel, or of all, over one window, with those of the window before."""

    channel: str
    now: Figures
    before: Figures
    waiting: Values
    """Contacts whose end is not known yet, and those offered, by place."""
    offered: Values
    end: int
    """Seconds since 1970 up to which the data reach: the least of the channels'."""


class SnapshotBuilder:
    """Builds snapshots from a board; generations start at the clock so that a restart never goes back."""

    def __init__(self, parts: Parts, simulated: bool) -> None:
        self.parts, self.simulated = parts, simulated
        self.board: Board = parts.board
        self.formulas = Formulas(parts.catalogue)
        self.generations = count(int(parts.clock().timestamp() * 1000))
        self.codes = np.array(self.board.places.codes, dtype=object)
        self.tops = np.zeros(len(self.codes), np.bool_)
        self.tops[self.board.places.tops] = True

    def build(self) -> Snapshot:
        """The snapshot of this instant."""
        now = self.parts.clock()
        catalogue = self.parts.catalogue
        sources = judge_sources(self._last(), catalogue, now)
        open_findings = self._findings(self.parts.state.findings.open())
        with self.board.lock:
            frames = [frame for window in WINDOWS for frame in self._readings(window, now)]
            trend, flow = self._trend(now), self._flow()
        readings = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(READING_COLUMNS))
        readings = judge_readings(readings, sources, open_findings, catalogue)
        return Snapshot(
            next(self.generations),
            now,
            self.simulated,
            readings[list(READING_COLUMNS)],
            trend,
            flow,
            sources[list(SOURCE_COLUMNS)],
            open_findings,
            scores(self.parts.state.findings.recent_checks(), catalogue),
        )

    def _scopes(self, window: str, now: datetime) -> list[Scope]:
        """Every channel's figures over a window, then those of all channels."""
        scopes = [scope for channel in self.parts.catalogue.channels if (scope := self._scope(channel, window, now))]
        return [*scopes, reduce(self._join, scopes)] if scopes else []

    def _scope(self, channel: str, window: str, now: datetime) -> Scope | None:
        """One channel's figures; None before any of its sources was read."""
        feeds = [feed for feed in self.board.feeds.values() if feed.channel == channel]
        recent = {feed.source: sums for feed in feeds if (sums := self.board.window(feed, window, now))}
        earlier = {feed.source: sums for feed in feeds if (sums := self.board.window(feed, window, now, back=1))}
        if not recent:
            return None
        figures, values = self._figures(feeds, recent)
        waiting, offered = (values[self.board.measure_index[name]] for name in ("waiting", "offered"))
        end = min(sums.end for sums in recent.values())
        return Scope(channel, figures, self._figures(feeds, earlier)[0], waiting, offered, end)

    def _join(self, one: Scope, other: Scope) -> Scope:
        return Scope(
            ALL,
            self.formulas.join(one.now, other.now),
            self.formulas.join(one.before, other.before),
            one.waiting + other.waiting,
            one.offered + other.offered,
            min(one.end, other.end),
        )

    def _figures(self, feeds: list[Feed], sums: Mapping[str, Sums]) -> tuple[Figures, Values]:
        """Figures of one channel from the sums of its feeds, and the sums by (measure, place)."""
        shape = (len(self.board.measures), len(self.codes))
        values, seen, delivered = np.zeros(shape), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        for feed in feeds:
            if feed.source in sums:
                own = [self.board.measure_index[name] for name in feed.measures.keys]
                values[own], seen[own] = sums[feed.source].values, sums[feed.source].seen
                delivered[own] = feed.delivered
        return self.formulas.evaluate(values, seen, delivered), values

    def _readings(self, window: str, now: datetime) -> list[pd.DataFrame]:
        """Readings of a window: each channel at the nation and the provinces, all channels at every place."""
        return [self._reading_frame(scope, window) for scope in self._scopes(window, now)]

    def _reading_frame(self, scope: Scope, window: str) -> pd.DataFrame:
        """The readings of one scope as columns."""
        figures = scope.now
        metric, place = np.nonzero(~np.isnan(figures.numerator) & (self.tops if scope.channel else np.True_))
        with np.errstate(divide="ignore", invalid="ignore"):
            open_share = np.where(scope.offered > 0, scope.waiting / scope.offered, 0.0)
        return pd.DataFrame(
            {
                "metric": pd.Categorical.from_codes(metric, list(self.formulas.metrics)),
                "window": pd.Categorical.from_codes(np.full(len(metric), list(WINDOWS).index(window)), list(WINDOWS)),
                "region": pd.Categorical.from_codes(place, list(self.codes)),
                "channel": self._channel_column(scope.channel, len(metric)),
                "value": figures.value[metric, place],
                "numerator": figures.numerator[metric, place],
                "denominator": figures.denominator[metric, place],
                "n": figures.n[metric, place],
                "previous": scope.before.value[metric, place],
                "state": self._states(figures)[metric, place],
                "at": pd.Series(np.full(len(metric), scope.end, "datetime64[s]")).dt.tz_localize("UTC"),
                "open_share": open_share[place],
            }
        )

    def _states(self, figures: Figures) -> npt.NDArray[np.object_]:
        """Each figure against its target, by (metric, place)."""
        metrics = self.parts.catalogue.metrics.values()
        return np.stack([states_of(one, figures.value[at], figures.n[at]) for at, one in enumerate(metrics)])

    def _channel_column(self, channel: str, rows: int) -> pd.Categorical:
        names = [ALL, *self.parts.catalogue.channels]
        return pd.Categorical.from_codes(np.full(rows, names.index(channel)), names)

    def _trend(self, now: datetime) -> pd.DataFrame:
        """Five-minute buckets: all channels at the nation and the provinces, each channel at the nation."""
        by_channel: dict[str, list[Figures]] = {}
        starts = np.zeros(0, np.int64)
        for channel in self.parts.catalogue.channels:
            feeds = [feed for feed in self.board.feeds.values() if feed.channel == channel and feed.covered_until]
            if feeds:
                starts, by_channel[channel] = self._bucket_figures(feeds, now)
        if not by_channel:
            return pd.DataFrame(columns=list(TREND_COLUMNS))
        frames = [self._trend_frame(name, starts, figures, np.array([0])) for name, figures in by_channel.items()]
        together = [reduce(self.formulas.join, one) for one in zip(*by_channel.values(), strict=True)]
        frames.append(self._trend_frame(ALL, starts, together, np.arange(len(self.board.places.tops))))
        return pd.concat(frames, ignore_index=True)

    def _bucket_figures(self, feeds: list[Feed], now: datetime) -> tuple[npt.NDArray[np.int64], list[Figures]]:
        """Figures of one channel at the top places, a bucket each."""
        tops = self.board.places.tops
        shape = (len(self.board.measures), len(tops))
        delivered = np.zeros(shape, np.bool_)
        buckets = [(np.zeros(shape), np.zeros(shape, np.bool_)) for _ in range(BUCKETS)]
        starts = np.zeros(0, np.int64)
        for feed in feeds:
            own = [self.board.measure_index[name] for name in feed.measures.keys]
            starts, values, seen = self.board.buckets(feed, now)
            covered = starts < (feed.end() or 0)
            delivered[own] = feed.delivered[:, tops]
            for at, (sums, read) in enumerate(buckets):
                sums[own], read[own] = values[at], seen[at] | ~covered[at]
        return starts, [self.formulas.evaluate(sums, read, delivered) for sums, read in buckets]

    def _trend_frame(
        self, channel: str, starts: npt.NDArray[np.int64], buckets: list[Figures], places: npt.NDArray[np.int64]
    ) -> pd.DataFrame:
        """One channel's buckets as columns; buckets without a value are left out."""
        values = np.stack([figures.value[:, places] for figures in buckets])
        bucket, metric, place = np.nonzero(~np.isnan(values))
        return pd.DataFrame(
            {
                "metric": pd.Categorical.from_codes(metric, list(self.formulas.metrics)),
                "region": pd.Categorical.from_codes(self.board.places.tops[places[place]], list(self.codes)),
                "channel": self._channel_column(channel, len(metric)),
                "start": pd.Series(starts[bucket].astype("datetime64[s]")).dt.tz_localize("UTC"),
                "value": values[bucket, metric, place],
            }
        )

    def _flow(self) -> pd.DataFrame:
        """Contacts by path over each window, for the nation and the provinces."""
        frames = [
            self._flow_frame(window, feed, paths)
            for window in WINDOWS
            for feed in self.board.feeds.values()
            if feed.paths.keys and (paths := self.board.path_window(feed, window)) is not None
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(FLOW_COLUMNS))

    def _flow_frame(self, window: str, feed: Feed, paths: Values) -> pd.DataFrame:
        """One feed's paths as columns."""
        path, place = np.nonzero(paths)
        stages = [decode_dimensions(key) for key in feed.paths.keys]
        columns = {stage: pd.Categorical([stages[at].get(stage, "") for at in path]) for stage in PATH_STAGES}
        return pd.DataFrame(
            {
                "window": window,
                "region": self.codes[self.board.places.tops[place]],
                "channel": feed.channel,
                **columns,
                "contacts": paths[path, place],
            }
        )

    def _last(self) -> pd.DataFrame:
        """Where each source stands, as the judge of trust wants it."""
        known = self.parts.state.progress.sources()
        rows = [
            (channel.id, source.id, source.kind, status and status.last_success, status and status.covered_until,
             status.error if status else "", status and status.failing_since)
            for channel in self.parts.catalogue.channels.values()
            for source in channel.sources
            for status in [known.get((channel.id, source.id))]
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(LAST_COLUMNS)).assign(simulated=self.simulated)

    def _findings(self, found: Sequence[OpenFinding]) -> pd.DataFrame:
        """Open findings, worst first."""
        rows = [
            (one.rule, one.severity, one.state, one.channel, one.source, one.region, one.measure, one.first_seen,
             one.last_seen, one.bad, one.expected, json.dumps(one.facts, ensure_ascii=False))
            for one in found
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(FINDING_COLUMNS))
