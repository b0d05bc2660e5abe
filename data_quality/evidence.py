"""What the audit of one range of time may see: facts as frames, and nothing that could change them.

No field has a default: whatever the audit can see, the pipeline fills (`pipeline/flow/evidence.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import pandas as pd

from config.catalogue import Catalogue, Channel, Metric
from data_quality.lineage import metrics_by_measure
from metrics.observations import Interval, NaiveTime

OBSERVED_COLUMNS = ("channel", "measure", "region", "dimension", "start", "value", "reported", "received_at")
"""str or category for names; start, received_at: datetime64[s, UTC]; value: float64; reported: bool, a total
coarser than the delivery's grain."""

BATCH_COLUMNS = ("batch", "channel", "source", "start", "end", "fetched_at", "read", "error", "ok", "replaced")
"""One row a batch that touches the range: its window, when it came, records read, fault code or '', whether it
could be read, and whether its records came again in a newer batch. A failed batch is a row with ok False: without it
nobody knows that the source was asked."""

ROW_CHECK_COLUMNS = ("batch", "channel", "source", "rule", "measure", "state", "bad", "expected", "code", "rows")
"""What a rule showed of the rows of one batch, when it came. `measure` is the column that the source's rows were
expected to keep, or '' for records that were refused, of which `code` is the first reason; `rows`: the first few."""

TIMES = {"start", "end", "received_at", "fetched_at"}
NUMBERS = {
    "value": "float64", "reported": "bool", "read": "int64", "ok": "bool", "replaced": "bool",
    "bad": "int64", "expected": "int64",
}  # fmt: skip


def empty(columns: tuple[str, ...]) -> pd.DataFrame:
    """A frame without rows, its columns of the right types."""
    kinds = {name: "datetime64[s, UTC]" if name in TIMES else NUMBERS.get(name, "object") for name in columns}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


@dataclass(frozen=True)
class Evidence:
    """The range that is judged, and everything known about it at `now`."""

    catalogue: Catalogue
    now: datetime
    interval: Interval
    """Half-open; intervals that start in it are judged. Some minutes to a few hours: grids are dense."""
    observations: pd.DataFrame
    """Rows that start in the range, OBSERVED_COLUMNS."""
    batches: pd.DataFrame
    """Batches whose window touches the range, BATCH_COLUMNS."""
    row_checks: pd.DataFrame
    """What the rows of these batches showed, ROW_CHECK_COLUMNS."""
    asked_since: Mapping[tuple[str, str], datetime]
    """When each (channel, source) was first asked. An interval that had ended by then is history: nobody expected it
    on time. Without an entry: the first batch in the evidence."""
    channels: tuple[str, ...]
    """Channels the evidence is about; () is all. Silence of a channel left out means nothing."""

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise NaiveTime(f"the audit's now {self.now.isoformat()} has no time zone")
        for name in ("observations", "batches"):
            frame: pd.DataFrame = getattr(self, name)
            for column in TIMES & set(frame.columns):
                if not isinstance(frame[column].dtype, pd.DatetimeTZDtype):
                    raise NaiveTime(f"column {column!r} of the evidence's {name} has no time zone")

    @cached_property
    def judged_channels(self) -> tuple[Channel, ...]:
        """The channels that the evidence is about."""
        every = self.catalogue.channels
        return tuple(every[name] for name in self.channels) if self.channels else tuple(every.values())

    @cached_property
    def metrics_on(self) -> dict[str, tuple[Metric, ...]]:
        """The metrics that stand on each measure."""
        return metrics_by_measure(self.catalogue)

    def limit(self, rule: str, name: str) -> float:
        """A constant of a rule, as `rules.yaml` has it."""
        return self.catalogue.rules.rules[rule].limits[name]
