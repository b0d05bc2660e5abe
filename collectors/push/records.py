"""Check pushed records one by one: each is counted exactly or named with what is wrong in it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from collectors.record_fields import EARLIEST, LARGEST_EXACT, SKEW, floor_to_interval, shown
from config.catalogue import Catalogue, Channel, Delivery, Kind, Level, Measure, Source
from metrics.observations import Reject, encode_dimensions

Key = tuple[str, str, str, int]
"""Measure, region, dimension key, start in seconds since 1970."""
NAMES = frozenset({"measure", "region", "start", "value", "dimensions"})
RANKS = {level: rank for rank, level in enumerate(Level)}


class Fault(Exception):
    """One record cannot be counted: the rule it breaks, what is wrong, in which column, with which value."""

    def __init__(self, rule: str, code: str, column: str | None, value: Any) -> None:
        super().__init__(rule, code, column)
        self.rule, self.code, self.column, self.value = rule, code, column, shown(value)

    def reject(self, line: int) -> Reject:
        """The same as a row for the steward."""
        return Reject(self.rule, line, self.column, self.code, self.value, mend=self.code)


@dataclass(frozen=True)
class Checker:
    """Knows what one channel may say."""

    catalogue: Catalogue
    channel: Channel
    deliveries: Mapping[str, Delivery]
    zone: ZoneInfo

    @classmethod
    def of(cls, catalogue: Catalogue, channel: Channel, source: Source) -> "Checker":
        """The checker of a pushing source."""
        deliveries = {delivery.measure: delivery for delivery in source.delivers}
        return cls(catalogue, channel, deliveries, ZoneInfo(channel.zone))

    def start(self, written: Any, now: datetime) -> int:
        """An interval start in seconds since 1970; raises Fault."""
        if not isinstance(written, str):
            raise Fault("TY-03", "time_missing" if written is None else "not_a_time", "start", written)
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            raise Fault("TY-03", "not_a_time", "start", written) from None
        if moment.tzinfo is None:
            raise Fault("TY-03", "naive_time", "start", written)
        try:
            moment = moment.astimezone(UTC)
            floored = floor_to_interval(moment, self.channel.interval_s, self.zone)
        except (OverflowError, ValueError):
            raise Fault("TY-03", "not_a_time", "start", written) from None
        if moment < EARLIEST:
            raise Fault("TY-03", "time_too_early", "start", written)
        if moment + timedelta(seconds=self.channel.interval_s) > now + SKEW:
            raise Fault("TM-04", "from_the_future", "start", written)
        if moment != floored:
            raise Fault("TY-03", "off_boundary", "start", written)
        return int(moment.timestamp())

    def key(self, record: Any, start: int) -> Key:
        """What the record is about; raises Fault."""
        measure, region = record.get("measure"), record.get("region")
        delivery = self.deliveries.get(measure) if isinstance(measure, str) else None
        if delivery is None:
            raise Fault("AC-02", "measure_missing" if measure is None else "unknown_measure", "measure", measure)
        place = self.catalogue.regions.get(region) if isinstance(region, str) else None
        if place is None or not place.served:
            raise Fault("AC-02", "region_missing" if region is None else "unknown_region", "region", region)
        if RANKS[place.level] > RANKS[delivery.grain]:
            raise Fault("AC-02", "finer_than_grain", "region", region)
        return place_key(delivery, place.code, self._dimensions(record.get("dimensions", {}), delivery), start)

    def _dimensions(self, written: Any, delivery: Delivery) -> str:
        if not isinstance(written, dict):
            raise Fault("TY-01", "not_a_record", "dimensions", written)
        for name, value in written.items():
            if name not in delivery.dimensions:
                raise Fault("AC-02", "unknown_dimension", f"dimensions.{name[:40]}", name)
            if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 200:
                raise Fault("TY-01", "not_a_text", f"dimensions.{name}", value)
            if value not in self.channel.dimensions.get(name, (value,)):
                raise Fault("AC-02", "unknown_code", f"dimensions.{name}", value)
        return encode_dimensions(written)

    def value(self, record: Any) -> float:
        """The record's value in the measure's own unit; raises Fault."""
        measure = self.catalogue.measures[record["measure"]]
        value = record.get("value")
        if value is None:
            raise Fault("CP-03", "value_missing", "value", "")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Fault("TY-01", "not_a_number", "value", value)
        if not math.isfinite(value) or abs(value) > LARGEST_EXACT:
            raise Fault("AC-01", "number_too_large", "value", value)
        _check_range(measure, value)
        return float(value)


def place_key(delivery: Delivery, region: str, dimension: str, start: int) -> Key:
    """The key of a record whose parts are all known."""
    return (delivery.measure, region, dimension, start)


def _check_range(measure: Measure, value: float) -> None:
    if value < measure.minimum:
        raise Fault("AC-01", "below_minimum", "value", value)
    if measure.maximum is not None and value > measure.maximum:
        raise Fault("AC-01", "above_maximum", "value", value)
    if measure.unit == "n" and measure.kind is Kind.ADDITIVE and value != int(value):
        raise Fault("TY-01", "not_whole", "value", value)


def unknown_names(record: Any) -> None:
    """Refuse a record that is no object, or that has a name nobody reads."""
    if not isinstance(record, dict):
        raise Fault("TY-01", "not_a_record", None, record)
    for name in record.keys() - NAMES:
        raise Fault("TY-01", "unknown_name", name[:80], name)
