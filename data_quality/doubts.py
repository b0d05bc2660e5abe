"""Which figures a finding puts in doubt, where and when.

A hard rule of completeness or accuracy that failed casts doubt on the figures that stand on its measures, in its
places, in the periods that it is about, when more than `trust.doubtful_share` of the units are bad. Lateness is no
doubt: the source's own state says it. Of the nation, a province is the part that its cities are.

What is done once a finding is a few operations on arrays; nothing is done once a figure and finding.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import NATION
from data_quality.grounds import Grounds
from data_quality.periods import Periods
from data_quality.reach import NOWHERE, Positions

TOLD = ("rule", "state", "channel", "source", "region", "measure", "bad", "expected", "facts")
"""What of a finding says where its doubt lies."""


@dataclass(frozen=True)
class Sheet:
    """The figures that are judged: those of the grounds, at some regions, in some periods."""

    grounds: Grounds
    regions: tuple[str, ...]
    periods: Periods

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Channels (the last is all of them), figures, periods, regions."""
        return len(self.grounds.channels), len(self.grounds.subjects), len(self.periods), len(self.regions)

    def at(self) -> Positions:
        """Where each region of the catalogue is in the sheet; -1 for those that are not."""
        found = np.full(len(self.grounds.reach.regions), -1, np.int64)
        found[[self.grounds.reach.regions[code] for code in self.regions]] = np.arange(len(self.regions))
        return found


@dataclass(frozen=True)
class Doubts:
    """What is in doubt, and why."""

    table: npt.NDArray[np.int32]
    """(channel, figure, period, region): place of the reason, `len(reasons)` for no doubt."""
    reasons: list[str]


class Doubt(NamedTuple):
    """What one finding puts in doubt, as positions in the sheet."""

    number: int
    channel: int
    figures: Positions
    periods: Positions
    places: Positions


def doubts(findings: pd.DataFrame, sheet: Sheet) -> Doubts:
    """Doubts of every figure of a sheet; where several findings cast one, the first is the reason.

    `findings`: FINDINGS's columns, and of the past those that `Periods.met` reads.
    """
    cast = _Cast(sheet)
    found = list(cast.doubts(findings))
    nothing = len(cast.reasons)
    table = np.full(sheet.shape, nothing, np.int32)
    for doubt in found:
        cells = table[doubt.channel]
        where = np.ix_(doubt.figures, doubt.periods, doubt.places)
        cells[where] = np.minimum(cells[where], doubt.number)
    counted = sheet.grounds.whole.T[:, :, None, None]
    np.min(table[:-1], axis=0, out=table[-1], where=counted, initial=nothing)
    return Doubts(table, cast.reasons)


class _Cast:
    """Goes through findings, and remembers what of the nation those before have put in doubt."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet, self.reach = sheet, sheet.grounds.reach
        self.limit = self.reach.catalogue.rules.trust["doubtful_share"]
        self.channels = {name: at for at, name in enumerate(sheet.grounds.channels)}
        self.at = sheet.at()
        self.reasons: list[str] = []
        self._national: dict[tuple[str, str, str], npt.NDArray[np.float64]] = {}
        self._on: dict[str, Positions] = self._figures_by_measure()

    def doubts(self, findings: pd.DataFrame) -> Iterator[Doubt]:
        """The doubts that findings cast, in their order."""
        met = self.sheet.periods.met(findings)
        columns = (findings[name].to_numpy().tolist() for name in TOLD)
        for told, periods in zip(zip(*columns, strict=True), met, strict=True):
            row = dict(zip(TOLD, told, strict=True))
            if len(periods) and self.reach.doubting(row):
                yield from self._of(row, periods)

    def _of(self, row: Mapping[str, Any], periods: Positions) -> Iterator[Doubt]:
        share, facts = row["bad"] / max(row["expected"], 1), json.loads(row["facts"] or "{}")
        figures = self._figures(self.reach.measures(row, facts))
        if not len(figures):
            return
        number, channel = len(self.reasons), self.channels[row["channel"]]
        places = self._placed(self.reach.places(row, facts)) if share > self.limit else NOWHERE
        doubted = self._nation(row, share, periods)
        if len(places) or len(doubted):
            self.reasons.append(f"trust.finding|{row['rule']}|{row['channel']}")
        if len(places):
            yield Doubt(number, channel, figures, periods, places)
        if len(doubted):
            yield Doubt(number, channel, figures, doubted, self._placed(np.array([self.reach.nation])))

    def _nation(self, row: Mapping[str, Any], share: float, periods: Positions) -> Positions:
        """The periods in which the nation has, with this finding, more bad than it may."""
        if row["region"] in ("", NATION) or self.at[self.reach.nation] < 0:
            return NOWHERE
        key = (row["rule"], row["channel"], row["source"])
        bad = self._national.setdefault(key, np.zeros(len(self.sheet.periods)))
        bad[periods] += share * self.reach.weight(row["region"])
        return periods[bad[periods] > self.limit]

    def _placed(self, places: Positions) -> Positions:
        placed = self.at[places]
        return placed[placed >= 0]

    def _figures(self, measures: Iterable[str]) -> Positions:
        own = [self._on[measure] for measure in measures if measure in self._on]
        return np.unique(np.concatenate(own)) if own else NOWHERE

    def _figures_by_measure(self) -> dict[str, Positions]:
        found: dict[str, list[int]] = {}
        for at, subject in enumerate(self.sheet.grounds.subjects.values()):
            for measure in subject.measures:
                found.setdefault(measure, []).append(at)
        return {measure: np.array(own, np.int64) for measure, own in found.items()}
