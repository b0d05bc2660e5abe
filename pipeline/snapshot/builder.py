"""The snapshot: what every screen may show at this instant, made once for all of them.

1. Per channel and window: sums, then numerators and denominators (`channel_figures.py`).
2. Channels that deliver the whole formula joined; divided last; state against the target (`readings.py`).
3. Trends, flows, where the sources stand, what is wrong, the scores; then how far each reading can be trusted.

Each frame is made by a FrameBuilder; other rooms hand theirs in.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count

import pandas as pd

from data_quality.score import scores
from data_quality.trust import Grounds, judge_readings, judge_sources
from metrics.readings import (
    FINDINGS,
    FLOW,
    READINGS,
    SCORES,
    SOURCES,
    TREND,
    FrameBuilder,
    Frames,
    Snapshot,
)
from pipeline.dependencies import Dependencies
from pipeline.snapshot.channel_figures import ChannelFigures
from pipeline.snapshot.flows import FlowTable
from pipeline.snapshot.formulas import Formulas
from pipeline.snapshot.readings import ReadingTable
from pipeline.snapshot.trends import TrendTable
from store.state.open_finding import OpenFinding

LAST_COLUMNS = ("channel", "source", "kind", "last_success", "covered_until", "error", "failing_since")
SCORES_S, SCORES_LATEST_S = 15.0, 60.0
"""Scores move with the audit of the clock, not with every batch: they are worked out anew after this many seconds when
nothing came in, so that no figure waits for them, and after so many in any case."""


class SnapshotBuilder:
    """Builds snapshots from a board; generations start at the clock so that a restart never goes back."""

    def __init__(
        self,
        dependencies: Dependencies,
        simulated: bool,
        behind_s: Callable[[], float] = lambda: 0.0,
        others: Sequence[FrameBuilder] = (),
    ) -> None:
        """`behind_s`: how long what was taken waits to be counted; the snapshot is that much older than its making.

        `others`: frames of other rooms, made after the pipeline's own.
        """
        self.dependencies, self.simulated, self.behind_s = dependencies, simulated, behind_s
        formulas = Formulas(dependencies.catalogue)
        known = ChannelFigures(dependencies.board, formulas)
        self.readings = ReadingTable(dependencies.catalogue, dependencies.board, formulas, known)
        self.trends = TrendTable(dependencies.catalogue, dependencies.board, formulas, known)
        self.flows = FlowTable(dependencies.catalogue, dependencies.board)
        self.grounds = Grounds(dependencies.catalogue)
        self.generations = count(int(dependencies.clock().timestamp() * 1000))
        self._scores: tuple[datetime, pd.DataFrame] | None = None
        self._seen = -1
        self.builders = (
            FrameBuilder(SOURCES, self._sources),
            FrameBuilder(FINDINGS, self._findings),
            FrameBuilder(READINGS, self._readings),
            FrameBuilder(TREND, lambda now, frames: self.trends.frame(now)),
            FrameBuilder(FLOW, lambda now, frames: self.flows.frame()),
            FrameBuilder(SCORES, lambda now, frames: self._scored(now)),
            *others,
        )

    def build(self) -> Snapshot:
        """The snapshot of this instant."""
        behind = timedelta(seconds=self.behind_s())
        now = self.dependencies.clock()
        frames: dict[str, pd.DataFrame] = {}
        for builder in self.builders:
            frames[builder.spec.name] = builder.build(now, frames)[builder.spec.columns]
        return Snapshot(next(self.generations), now - behind, self.simulated, frames)

    def _sources(self, now: datetime, frames: Frames) -> pd.DataFrame:
        return judge_sources(self._last(), self.grounds, now)

    def _findings(self, now: datetime, frames: Frames) -> pd.DataFrame:
        return finding_frame(self.dependencies.state.findings.open())

    def _readings(self, now: datetime, frames: Frames) -> pd.DataFrame:
        return judge_readings(self.readings.frame(now), frames[SOURCES.name], frames[FINDINGS.name], self.grounds)

    def _scored(self, now: datetime) -> pd.DataFrame:
        seen = sum(feed.version for feed in self.dependencies.board.feeds.values())
        quiet, self._seen = seen == self._seen, seen
        age_s = 0.0 if self._scores is None else (now - self._scores[0]).total_seconds()
        if self._scores is None or age_s > SCORES_LATEST_S or (quiet and age_s > SCORES_S):
            self._scores = (now, scores(self.dependencies.state.findings.recent_checks(), self.dependencies.catalogue))
        return self._scores[1]

    def _last(self) -> pd.DataFrame:
        """Where each source stands, as the judge of trust wants it."""
        known = self.dependencies.state.progress.sources()
        rows = [
            (channel.id, source.id, source.kind, status and status.last_success, status and status.covered_until,
             status.error if status else "", status and status.failing_since)
            for channel in self.dependencies.catalogue.channels.values()
            for source in channel.sources
            for status in [known.get((channel.id, source.id))]
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(LAST_COLUMNS)).assign(simulated=self.simulated)


def finding_frame(found: Sequence[OpenFinding]) -> pd.DataFrame:
    """Open findings as FINDINGS says."""
    as_json = json.JSONEncoder(ensure_ascii=False).encode
    rows = [
        (finding.rule, finding.severity, finding.state, finding.channel, finding.source, finding.region,
         finding.measure, finding.first_seen, finding.last_seen, finding.bad, finding.expected,
         as_json(dict(finding.facts)))
        for finding in found
    ]  # fmt: skip
    return FINDINGS.typed(pd.DataFrame(rows, columns=FINDINGS.columns))
