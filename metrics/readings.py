"""What is shown: readings with state and trust, and the snapshot that carries them to every screen."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pandas as pd

WINDOWS = {"15min": 900, "60min": 3600, "today": None}
"""Time windows that a screen can show; seconds, None: since the start of the reporting day."""

READING_COLUMNS = (
    "metric", "window", "region", "channel", "value", "numerator", "denominator", "n",
    "previous", "at", "state", "trust", "reason",
)  # fmt: skip
"""str (channel '' is all), float64 (NaN is no value), at: datetime64[s, UTC] end of the data, str.

`previous` is the value of the period before of the same length; `reason` is a words key with
arguments after `|`, such as `trust.source_stale|weibo|2026-11-21T10:00:00+00:00`."""

TREND_COLUMNS = ("metric", "region", "channel", "start", "value")
"""24 five-minute buckets; nation and provinces for all channels together, the nation for each channel."""

FLOW_COLUMNS = ("window", "region", "channel", "entry", "service_type", "handling", "outcome", "contacts")
"""Contacts by path, for the nation and every province; '' is a stage that the source did not tell."""

SOURCE_COLUMNS = (
    "channel", "source", "kind", "state", "last_success", "covered_until", "lag_s", "error", "since", "simulated",
)  # fmt: skip
"""state: sound / stale / doubtful / absent; error: words key with arguments, '' when there is none."""

FINDING_COLUMNS = (
    "rule", "severity", "state", "channel", "source", "region", "measure", "since", "last_seen",
    "bad", "expected", "facts",
)  # fmt: skip
"""Open findings, worst first; facts as JSON text."""

SCORE_COLUMNS = ("kind", "key", "dimension", "score", "coverage")
"""kind: nation / province / source; dimension: completeness / accuracy / timeliness / authenticity / total."""


COLUMN_TYPES = {
    **dict.fromkeys(("start", "at", "last_success", "covered_until", "since", "last_seen"), "datetime64[s, UTC]"),
    **dict.fromkeys(("value", "contacts", "lag_s", "score", "coverage", "n", "previous"), "float64"),
    **dict.fromkeys(("numerator", "denominator"), "float64"),
    **dict.fromkeys(("bad", "expected"), "int64"),
}
"""Types of columns that are no text; an empty frame has them too."""


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with every column that is no text in its type, also when it has no rows."""
    return frame.astype({name: kind for name, kind in COLUMN_TYPES.items() if name in frame})


class State(StrEnum):
    """A reading against its target."""

    GOOD = "good"
    WARNING = "warning"
    CRITICAL = "critical"
    NO_TARGET = "no_target"
    TOO_FEW = "too_few"
    NO_VALUE = "no_value"


class Trust(StrEnum):
    """How far a reading can be relied on."""

    SOUND = "sound"
    PROVISIONAL = "provisional"
    DOUBTFUL = "doubtful"
    STALE = "stale"
    ABSENT = "absent"


@dataclass(frozen=True)
class Reading:
    """One figure on the glass: value None is no value and shows as a dash."""

    metric: str
    window: str
    region: str
    channel: str
    value: float | None
    numerator: float | None
    denominator: float | None
    n: float
    previous: float | None
    at: datetime | None
    state: State
    trust: Trust
    reason: str = ""


@dataclass(frozen=True)
class Snapshot:
    """Everything that the windows show at one instant; frames have the columns named above."""

    generation: int
    at: datetime
    simulated: bool
    readings: pd.DataFrame
    trend: pd.DataFrame
    flow: pd.DataFrame
    sources: pd.DataFrame
    findings: pd.DataFrame
    scores: pd.DataFrame
