"""What a list of records came to: counts or contacts, rejects, exclusions, and the tables made of them."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from collectors.shared.lines import reject
from collectors.shared.record_fields import Unfit
from metrics.observations import CONTRIBUTION_COLUMNS, OBSERVATION_COLUMNS, Reject

Place = tuple[str, str, datetime]
"""(region, dimension key, interval start)."""
Key = tuple[str, str, str, datetime]
"""(measure, region, dimension key, interval start)."""


@dataclass
class RecordCounts:
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
        kept = sorted(self.counts)
        each = np.arange(len(kept))
        values = [self.counts[key] for key in kept]
        return _table(OBSERVATION_COLUMNS, [key[0] for key in kept], [key[1:] for key in kept], each, values)

    def contributions(self) -> pd.DataFrame:
        """The contacts as a table of contributions, in the order of their keys."""
        kept = sorted(self.contacts)
        places = [self.contacts[contact][0] for contact in kept]
        parts = [sorted(self.contacts[contact][1].items()) for contact in kept]
        each = np.repeat(np.arange(len(kept)), [len(part) for part in parts])
        measures = [measure for part in parts for measure, _ in part]
        values = [value for part in parts for _, value in part]
        table = _table(OBSERVATION_COLUMNS, measures, places, each, values)
        table.insert(0, "contact", pd.Categorical(kept).take(each))
        return table[list(CONTRIBUTION_COLUMNS)]


def _table(
    columns: tuple[str, ...], measures: list[str], places: list[Place], each: npt.NDArray[np.int_], values: list[float]
) -> pd.DataFrame:
    """Measures and values a row, and of each row the number of its place."""
    regions, dimensions, starts = zip(*places, strict=True) if places else ((), (), ())
    table = {
        "measure": pd.Categorical(measures),
        "region": pd.Categorical(regions).take(each),
        "dimension": pd.Categorical(dimensions).take(each),
        "start": pd.DatetimeIndex(starts, dtype="datetime64[s, UTC]").take(each),
        "value": np.array(values, dtype=np.float64),
    }
    return pd.DataFrame(table)[list(columns)]
