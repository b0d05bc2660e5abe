"""The reference load: what a nation's channels push every minute.

400 regions x 11 channels x 40 measures, one measure of one channel split by 20 values of a dimension: 183,600
observations a minute. 0.5 % never come, 2 % come one or two minutes late, 1 % come wrong and are corrected one
minute later.

    load = Load()                               # Load(scale=8): eight times the regions
    load.lay_out(folder)                        # writes the catalogue; load.environment has the push tokens
    body = load.body("channel_01", minute)      # the same bytes whenever and wherever it is asked for

What must be in the store afterwards is told by `bench/ledger.py`.
A body depends on the seed, the channel and the minute alone, so it can be sent again, in another order, or by another
process; it carries the minute as its `revision`, so that a body sent late never takes a correction back.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from config.loading import PRODUCT, REGION_COLUMNS

STEP = timedelta(minutes=1)
REGIONS = 400
CHANNELS = tuple(f"channel_{number:02d}" for number in range(1, 12))
SPLIT = tuple(f"s{number:02d}" for number in range(1, 21))
"""Values of `service_type` that the contacts of the first channel are split by."""
MISSING, LATE, CORRECTED = 0.005, (0.0, 0.013, 0.007), 0.01
"""Shares of the observations; those of LATE by minutes of delay."""

PARTS_OF = {
    "manual_requests": ("contacts", 0.8), "offered": ("manual_requests", 0.95), "answered": ("offered", 0.9),
    "answered_20s": ("answered", 0.85), "answered_15s": ("answered_20s", 0.9), "handled": ("answered", 0.98),
    "transferred": ("answered", 0.1), "resolvable": ("answered", 0.9), "resolved_first": ("resolvable", 0.85),
    "repeats_24h": ("contacts", 0.08), "served_without_agent": ("contacts", 0.15), "ivr_entries": ("contacts", 0.9),
    "ivr_exits_no_agent": ("ivr_entries", 0.3), "sessions": ("contacts", 0.5), "replied_15s": ("sessions", 0.8),
    "votes": ("answered", 0.3), "votes_4_5": ("votes", 0.9), "complaints": ("contacts", 0.03),
    "complaints_due": ("complaints", 0.9), "complaints_closed_in_limit": ("complaints_due", 0.95),
    "steering_offered": ("contacts", 0.1), "steering_accepted": ("steering_offered", 0.4),
    "steering_completed": ("steering_accepted", 0.8), "steering_no_return": ("steering_completed", 0.9),
}  # fmt: skip
"""Counts that are a share of another count."""
UNANSWERED = {"abandoned": 0.7, "flowed_out": 0.2}
"""Shares of what was offered and not answered; the rest is waiting, so that the four add up to `offered`."""
OF_ABANDONED = {"abandoned_20s": 0.4, "short_abandoned": 0.2}
SECONDS = {
    "wait_answered_s": ("answered", 12), "talk_s": ("answered", 180), "hold_s": ("answered", 10),
    "acw_s": ("answered", 30), "handle_s": ("answered", 220), "session_s": ("sessions", 400),
}  # fmt: skip
"""Seconds for each of a count."""
UP_TO = {"queue_length": 30, "agents_on_duty": 200, "backlog": 80, "longest_wait": 600}
"""Levels and the peak: anything up to this."""
MEASURES = (
    "contacts", *PARTS_OF, *UNANSWERED, "waiting", *OF_ABANDONED, *SECONDS, *UP_TO,
)  # fmt: skip

Floats = npt.NDArray[np.float64]
Delays = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Figures:
    """One channel's minute: arrays by (row, region); rows are the measures and then the split contacts."""

    truth: Floats
    first: Floats
    """What is sent first: the truth, or a wrong figure that is corrected a minute later."""
    delay: Delays
    """Minutes after its own that a figure is sent; -1: never."""


class Load:
    """Bodies of every channel and minute, and the catalogue that takes them."""

    def __init__(self, scale: int = 1, seed: int = 2026, regions: int = REGIONS) -> None:
        """`scale` times as many regions; `regions` fewer of them, for tests."""
        self.scale, self.seed, self.own_regions = scale, seed, regions
        self.channels = CHANNELS
        self._figures = lru_cache(maxsize=4 * len(CHANNELS))(self._make_figures)

    @property
    def environment(self) -> dict[str, str]:
        """The tokens that the push endpoint must find in the environment."""
        return {_variable(channel): self.token(channel) for channel in self.channels}

    def token(self, channel: str) -> str:
        """Bearer token of a channel."""
        return f"the token of {channel}"

    @staticmethod
    def key(channel: str, minute: datetime) -> str:
        """Idempotency key of a body."""
        return f"{channel} {minute.isoformat()}"

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Codes of the regions that figures are counted in."""
        return tuple(row["code"] for row in self._places if row["level"] == "city")

    def lay_out(self, folder: Path) -> Path:
        """Write the catalogue's files; gives the folder, for `config.loading.load` or WATCHFLOOR_CONFIG_DIR."""
        (folder / "channels").mkdir(parents=True)
        with (folder / "regions.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, REGION_COLUMNS)
            table.writeheader()
            table.writerows(self._places)
        for order, channel in enumerate(self.channels, start=1):
            text = yaml.safe_dump(_channel(channel, order), allow_unicode=True)
            (folder / "channels" / f"{channel}.yaml").write_text(text, encoding="utf-8")
        return folder

    def body(self, channel: str, minute: datetime) -> bytes:
        """What a channel pushes once a minute has ended: its figures, the late ones before, and corrections."""
        tables = []
        for about, values in self.said(channel, minute):
            tables.append(_table(self.regions, about, values[: len(MEASURES)]))
            tables.append(_split_table(self.regions, about, values[len(MEASURES) :]))
        tables = [table for table in tables if table["region"]]
        return json.dumps({"revision": int(minute.timestamp()), "tables": tables}, separators=(",", ":")).encode()

    def said(self, channel: str, minute: datetime) -> Iterator[tuple[datetime, Floats]]:
        """The figures of one body by the minute they are about, as arrays (row, region); NaN is not said."""
        figures = self._figures(channel, minute)
        yield minute, np.where(figures.delay == 0, figures.first, np.nan)
        yield from self._afterwards(channel, minute)

    def rows(self, channel: str) -> int:
        """Rows of a channel's arrays."""
        return len(MEASURES) + (len(SPLIT) if channel == self.channels[0] else 0)

    def _afterwards(self, channel: str, minute: datetime) -> Iterator[tuple[datetime, Floats]]:
        """What a body says of the minutes before its own."""
        for minutes in range(1, len(LATE)):
            figures = self._figures(channel, minute - minutes * STEP)
            late = figures.delay == minutes
            corrected = (minutes == 1) & (figures.delay == 0) & (figures.first != figures.truth)
            yield minute - minutes * STEP, np.where(late | corrected, figures.truth, np.nan)

    def _make_figures(self, channel: str, minute: datetime) -> Figures:
        chance = np.random.default_rng([self.seed, self.channels.index(channel), int(minute.timestamp())])
        truth = _counts(chance, len(self.regions))
        if self.rows(channel) > len(MEASURES):
            split = chance.multinomial(truth[0].astype(np.int64), np.full(len(SPLIT), 1 / len(SPLIT))).T
            truth = np.concatenate([truth, split.astype(np.float64)])
            truth[0] = np.nan
        lot = chance.random(truth.shape)
        bounds = np.cumsum([MISSING, *LATE[1:]])
        delay = np.select([lot < bound for bound in bounds], [-1, *range(1, len(LATE))], 0).astype(np.int8)
        wrong = (delay == 0) & (chance.random(truth.shape) < CORRECTED)
        return Figures(truth, truth + wrong, np.where(np.isnan(truth), np.int8(-1), delay))

    @cached_property
    def _places(self) -> list[dict[str, str]]:
        """Rows of regions.csv: nation, provinces, and the first cities that are served, `scale` times."""
        with (PRODUCT / "regions.csv").open(encoding="utf-8-sig", newline="") as file:
            known = list(csv.DictReader(file))
        above = [row for row in known if row["level"] != "city"]
        cities = [row for row in known if row["level"] == "city" and row["served"] == "true"][: self.own_regions]
        copies = [row | {"code": f"{row['code']}{copy or ''}"} for copy in range(self.scale) for row in cities]
        return [*above, *copies]


def _counts(chance: np.random.Generator, regions: int) -> Floats:
    """Figures of one minute by (measure, region), such that what must add up does."""
    found = {"contacts": chance.poisson(40, regions)}
    for name, (whole, share) in PARTS_OF.items():
        found[name] = chance.binomial(found[whole], share)
    rest = found["offered"] - found["answered"]
    for name, share in UNANSWERED.items():
        found[name] = chance.binomial(rest, share)
        rest = rest - found[name]
    found["waiting"] = rest
    for name, share in OF_ABANDONED.items():
        found[name] = chance.binomial(found["abandoned"], share)
    for name, (count, seconds) in SECONDS.items():
        found[name] = found[count] * seconds
    for name, most in UP_TO.items():
        found[name] = chance.integers(0, most, regions)
    return np.array([found[name] for name in MEASURES], np.float64)


def _table(regions: tuple[str, ...], minute: datetime, values: Floats) -> dict[str, object]:
    """A table of measures by region, without the rows and columns that say nothing."""
    said = ~np.isnan(values)
    rows, columns = np.flatnonzero(said.any(axis=0)), np.flatnonzero(said.any(axis=1))
    return {
        "region": [regions[at] for at in rows],
        "start": [minute.isoformat()] * len(rows),
        "values": {MEASURES[at]: _numbers(values[at, rows]) for at in columns},
    }


def _split_table(regions: tuple[str, ...], minute: datetime, values: Floats) -> dict[str, object]:
    """A table of contacts by region and service type."""
    split, region = np.nonzero(~np.isnan(values))
    return {
        "region": [regions[at] for at in region],
        "start": [minute.isoformat()] * len(region),
        "dimensions": {"service_type": [SPLIT[at] for at in split]},
        "values": {MEASURES[0]: _numbers(values[split, region])},
    }


def _numbers(values: Floats) -> list[int | None]:
    return [None if value != value else int(value) for value in values.tolist()]


def _variable(channel: str) -> str:
    return f"WATCHFLOOR_TOKEN_{channel.upper()}"


def _channel(channel: str, order: int) -> dict[str, object]:
    """A channel as its YAML says it: every measure by city, figures that settle at once."""
    name = {"zh": f"渠道{order}", "en": f"channel {order}"}
    delivers = [{"measure": measure} for measure in MEASURES]
    delivers[0] = {"measure": MEASURES[0], "dimensions": ["service_type"]}  # type: ignore[dict-item]  # a list beside texts
    options = {"token_env": _variable(channel), "records": 2_000_000, "body_bytes": 64 * 1024 * 1024}
    source = {"id": "counts", "kind": "push", "delivers": delivers, "options": options}
    return {"id": channel, "name": name, "short": name, "order": order, "settle_s": 0, "sources": [source]}


def minutes_from(first: datetime, number: int) -> list[datetime]:
    """Starts of consecutive minutes."""
    start = first.astimezone(UTC).replace(second=0, microsecond=0)
    return [start + at * STEP for at in range(number)]
