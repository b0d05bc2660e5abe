"""What the audit of one range of time may see: facts as frames, and nothing that could change them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from config.catalogue import Catalogue, Channel, Metric
from data_quality.lineage import metrics_by_measure
from metrics.findings import Finding
from metrics.observations import Interval, NaiveTime, Reject

OBSERVED_COLUMNS = ("channel", "measure", "region", "dimension", "start", "value", "reported", "received_at")
"""str or category for names; start, received_at: datetime64[s, UTC]; value: float64; reported: bool, a total
coarser than the delivery's grain."""

BATCH_COLUMNS = ("batch", "channel", "source", "start", "end", "fetched_at", "read", "error", "ok")
"""One row a batch that touches the range: its window, when it came, records read, fault code or '', and whether it
could be read. A failed batch is a row with ok False: without it nobody knows that the source was asked."""

REJECT_COLUMNS = ("channel", "source", "batch", "rule", "line", "column", "code", "value")
"""As `metrics.observations.Reject`, with where it came from."""

TIMES = {"start", "end", "received_at", "fetched_at"}
NUMBERS = {"value": "float64", "reported": "bool", "read": "int64", "ok": "bool"}


def empty(columns: tuple[str, ...]) -> pd.DataFrame:
    """A frame without rows, its columns of the right types."""
    kinds = {name: "datetime64[s, UTC]" if name in TIMES else NUMBERS.get(name, "object") for name in columns}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def reject_frame(rejects: Iterable[Reject], channel: str, source: str, batch: str) -> pd.DataFrame:
    """The rejects of one batch as `Evidence.rejects` wants them."""
    rows = [(channel, source, batch, r.rule, r.line, r.column, r.code, r.value) for r in rejects]
    return pd.DataFrame(rows, columns=list(REJECT_COLUMNS), dtype=object)


@dataclass(frozen=True)
class Evidence:
    """The range that is judged, and everything known about it at `now`."""

    catalogue: Catalogue
    now: datetime
    interval: Interval
    """Half-open; intervals that start in it are judged. Some minutes to a few hours: grids are dense."""
    observations: pd.DataFrame = field(default_factory=lambda: empty(OBSERVED_COLUMNS))
    """Rows that start in the range, OBSERVED_COLUMNS."""
    batches: pd.DataFrame = field(default_factory=lambda: empty(BATCH_COLUMNS))
    rejects: pd.DataFrame = field(default_factory=lambda: empty(REJECT_COLUMNS))
    row_findings: tuple[Finding, ...] = ()
    """What `row_rules` said about the source rows of these batches; handed on as it is."""
    asked_since: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    """When each (channel, source) was first asked. An interval that had ended by then is history: nobody expected it
    on time. Without an entry: the first batch in the evidence."""
    channels: tuple[str, ...] = ()
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
    def refused(self) -> dict[tuple[str, str, str], list[tuple[Any, ...]]]:
        """Line, column, code and value of the rejects by channel, source and rule."""
        found: dict[tuple[str, str, str], list[tuple[Any, ...]]] = {}
        columns = ("channel", "source", "rule", "line", "column", "code", "value")
        for channel, source, rule, *told in zip(*(self.rejects[name].tolist() for name in columns), strict=True):
            found.setdefault((channel, source, rule), []).append(tuple(told))
        return found

    @cached_property
    def metrics_on(self) -> dict[str, tuple[Metric, ...]]:
        """The metrics that stand on each measure."""
        return metrics_by_measure(self.catalogue)

    def limit(self, rule: str, name: str) -> float:
        """A constant of a rule, as `rules.yaml` has it."""
        return self.catalogue.rules.rules[rule].limits[name]
