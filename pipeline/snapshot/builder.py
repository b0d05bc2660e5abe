"""The snapshot: what every screen may show at this instant, made once for all of them.

1. Per channel and window: sums, then numerators and denominators (`channel_figures.py`).
2. Channels that deliver the whole formula joined; divided last; state against the target (`readings.py`).
3. Trends, flows, where the sources stand, what is wrong, the scores; then how far each reading can be trusted.

Each frame is made by a FrameBuilder; other rooms hand theirs in.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count

import pandas as pd

from analysis.questions.frames import finding_frame, last_frame
from data_quality.grounds import Grounds
from data_quality.score import scores
from data_quality.sources import judge_sources, states_now
from data_quality.trust import judge
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
        known = last_frame(self.dependencies.catalogue, self.dependencies.state.progress.sources())
        return judge_sources(known.assign(simulated=self.simulated), self.grounds, now)

    def _findings(self, now: datetime, frames: Frames) -> pd.DataFrame:
        return finding_frame(self.dependencies.state.findings.open())

    def _readings(self, now: datetime, frames: Frames) -> pd.DataFrame:
        states = states_now(frames[SOURCES.name], self.grounds)
        return judge(self._spanned(now), states, frames[FINDINGS.name], self.grounds)

    def _spanned(self, now: datetime) -> pd.DataFrame:
        """The readings with the span of those that reach into what has not settled: that of the day so far does."""
        readings = self.readings.frame(now)
        today = (readings["window"] == "today").to_numpy()
        begin = pd.Timestamp(self.dependencies.board.day_start(now), unit="s", tz="UTC").as_unit("s")
        start = pd.Series(begin, readings.index, "datetime64[s, UTC]").where(today)
        return readings.assign(start=start, end=readings["at"])

    def _scored(self, now: datetime) -> pd.DataFrame:
        seen = sum(feed.version for feed in self.dependencies.board.feeds.values())
        quiet, self._seen = seen == self._seen, seen
        age_s = 0.0 if self._scores is None else (now - self._scores[0]).total_seconds()
        if self._scores is None or age_s > SCORES_LATEST_S or (quiet and age_s > SCORES_S):
            self._scores = (now, scores(self.dependencies.state.findings.recent_checks(), self.dependencies.catalogue))
        return self._scores[1]
