"""Which readings an open finding puts in doubt, and where.

A hard rule of completeness or accuracy that failed casts doubt on the metrics that stand on its measures, in its
places, when more than `trust.doubtful_share` of the units are bad. Lateness is no doubt: the source's own state says
it. Of the nation, a province is the part that its cities are.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

import data_quality.rules  # noqa: F401  (registers the rules)
from config.catalogue import NATION, Catalogue, Level
from data_quality.lineage import metrics_by_measure
from data_quality.registry import RULES, Dimension
from metrics.findings import CheckState

DOUBTING = (Dimension.COMPLETENESS, Dimension.ACCURACY)
TOLD = ("rule", "state", "channel", "source", "region", "measure", "bad", "expected", "facts")
"""What of a finding says where its doubt lies."""
Positions = npt.NDArray[np.int64]
NOWHERE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Doubts:
    """What is in doubt, and why."""

    table: npt.NDArray[np.int64]
    """(channel, metric, region), the last channel all of them: place of the reason, `len(reasons)` for no doubt."""
    reasons: list[str]


class Doubt(NamedTuple):
    """What one finding puts in doubt, as positions in the catalogue."""

    channel: int
    metrics: Positions
    places: Positions
    reason: str


def doubts(open_findings: pd.DataFrame, reach: "Reach") -> Doubts:
    """Doubts of every (channel, metric, region); where several findings cast one, the first is the reason."""
    cast = list(_cast(open_findings, reach))
    shape = (len(reach.channels) + 1, len(reach.catalogue.metrics), len(reach.regions))
    table = np.full(shape, len(cast), np.int64)
    for number, doubt in reversed([*enumerate(cast)]):
        table[doubt.channel][doubt.metrics[:, None], doubt.places] = number
    table[:-1].min(axis=0, out=table[-1])
    return Doubts(table, [doubt.reason for doubt in cast])


def _cast(open_findings: pd.DataFrame, reach: "Reach") -> Iterator[Doubt]:
    """The doubts that findings cast, in their order."""
    limit = reach.catalogue.rules.trust["doubtful_share"]
    national: dict[tuple[str, str, str], float] = {}
    for told in zip(*(open_findings[name].to_numpy().tolist() for name in TOLD), strict=True):
        row = dict(zip(TOLD, told, strict=True))
        if not reach.doubting(row):
            continue
        share, facts = row["bad"] / max(row["expected"], 1), json.loads(row["facts"] or "{}")
        places = [reach.places(row, facts)] if share > limit else []
        if row["region"] not in ("", NATION):
            key = (row["rule"], row["channel"], row["source"])
            national[key] = national.get(key, 0.0) + share * reach.weight(row["region"])
            if national[key] > limit:
                places.append(reach.nation)
        metrics, where = reach.metrics(row, facts), np.concatenate([NOWHERE, *places])
        if metrics.size and where.size:
            reason = f"trust.finding|{row['rule']}|{row['channel']}"
            yield Doubt(reach.channels[row["channel"]], metrics, where, reason)


class Reach:
    """What stands on the subject of a finding, as positions in the catalogue; made once for a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.channels = {channel: at for at, channel in enumerate(catalogue.channels)}
        self.regions = {code: at for at, code in enumerate(catalogue.regions)}
        self.nation, self._everywhere = self._positions([NATION]), self._positions(catalogue.regions)
        self.rules = {name for name, rule in RULES.items() if rule.hard and rule.dimension in DOUBTING}
        self._below = {code: self._positions(catalogue.below(code)) for code in catalogue.regions}
        metrics = {metric: at for at, metric in enumerate(catalogue.metrics)}
        standing = metrics_by_measure(catalogue)
        self._on = {
            (channel.id, name): {
                one.measure: frozenset(metrics[metric.id] for metric in standing.get(one.measure, ()))
                for source in channel.sources
                if name in ("", source.id)
                for one in source.delivers
            }
            for channel in catalogue.channels.values()
            for name in ("", *(source.id for source in channel.sources))
        }
        """By (channel, source), '' for all its sources: the metrics on each measure that is delivered."""
        above = (
            catalogue.ancestor(code, Level.PROVINCE)
            for code, region in catalogue.regions.items()
            if region.level is Level.CITY and region.served
        )
        self._cities = Counter(above)
        self._cities[NATION] = max(1, self._cities.total())

    def doubting(self, row: dict[str, Any]) -> bool:
        """Whether a finding is a failed hard rule of completeness or accuracy, of a channel that there is."""
        failed = row["state"] == CheckState.FAIL.value
        return bool(failed and row["rule"] in self.rules and row["channel"] in self.channels)

    def metrics(self, row: dict[str, Any], facts: dict[str, Any]) -> Positions:
        """Metrics on the measures of a finding; on all of its source's where it names none (or a row's column)."""
        on = self._on.get((row["channel"], row["source"]), {})
        named = [on[name] for name in str(facts.get("measures") or row["measure"]).split(",") if name in on]
        found = frozenset[int]().union(*(named or on.values()))
        return np.fromiter(found, np.int64, len(found))

    def places(self, row: dict[str, Any], facts: dict[str, Any]) -> Positions:
        """Regions in doubt: all without a region, the single place concerned with its province, else all below it."""
        if not row["region"]:
            return self._everywhere
        if facts.get("places") == 1 and facts.get("place") in self.regions:
            return self._positions([row["region"], facts["place"]])
        return self._below.get(row["region"], NOWHERE)

    def weight(self, region: str) -> float:
        """The part of the nation that a province is, by its cities."""
        return max(1, self._cities[region]) / self._cities[NATION]

    def _positions(self, codes: Iterable[str]) -> Positions:
        return np.array([self.regions[code] for code in codes], np.int64)
