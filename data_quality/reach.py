"""Where the subject of a finding lies: the measures that it is about, and the places."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

import data_quality.rules  # noqa: F401  (registers the rules)
from config.catalogue import NATION, Catalogue, Delivery, Level
from data_quality.registry import Dimension, every_rule
from metrics.findings import CheckState

DOUBTING = (Dimension.COMPLETENESS, Dimension.ACCURACY)
Positions = npt.NDArray[np.int64]
NOWHERE = np.zeros(0, np.int64)
Facts = Mapping[str, Any]


class Reach:
    """Measures and places of a catalogue as findings name them; made once for it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.regions = {code: at for at, code in enumerate(catalogue.regions)}
        self.nation, self._everywhere = self.regions[NATION], np.arange(len(self.regions))
        self.rules = {rule.id for rule in every_rule() if rule.hard and rule.dimension in DOUBTING}
        self._below = {code: self._positions(catalogue.below(code)) for code in catalogue.regions}
        self.delivered: dict[tuple[str, str], dict[str, Delivery]] = {
            (channel.id, name): {
                delivery.measure: delivery
                for source in channel.sources
                if name in ("", source.id)
                for delivery in source.delivers
            }
            for channel in catalogue.channels.values()
            for name in ("", *(source.id for source in channel.sources))
        }
        """By (channel, source), '' for all its sources: what is delivered."""
        above = (
            catalogue.ancestor(code, Level.PROVINCE)
            for code, region in catalogue.regions.items()
            if region.level is Level.CITY and region.served
        )
        self._cities = Counter(above)
        self._cities[NATION] = max(1, self._cities.total())

    def doubting(self, row: Facts) -> bool:
        """Whether a finding is a failed hard rule of completeness or accuracy, of a channel that there is."""
        failed = row["state"] == CheckState.FAIL.value
        return bool(failed and row["rule"] in self.rules and (row["channel"], "") in self.delivered)

    def measures(self, row: Facts, facts: Facts) -> frozenset[str]:
        """The measures of a finding; all of its source's where it names none (or a row's column)."""
        delivered = self.delivered.get((row["channel"], row["source"]), {})
        named = str(facts.get("measures") or row["measure"]).split(",")
        return frozenset(delivered.keys() & set(named) or delivered)

    def places(self, row: Facts, facts: Facts) -> Positions:
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
