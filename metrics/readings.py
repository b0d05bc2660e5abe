"""What is shown: readings with state and trust, and the snapshot that carries them to every screen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property

import pandas as pd

WINDOWS = {"15min": 900, "60min": 3600, "today": None}
"""Time windows that a screen can show; seconds, None: since the start of the reporting day."""

TEXT, NUMBER, COUNT, FLAG, TIME = "text", "float64", "int64", "bool", "datetime64[s, UTC]"
"""Types of columns; NaN and NaT are no value, and text may travel as a category."""


@dataclass(frozen=True)
class FrameSpec:
    """One frame of the snapshot: its name and the type of each column.

    Whoever makes a frame declares it, and hands its FrameBuilder to the service; the way to the screens carries
    whatever frames there are.
    """

    name: str
    types: Mapping[str, str]

    @property
    def columns(self) -> list[str]:
        """The names of the columns in their order."""
        return list(self.types)

    def typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with every column that is no text in its type, also when it has no rows."""
        return frame.astype({name: kind for name, kind in self.types.items() if kind != TEXT})

    def empty(self) -> pd.DataFrame:
        """The frame without rows."""
        return self.typed(pd.DataFrame(columns=self.columns))


READINGS = FrameSpec(
    "readings",
    {
        **dict.fromkeys(("metric", "window", "region", "channel"), TEXT),
        **dict.fromkeys(("value", "numerator", "denominator", "n", "previous"), NUMBER),
        "at": TIME,
        **dict.fromkeys(("state", "trust", "reason"), TEXT),
    },
)
"""Channel '' is all; `previous` is the value of the period before of the same length; `at` the end of the data;
`reason` a words key with arguments after `|`, such as `trust.source_stale|weibo|2026-11-21T10:00:00+00:00`."""

TREND = FrameSpec("trend", {**dict.fromkeys(("metric", "region", "channel"), TEXT), "start": TIME, "value": NUMBER})
"""24 five-minute buckets; nation and provinces for all channels together, the nation for each channel."""

FLOW = FrameSpec(
    "flow",
    {
        **dict.fromkeys(("window", "region", "channel", "entry", "service_type", "handling", "outcome"), TEXT),
        "contacts": NUMBER,
    },
)
"""Contacts by path, for the nation and every province; '' is a stage that the source did not tell."""

SOURCES = FrameSpec(
    "sources",
    {
        **dict.fromkeys(("channel", "source", "kind", "state"), TEXT),
        **dict.fromkeys(("last_success", "covered_until"), TIME),
        "lag_s": NUMBER,
        "error": TEXT,
        "since": TIME,
        "simulated": FLAG,
    },
)
"""state: sound / stale / doubtful / absent; error: words key with arguments, '' when there is none."""

FINDINGS = FrameSpec(
    "findings",
    {
        **dict.fromkeys(("rule", "severity", "state", "channel", "source", "region", "measure"), TEXT),
        **dict.fromkeys(("since", "last_seen"), TIME),
        **dict.fromkeys(("bad", "expected"), COUNT),
        "facts": TEXT,
    },
)
"""Open findings, worst first; facts as JSON text."""

SCORES = FrameSpec(
    "scores", {**dict.fromkeys(("kind", "key", "dimension"), TEXT), **dict.fromkeys(("score", "coverage"), NUMBER)}
)
"""kind: nation / province / source; dimension: completeness / accuracy / timeliness / authenticity / total."""


Frames = Mapping[str, pd.DataFrame]
"""Frames of a snapshot by name."""


@dataclass(frozen=True)
class FrameBuilder:
    """What makes a frame anew for every snapshot, from the time now and the frames that stand before it in the list."""

    spec: FrameSpec
    build: Callable[[datetime, Frames], pd.DataFrame]
    """May give more columns than the spec has; they are left out."""


class State(StrEnum):
    """A reading against its target."""

    GOOD = "good"
    WARNING = "warning"
    CRITICAL = "critical"
    NO_TARGET = "no_target"
    TOO_FEW = "too_few"
    NO_VALUE = "no_value"


class Trust(StrEnum):
    """How far a reading can be relied on, from the most to the least reliable."""

    SOUND = "sound"
    PROVISIONAL = "provisional"
    STALE = "stale"
    DOUBTFUL = "doubtful"
    ABSENT = "absent"

    @cached_property
    def rank(self) -> int:
        """0 is sound; of what rests on several the highest rank counts."""
        return list(Trust).index(self)


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
    """Everything that the windows show at one instant: frames by name, each with the columns of its spec."""

    generation: int
    at: datetime
    simulated: bool
    frames: Frames

    def with_frame(self, spec: FrameSpec, frame: pd.DataFrame) -> "Snapshot":
        """The same snapshot with one frame more, or another in its stead."""
        return replace(self, frames={**self.frames, spec.name: frame})

    @property
    def readings(self) -> pd.DataFrame:
        """As READINGS says."""
        return self.frames[READINGS.name]

    @property
    def trend(self) -> pd.DataFrame:
        """As TREND says."""
        return self.frames[TREND.name]

    @property
    def flow(self) -> pd.DataFrame:
        """As FLOW says."""
        return self.frames[FLOW.name]

    @property
    def sources(self) -> pd.DataFrame:
        """As SOURCES says."""
        return self.frames[SOURCES.name]

    @property
    def findings(self) -> pd.DataFrame:
        """As FINDINGS says."""
        return self.frames[FINDINGS.name]

    @property
    def scores(self) -> pd.DataFrame:
        """As SCORES says."""
        return self.frames[SCORES.name]
