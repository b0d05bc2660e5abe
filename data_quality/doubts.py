"""Which readings an open finding puts in doubt, and where.

A hard rule of completeness or accuracy that failed casts doubt on the metrics that stand on its measures, in its
places, when more than `trust.doubtful_share` of the units are bad. Lateness is no doubt: the source's own state says
it. Of the nation, a province is the part that its cities are.
"""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import data_quality.rules  # noqa: F401  (registers the rules)
from config.catalogue import NATION, Catalogue, Level
from data_quality.dependence import metrics_by_measure
from data_quality.registry import RULES, Dimension
from metrics.findings import CheckState

DOUBTING = (Dimension.COMPLETENESS, Dimension.ACCURACY)


@dataclass(frozen=True)
class Doubts:
    """`table` (metric, channel, region): 0, or 1 + the place of the reason in `reasons`."""

    table: npt.NDArray[np.int64]
    reasons: list[str]


def doubts(
    open_findings: pd.DataFrame, catalogue: Catalogue, metrics: tuple[str, ...], channels: tuple[str, ...]
) -> Doubts:
    """Doubts of every (metric, channel, region); the last of `channels` stands for all of them."""
    regions = {code: at for at, code in enumerate(catalogue.regions)}
    table = np.zeros((len(metrics), len(channels), len(regions)), np.int64)
    reasons: list[str] = []
    reach = Reach(catalogue)
    places_of = {metric: at for at, metric in enumerate(metrics)}
    national: dict[tuple[str, str, str], float] = {}
    columns = {name: open_findings[name].tolist() for name in open_findings}
    for told in zip(*columns.values(), strict=True):
        row = dict(zip(columns, told, strict=True))
        if not _doubts(row) or row["channel"] not in channels:
            continue
        share, facts = row["bad"] / max(row["expected"], 1), json.loads(row["facts"] or "{}")
        on = [places_of[metric] for metric in reach.metrics(row, facts)]
        places = []
        if share > catalogue.rules.trust["doubtful_share"]:
            places = [regions[code] for code in reach.places(row, facts)]
        if row["region"] not in ("", NATION):
            key = (row["rule"], row["channel"], row["source"])
            national[key] = national.get(key, 0.0) + share * reach.weight(row["region"])
            if national[key] > catalogue.rules.trust["doubtful_share"]:
                places.append(regions[NATION])
        if on and places:
            reasons.append(f"trust.finding|{row['rule']}|{row['channel']}")
            both = [channels.index(row["channel"]), len(channels) - 1]
            cells = np.ix_(on, both, places)
            table[cells] = np.where(table[cells] == 0, len(reasons), table[cells])
    return Doubts(table, reasons)


def _doubts(row: dict[Any, Any]) -> bool:
    """Whether a finding is a failed hard rule of completeness or accuracy."""
    rule = RULES.get(row["rule"])
    failed = row["state"] == CheckState.FAIL.value
    return bool(failed and rule is not None and rule.hard and rule.dimension in DOUBTING)


class Reach:
    """What stands on the subject of a finding."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.on = metrics_by_measure(catalogue)
        above = (
            catalogue.ancestor(code, Level.PROVINCE)
            for code, region in catalogue.regions.items()
            if region.level is Level.CITY and region.served
        )
        self.cities = Counter(above)
        self.cities[NATION] = max(1, self.cities.total())

    def metrics(self, row: dict[Any, Any], facts: dict[str, Any]) -> list[str]:
        """Metrics on the measures of a finding; on all of its source's where it names none (or a row's column)."""
        sources = self.catalogue.channels[row["channel"]].sources
        delivered = [
            one.measure
            for source in sources
            if source.id == row["source"] or not row["source"]
            for one in source.delivers
        ]
        named = [name for name in str(facts.get("measures") or row["measure"]).split(",") if name in delivered]
        return list(dict.fromkeys(metric.id for name in named or delivered for metric in self.on.get(name, ())))

    def places(self, row: dict[Any, Any], facts: dict[str, Any]) -> list[str]:
        """Regions in doubt: all without a region, the single place concerned with its province, else all below it."""
        if not row["region"]:
            return list(self.catalogue.regions)
        if facts.get("places") == 1 and facts.get("place") in self.catalogue.regions:
            return list(dict.fromkeys([row["region"], facts["place"]]))
        return list(self.catalogue.below(row["region"])) if row["region"] in self.catalogue.regions else []

    def weight(self, region: str) -> float:
        """The part of the nation that a province is, by its cities."""
        return max(1, self.cities[region]) / self.cities[NATION]
