"""The tables that travel: observations, contributions, and the batch that carries them.

An **observation** is one measure of one channel in one region over one interval. Rows of one
(measure, channel, region, start) that differ in `dimension` are parts of a whole: they add up to
the total (for levels and peaks see `Kind`). A region coarser than the delivery's grain is a
reported total: kept to compare, never added.

A **contribution** is one contact's part in one measure; the store adds them up, so that the same
contact twice, or corrected later, counts once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

import pandas as pd

OBSERVATION_COLUMNS = ("measure", "region", "dimension", "start", "value")
"""str, str, str, datetime64[s, UTC], float64. Channel, revision and received_at belong to the batch."""

CONTRIBUTION_COLUMNS = ("contact", "measure", "region", "dimension", "start", "value")
"""As observations, with `contact`: the source's own key of a contact, pseudonymised where it names a person."""

SAFE = "/:.@+ _-"


def encode_dimensions(values: Mapping[str, str]) -> str:
    """Write dimension values as one canonical key: sorted `name=value` joined by `;`; nothing is ''."""
    return ";".join(f"{name}={quote(values[name], safe=SAFE)}" for name in sorted(values))


def decode_dimensions(key: str) -> dict[str, str]:
    """Read a key of `encode_dimensions` back."""
    if not key:
        return {}
    pairs = (part.split("=", 1) for part in key.split(";"))
    return {name: unquote(value) for name, value in pairs}


@dataclass(frozen=True)
class Interval:
    """Half-open [start, end), both aware."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name, moment in (("start", self.start), ("end", self.end)):
            if moment.tzinfo is None:
                raise NaiveTime(f"interval {name} {moment.isoformat()} has no time zone")
        if self.end < self.start:
            raise ValueError(f"interval ends {self.end} before it starts {self.start}")


class NaiveTime(ValueError):
    """A time without a zone was met; the message names its source."""


@dataclass(eq=False)
class SourceFault(Exception):
    """A source could not be read; permanent means that trying again will not help.

    Not frozen: the interpreter writes the traceback into an exception that is raised.
    """

    code: str
    """Words key under `fault.`, such as `timeout`, `refused`, `unauthorised`, `not_found`, `unreadable`."""
    detail: str
    permanent: bool = False

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


FURTHER_REJECTS = "further_rejects"
"""Code of the reject that stands for all beyond the most that are kept; its value is their number."""


@dataclass(frozen=True)
class Reject:
    """One piece of input that could not be counted, kept aside for the steward."""

    rule: str
    line: int | None
    """1-based line, record or row number in the payload's file, where there is one."""
    column: str | None
    code: str
    """Words key under `reject.`: what is wrong."""
    value: str
    """The offending text, at most 200 characters, with control characters escaped."""
    mend: str = ""
    """Words key under `mend.`: how to put it right."""

    @property
    def pieces(self) -> int:
        """How many pieces of input it stands for."""
        return int(self.value) if self.code == FURTHER_REJECTS else 1


@dataclass(frozen=True)
class Payload:
    """What `fetch` brought: bytes and where they came from; enough for `parse` to work without the world."""

    data: bytes
    fetched_at: datetime
    window: Interval
    """What the data covers: a good answer covers every expected key in it."""
    origin: str
    """A name for people: path, URL without secrets, table."""
    cursor: Mapping[str, Any]
    """State that parsing needs and that was valid before this payload (JSON types)."""
    more: bool = False
    """True when the source has more right now (a long file, further pages)."""


@dataclass(frozen=True)
class Parsed:
    """What `parse` made of a payload: observations or contributions, typed rows, rejects, next cursor."""

    cursor: Mapping[str, Any]
    observations: pd.DataFrame | None = None
    contributions: pd.DataFrame | None = None
    rows: pd.DataFrame | None = None
    """Typed source rows with a `line` column, for the row expectations; None where a source has none."""
    rejects: tuple[Reject, ...] = ()
    read: int = 0
    """Records looked at, rejected ones included."""
    excluded: Mapping[str, int] = field(default_factory=dict)
    """Records left out on purpose, counted by reason (a words key under `excluded.`)."""
    window: Interval | None = None
    """What the tables cover, where only the records tell; None: the payload's window."""
    revision: int | None = None
    """The source's own number of this version of its figures; None: the time of reading stands for it."""

    @property
    def refused(self) -> int:
        """How many pieces of input could not be counted."""
        return sum(reject.pieces for reject in self.rejects)


@dataclass(frozen=True)
class Batch:
    """One turn's harvest from one source: a payload parsed, or an error; a failure is data."""

    id: str
    """Deterministic: channel, source, digest; the same payload twice is the same batch."""
    channel: str
    source: str
    window: Interval
    fetched_at: datetime
    digest: str
    """SHA-256 of the payload, hexadecimal."""
    payload: Payload | None
    parsed: Parsed | None
    error: SourceFault | None = None
    revision: int = 0
    """Newer wins: milliseconds since 1970 of `fetched_at` unless the source numbers its revisions."""
