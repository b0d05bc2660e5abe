"""Count JSON records by a `RecordMap`: pure, the same records always give the same tables.

What one record goes through:

    1  meets `where`, or is left out on purpose
    2  its place, its time and its dimensions are read; one that cannot be read rejects the record
    3  each measure is read by itself; one that cannot be read rejects that value and leaves the others
    4  after the last record, what nobody spoke of is zero where the map says so
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from collectors import Plan
from collectors.shared.record_counts import Key, Place, RecordCounts
from collectors.shared.record_fields import SKEW, Unfit, meets, moment, number, text
from collectors.shared.record_map import RecordMap, RecordMeasure
from config.catalogue import Kind, Measure
from metrics.intervals import floor_to, interval_starts
from metrics.observations import Interval, Payload, encode_dimensions


def _check(plan: Plan, rules: RecordMap, strange_places: list[str]) -> None:
    """Raise ValueError for the first thing in a map that the catalogue does not know, naming channel and source."""
    where = f"channel {plan.channel.id}, source {plan.source.id}, map"
    deliveries = {delivery.measure: delivery for delivery in plan.source.delivers}
    if plan.source.expects:
        raise ValueError(f"{where}: `expects` looks at typed rows, which this kind does not have")
    if strange_places:
        raise ValueError(f"{where}: {strange_places[0]!r} is no region that the operator serves")
    for name in rules.measures:
        if name not in deliveries or name not in plan.catalogue.measures:
            raise ValueError(f"{where}: measure {name!r} is not under `delivers`, or not in the catalogue")
        if undeclared := sorted(set(rules.dimensions) - set(deliveries[name].dimensions)):
            raise ValueError(f"{where}: dimension {undeclared[0]!r} is not under `delivers` of {name!r}")


@dataclass(frozen=True)
class Counter:
    """A `RecordMap` bound to its channel, checked against the catalogue when it is built."""

    rules: RecordMap
    measures: dict[str, tuple[RecordMeasure, Measure]]
    regions: dict[str, frozenset[str]]
    """By measure: the regions that should appear, for `absent: zero`."""
    served: frozenset[str]
    too_fine: dict[str, frozenset[str]]
    """By measure: regions below its grain, whose figures would be added to their own total."""
    zone: ZoneInfo
    interval_s: int

    @classmethod
    def of(cls, plan: Plan, rules: RecordMap) -> Self:
        """Bind a map to its channel; raises ValueError where it names what the catalogue does not know."""
        levels = {code: region.level.rank for code, region in plan.catalogue.regions.items()}
        served = frozenset(code for code, region in plan.catalogue.regions.items() if region.served)
        places = {rules.region.constant} if rules.region.constant else set(rules.region.codes.values())
        _check(plan, rules, sorted(places - served))
        grains = {delivery.measure: delivery.grain for delivery in plan.source.delivers}
        finest = {name: grains[name].rank for name in rules.measures}
        return cls(
            rules=rules,
            measures={name: (rule, plan.catalogue.measures[name]) for name, rule in rules.measures.items()},
            regions={name: frozenset(places or plan.catalogue.at_level(grains[name])) for name in rules.measures},
            served=served,
            too_fine={
                name: frozenset(code for code in served if levels[code] > level) for name, level in finest.items()
            },
            zone=ZoneInfo(plan.channel.zone),
            interval_s=plan.channel.interval_s,
        )

    def count(self, records: Iterable[Any], payload: Payload, into: RecordCounts) -> None:
        """Add records to a harvest; they are numbered on from the records that it has read."""
        own: set[Key] = set()
        for record in records:
            into.read += 1
            try:
                self._count_one(record, payload, into, own)
            except Unfit as unfit:
                into.refuse(unfit)
        if self.rules.absent == "zero":
            self._fill_zeros(payload.window, into)

    def _count_one(self, record: Any, payload: Payload, into: RecordCounts, own: set[Key]) -> None:
        if not isinstance(record, dict):
            raise Unfit("TY-01", "not_a_record", None, record)
        if not meets(record, self.rules.where):
            into.leave_out("condition")
            return
        region = self._region(record)
        try:
            start = self._start(record, payload)
            dimension = self._dimension(record)
        except Unfit:
            into.spoiled.add((region, None))
            raise
        if self.rules.contact is not None:
            self._keep_contact(record, (region, dimension, start), into)
            return
        for name, (rule, measure) in self.measures.items():
            try:
                self._check_grain(name, region)
                value = self._value(record, rule, measure)
                if value is not None:
                    self._add((name, region, dimension, start), value, into, own)
            except Unfit as unfit:
                into.spoiled.add((region, start))
                into.refuse(unfit)

    def _keep_contact(self, record: Any, place: Place, into: RecordCounts) -> None:
        """Keep all parts of a contact, or none: half a contact would bend every ratio.

        A contact that no longer counts for anything keeps one zero, which takes back what it counted for before.
        """
        contact = self._contact(record)
        for name in self.measures:
            self._check_grain(name, place[0])
        values = {name: self._value(record, rule, measure) for name, (rule, measure) in self.measures.items()}
        parts = {name: value for name, value in values.items() if value is not None} or {next(iter(values)): 0.0}
        if contact in into.contacts:
            into.leave_out("superseded")
        into.contacts[contact] = (place, parts)

    def _region(self, record: Any) -> str:
        place = self.rules.region
        if place.field is None:
            return place.constant or ""
        written = text(record, place.field)
        region = place.codes.get(written, "") if place.codes else written
        if region not in self.served:
            raise Unfit("AC-02", "unknown_region" if written else "region_missing", place.field, written)
        return region

    def _start(self, record: Any, payload: Payload) -> datetime:
        rule = self.rules.time
        if rule.instant:
            return payload.window.start
        found = moment(record, rule, self.zone)
        if found > payload.fetched_at + SKEW:
            raise Unfit("TM-04", "from_the_future", rule.field, found.isoformat())
        start = floor_to(found, self.interval_s, self.zone)
        if found != start and rule.off_boundary == "reject" and self.rules.contact is None:
            raise Unfit("TY-03", "off_boundary", rule.field, found.isoformat())
        return start

    def _dimension(self, record: Any) -> str:
        values = {name: (rule, text(record, rule.field)) for name, rule in self.rules.dimensions.items()}
        return encode_dimensions(
            {name: rule.codes.get(written, written) for name, (rule, written) in values.items() if written}
        )

    def _contact(self, record: Any) -> str:
        rule = self.rules.contact
        if rule is None:
            raise TypeError("this map has no contact")
        written = text(record, rule.field)
        if not written:
            raise Unfit("CP-03", "key_missing", rule.field, "")
        return written

    def _check_grain(self, measure: str, region: str) -> None:
        if region in self.too_fine[measure]:
            raise Unfit("AC-02", "finer_than_grain", self.rules.region.field, region)

    @staticmethod
    def _value(record: Any, rule: RecordMeasure, measure: Measure) -> float | None:
        """What the record adds to the measure; None: it does not count for it."""
        if not meets(record, rule.where):
            return None
        return 1.0 if rule.field is None else number(record, rule.field, measure, rule.scale)

    def _add(self, key: Key, value: float, into: RecordCounts, own: set[Key]) -> None:
        if key not in into.counts:
            into.counts[key] = value
            own.add(key)
        elif self.rules.repeated == "reject" or key not in own:
            if into.counts[key] != value:
                raise Unfit("CP-02", "said_twice", key[0], f"{value:.15g}")
            into.leave_out("repeated")
        elif self.measures[key[0]][1].kind is Kind.PEAK:
            into.counts[key] = max(into.counts[key], value)
        else:
            into.counts[key] += value

    def _fill_zeros(self, window: Interval, into: RecordCounts) -> None:
        begun = interval_starts(window, self.interval_s, self.zone).tolist()
        end = floor_to(window.end, self.interval_s, self.zone)
        starts = [start for second in begun if (start := datetime.fromtimestamp(second, UTC)) < end]
        spoken = {(name, region, start) for name, region, _, start in into.counts}
        for name, regions in self.regions.items():
            for region in regions:
                if (region, None) in into.spoiled:
                    continue
                for start in starts:
                    if (name, region, start) not in spoken and (region, start) not in into.spoiled:
                        into.counts[name, region, "", start] = 0.0
