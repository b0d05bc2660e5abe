"""What every store of facts can do, whatever engine is under it: write, correct, add up, replay.

One contract suite (`tests/store/facts/test_history_contract.py`) runs over every engine against a slow
reference that anybody can check by reading it.

Laws that every engine keeps:

1. A key is (channel, measure, region, dimension, start). The newer revision wins; an older or equal one is
   ignored and counted.
2. The same batch twice changes nothing.
3. A value that was replaced is kept with the seconds in which it was the one shown, so `as_known_at` replays
   any screen.
4. Reported totals are stored and never added.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import pandas as pd

from config.catalogue import NATION
from metrics.intervals import HOUR_S
from metrics.observations import Batch, Interval, NaiveTime

REGION_LEVELS = ("nation", "province", "city", "centre")
"""Groups that roll a region up to a level; a row that has no such ancestor is grouped under ''."""

ROW_COLUMNS = (
    "channel", "measure", "region", "dimension", "start", "value", "reported", "revision", "received_at", "batch",
)  # fmt: skip
"""Names; start and received_at: datetime64[s, UTC]; float64, bool, int64."""

ASIDE_COLUMNS = ("rule", "line", "column", "code", "value", "kept")
"""str, Int64 (NA: no line), str and str and str ('': none), bool: whether the row was counted in spite of it."""


@dataclass(frozen=True)
class BatchStamp:
    """What the store keeps of the batch that a row came with."""

    batch: str
    channel: str
    source: str
    revision: int
    """Newer wins; equal revisions are the same version."""
    received_at: datetime
    """Aware; kept in whole seconds."""

    def __post_init__(self) -> None:
        if self.received_at.tzinfo is None:
            raise NaiveTime(f"batch {self.batch} of {self.channel}/{self.source}: received_at has no time zone")

    @classmethod
    def of(cls, batch: Batch) -> "BatchStamp":
        """The stamp of a harvested batch."""
        return cls(batch.id, batch.channel, batch.source, batch.revision, batch.fetched_at)


@dataclass(frozen=True)
class Written:
    """What a write did, counted in keys."""

    inserted: int = 0
    changed: int = 0
    removed: int = 0
    """Keys whose last contact moved elsewhere (contributions only)."""
    unchanged: int = 0
    superseded_older: int = 0
    """Ignored: the store already holds this or a newer revision with another value (contacts for contributions)."""
    repeated: int = 0
    """Rows whose key came again later in the same table: the last one counts."""
    touched: Interval | None = None
    """From the first start to the last end that was inserted, changed or removed; None: nothing was."""


@dataclass(frozen=True)
class Holdings:
    """What a store holds and what it costs on disk."""

    rows: int
    """Observations, without their past."""
    bytes: int
    """Everything that is kept on disk for them: past, contact ledger, names and free space included."""
    oldest: datetime | None
    newest: datetime | None
    """Starts of the first and the last interval; None: there is nothing."""
    lacking: tuple[str, ...] = ()
    """Servers that do not have all that they should: of new rows there are fewer copies than were asked for."""


@dataclass(frozen=True)
class SumQuery:
    """Which sums are wanted, over what, split how.

    A level is summed over places at one instant and then taken over time as its measure says; a
    peak is the largest. Channels whose instants differ are each taken over time before they are added (except `max`).
    """

    measures: tuple[str, ...]
    interval: Interval
    by: int | Literal["day"] | None = None
    """Seconds that divide an hour, on the reporting zone's clock, or reporting days; None: one total."""
    group: tuple[str, ...] = ()
    """Any of channel, nation, province, city, centre, region (the row's own code), or a dimension ('' where absent)."""
    within: str = NATION
    channels: tuple[str, ...] | None = None
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Dimension -> values that count; '' matches rows without the dimension."""
    as_known_at: datetime | None = None
    reported: bool = False
    """True: the totals that sources reported instead; they never add up, so `group` must hold `region`."""

    def __post_init__(self) -> None:
        if isinstance(self.by, int) and (self.by <= 0 or HOUR_S % self.by):
            raise ValueError(f"buckets of {self.by} s do not divide an hour; there are also days")
        if self.reported and "region" not in self.group:
            raise ValueError("reported totals of different levels never add up: group them by region")
        if self.as_known_at is not None and self.as_known_at.tzinfo is None:
            raise NaiveTime(f"as_known_at {self.as_known_at.isoformat()} has no time zone")


Announce = Callable[[Interval], None]
"""Takes the span that a write touches (`Written.touched`), before it is there."""


def no_listener(touched: Interval) -> None:
    """Nobody needs to know."""


class History(Protocol):
    """Facts: observations with their past, the contact ledger, and what was kept aside."""

    def write(self, stamp: BatchStamp, observations: pd.DataFrame) -> Written:
        """Store a table of OBSERVATION_COLUMNS in one transaction; raises BadTable before anything is stored."""
        ...

    def write_all(self, tables: Sequence[tuple[BatchStamp, pd.DataFrame]]) -> tuple[Written, ...]:
        """What `write` of one after another does, cheaper; raises BadTable before anything is stored.

        One transaction, but for ClickHouse, where each table is one: then what is stored was written before what
        is not, and the same call again stores the rest.
        """
        ...

    def contribute(self, stamp: BatchStamp, contributions: pd.DataFrame, announce: Announce = no_listener) -> Written:
        """Store a table of CONTRIBUTION_COLUMNS and re-sum exactly what it touches, in one transaction.

        A contact that comes again replaces all its earlier rows unless the store holds this or a newer
        revision of it. A key that no contact is left in is removed (with its past), so that the
        observations are always those of the ledger alone. Peaks take the largest part. `announce` is told what
        changes before anybody can see it: a contact moves out of intervals that its table does not name.
        """
        ...

    def withdraw(self, stamp: BatchStamp, keys: pd.DataFrame) -> Written:
        """Take keys (OBSERVATION_COLUMNS without value) back in one transaction, whatever their revision.

        Their past stays; a key that is not there is ignored. What is derived needs it: a sum whose last part
        is gone is no value, not zero.
        """
        ...

    def totals(self, question: SumQuery) -> pd.DataFrame:
        """Answer a question: [start (UTC, only with `by`), *group, measure, value]; keys are `category`.

        Only what was observed has a row: an absent row is no value, not zero.
        """
        ...

    def observations(
        self,
        interval: Interval,
        channels: Sequence[str] | None = None,
        as_known_at: datetime | None = None,
        columns: Sequence[str] = ROW_COLUMNS,
    ) -> pd.DataFrame:
        """Every row in an interval, in no particular order, reported totals too; of each only some of ROW_COLUMNS.

        Names are `category`, among whose categories may be some that do not occur.
        """
        ...

    def keep_aside(self, stamp: BatchStamp, table: pd.DataFrame) -> int:
        """Keep ASIDE_COLUMNS for the steward, replacing what this batch kept before; gives their number."""
        ...

    def aside(self, channel: str | None = None, received: Interval | None = None, limit: int = 1000) -> pd.DataFrame:
        """What was kept aside, newest first: channel, source, batch, received_at, *ASIDE_COLUMNS."""
        ...

    def last_starts(self) -> pd.DataFrame:
        """The latest interval that each source brought: channel, source, start, received_at."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete facts of intervals before an instant and their past; gives the number of observations."""
        ...

    def tidy(self) -> None:
        """Do a piece of what writes leave for later so that they are quick; no answer changes. Asked between writes."""
        ...

    def holdings(self) -> Holdings:
        """How many observations there are, from when to when, and what they cost on disk."""
        ...

    def close(self) -> None:
        """Write everything out and let the file go."""
        ...
