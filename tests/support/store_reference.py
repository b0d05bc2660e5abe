"""What a history must answer, written so that anybody can check it: dictionaries, loops, no cleverness."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pandas as pd

from config.catalogue import Catalogue, Kind, Level
from metrics.observations import decode_dimensions
from store.facts.history import REGION_LEVELS, BatchStamp, SumQuery

Key = tuple[str, str, str, str, datetime]
"""channel, measure, region, dimension, start."""


@dataclass
class Version:
    value: float
    revision: int
    since: datetime
    until: datetime | None = None


@dataclass
class Counts:
    inserted: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    superseded_older: int = 0
    repeated: int = 0
    moved: list[datetime] = field(default_factory=list)


class ReferenceHistory:
    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.past: dict[Key, list[Version]] = defaultdict(list)
        self.contacts: dict[tuple[str, str], tuple[int, list[tuple[Key, float]]]] = {}

    def write(self, stamp: BatchStamp, rows: pd.DataFrame) -> Counts:
        counts = Counts()
        wanted: dict[Key, float] = {}
        for row in rows.itertuples():
            key = (stamp.channel, row.measure, row.region, row.dimension, row.start.to_pydatetime())
            counts.repeated += key in wanted
            wanted[key] = row.value
        for key, value in wanted.items():
            self._put(counts, key, value, stamp, forced=False)
        return counts

    def contribute(self, stamp: BatchStamp, rows: pd.DataFrame) -> Counts:
        counts = Counts()
        given: dict[str, list[tuple[Key, float]]] = defaultdict(list)
        for row in rows.itertuples():
            key = (stamp.channel, row.measure, row.region, row.dimension, row.start.to_pydatetime())
            given[row.contact].append((key, row.value))
        touched: set[Key] = set()
        for contact, parts in given.items():
            revision, held = self.contacts.get((stamp.channel, contact), (None, []))
            if revision is not None and revision >= stamp.revision:
                counts.unchanged += sorted(parts) == sorted(held)
                counts.superseded_older += sorted(parts) != sorted(held)
                continue
            touched |= {key for key, _ in [*parts, *held]}
            self.contacts[stamp.channel, contact] = (stamp.revision, parts)
        for key in touched:
            self._resum(counts, key, stamp)
        return counts

    def _resum(self, counts: Counts, key: Key, stamp: BatchStamp) -> None:
        parts = [value for _, rows in self.contacts.values() for at, value in rows if at == key]
        peak = self.catalogue.measures[key[1]].kind is Kind.PEAK
        if parts:
            self._put(counts, key, max(parts) if peak else sum(parts), stamp, forced=True)
        elif newest := self._newest(key):
            newest.until = max(stamp.received_at, newest.since)
            counts.removed += 1
            counts.moved.append(key[4])

    def _put(self, counts: Counts, key: Key, value: float, stamp: BatchStamp, forced: bool) -> None:
        held = self._newest(key)
        if held is None:
            self.past[key].append(Version(value, stamp.revision, stamp.received_at))
            counts.inserted += 1
            counts.moved.append(key[4])
        elif held.value == value:
            held.revision = max(held.revision, stamp.revision)
            counts.unchanged += 1
        elif not forced and stamp.revision <= held.revision:
            counts.superseded_older += 1
        else:
            held.until = max(stamp.received_at, held.since)
            self.past[key].append(Version(value, max(held.revision, stamp.revision), held.until))
            counts.changed += 1
            counts.moved.append(key[4])

    def _newest(self, key: Key) -> Version | None:
        versions = self.past[key]
        return versions[-1] if versions and versions[-1].until is None else None

    def shown(self, at: datetime | None = None) -> dict[Key, float]:
        found = {}
        for key, versions in self.past.items():
            for version in versions:
                if at is None:
                    visible = version.until is None
                else:
                    visible = version.since <= at and (version.until is None or at < version.until)
                if visible:
                    assert key not in found
                    found[key] = version.value
        return found

    def reported(self, key: Key) -> bool:
        order = list(Level)
        delivery = self.catalogue.delivery(key[0], key[1])
        assert delivery is not None
        return order.index(self.catalogue.regions[key[2]].level) < order.index(delivery.grain)

    def totals(self, question: SumQuery) -> dict[tuple[object, ...], float]:
        groups: dict[tuple[object, ...], list[tuple[Key, float]]] = defaultdict(list)
        for key, value in self.shown(question.as_known_at).items():
            if self._counts(key, question):
                bucket = () if question.by is None else (self.bucket(key[4], question.by),)
                names = tuple(self._group(key, name) for name in question.group)
                groups[(*bucket, *names, key[1])].append((key, value))
        return {group: self._over(rows) for group, rows in groups.items()}

    def _counts(self, key: Key, question: SumQuery) -> bool:
        dimensions = decode_dimensions(key[3])
        return (
            key[1] in question.measures
            and question.interval.start <= key[4] < question.interval.end
            and (question.channels is None or key[0] in question.channels)
            and key[2] in self.catalogue.below(question.within)
            and all(dimensions.get(name, "") in values for name, values in question.where.items())
            and self.reported(key) == question.reported
        )

    def _group(self, key: Key, name: str) -> str:
        if name == "channel":
            return key[0]
        if name == "region":
            return key[2]
        if name in REGION_LEVELS:
            return self.catalogue.ancestor(key[2], Level(name)) or ""
        return decode_dimensions(key[3]).get(name, "")

    def _over(self, rows: Sequence[tuple[Key, float]]) -> float:
        measure = self.catalogue.measures[rows[0][0][1]]
        if measure.kind is Kind.ADDITIVE:
            return sum(value for _, value in rows)
        if measure.kind is Kind.PEAK:
            return max(value for _, value in rows)
        if measure.over_time == "max":
            return max(_by_instant(rows).values())
        channels = {key[0] for key, _ in rows}
        total = 0.0
        for channel in channels:
            instants = _by_instant([(key, value) for key, value in rows if key[0] == channel])
            last = instants[max(instants)]
            total += last if measure.over_time == "last" else sum(instants.values()) / len(instants)
        return total

    def bucket(self, moment: datetime, by: int | Literal["day"]) -> datetime:
        zone, starts = ZoneInfo(self.catalogue.day.zone), self.catalogue.day.starts
        local = moment.astimezone(zone)
        if by == "day":
            days = [local.date() - timedelta(days=1), local.date()]
            begins = [datetime.combine(date, starts, zone).astimezone(ZoneInfo("UTC")) for date in days]
            return max(begin for begin in begins if begin <= moment)
        past_the_hour = timedelta(minutes=local.minute, seconds=local.second)
        return moment - past_the_hour % timedelta(seconds=by)


def _by_instant(rows: Iterable[tuple[Key, float]]) -> dict[datetime, float]:
    instants: dict[datetime, float] = defaultdict(float)
    for key, value in rows:
        instants[key[4]] += value
    return instants
