"""Counting people: someone who works several queues, or comes by several channels, is one person.

So the parts do not add up to the total, and the result says so instead of leaving it to be found out.
"""

from collections.abc import Hashable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class DistinctCount:
    """People in each part and in all parts together."""

    parts: dict[Hashable, int]
    total: int

    @property
    def adds_up(self) -> bool:
        """Whether the parts sum to the total, that is, whether nobody is in two of them."""
        return sum(self.parts.values()) == self.total


def count_distinct(rows: pd.DataFrame, person: str, part: str) -> DistinctCount:
    """Distinct values of the column `person`, by the column `part` and altogether; empty keys are nobody."""
    known = rows[rows[person].notna() & (rows[person] != "")]
    parts = known.groupby(part)[person].nunique()
    return DistinctCount({name: int(count) for name, count in parts.items()}, int(known[person].nunique()))
