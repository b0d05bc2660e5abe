"""What a list of records came to: counts or contacts, rejects, exclusions, and the tables made of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from collectors.lines import reject
from collectors.record_fields import Unfit
from metrics.observations import CONTRIBUTION_COLUMNS, OBSERVATION_COLUMNS, Reject

Place = tuple[str, str, datetime]
"""(region, dimension key, interval start)."""
Key = tuple[str, str, str, datetime]
"""(measure, region, dimension key, interval start)."""


@dataclass
class Harvest:
    """The tally of one payload's records; every record ends counted, excluded or rejected."""

    counts: dict[Key, float] = field(default_factory=dict)
    contacts: dict[str, tuple[Place, dict[str, float]]] = field(default_factory=dict)
    """Contact -> its place, and its part in each measure; the last record of a contact stands."""
    rejects: list[Reject] = field(default_factory=list)
    spoiled: set[tuple[str, datetime | None]] = field(default_factory=set)
    """(region, start) that a rejected value spoke of, None for a start that could not be read: never a zero."""
    excluded: dict[str, int] = field(default_factory=dict)
    read: int = 0

    def leave_out(self, reason: str) -> None:
        """Count a record that is left out on purpose."""
        self.excluded[reason] = self.excluded.get(reason, 0) + 1

    def refuse(self, unfit: Unfit) -> None:
        """Keep what does not fit of the record at hand aside for the steward."""
        self.rejects.append(reject(unfit.rule, self.read, unfit.column, unfit.code, unfit.value))

    def observations(self) -> pd.DataFrame:
        """The counts as a table of observations, in the order of their keys."""
        return _table(((*key, value) for key, value in sorted(self.counts.items())), OBSERVATION_COLUMNS)

    def contributions(self) -> pd.DataFrame:
        """The contacts as a table of contributions, in the order of their keys."""
        rows = (
            (contact, measure, *place, value)
            for contact, (place, parts) in sorted(self.contacts.items())
            for measure, value in sorted(parts.items())
        )
        return _table(rows, CONTRIBUTION_COLUMNS)


def _table(rows: Iterable[tuple[Any, ...]], columns: tuple[str, ...]) -> pd.DataFrame:
    """Give the columns their promised types, also when there is no row."""
    table = pd.DataFrame(list(rows), columns=list(columns))
    types = {"start": "datetime64[s, UTC]", "value": "float64"}
    return table.astype({name: types.get(name, "category") for name in columns})
