"""Read pushed records one by one: each is counted exactly, or named with what is wrong in it."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from collectors import Plan
from collectors.shared.record_fields import (
    LONGEST_TEXT,
    SKEW,
    Repeated,
    Unfit,
    moment,
    number,
    shown,
    text,
)
from collectors.shared.record_map import RecordTime
from config.catalogue import Delivery
from metrics.intervals import floor_to
from metrics.observations import encode_dimensions

Key = tuple[str, str, str, int]
"""Measure, region, dimension key, start in seconds since 1970."""
NAMES = frozenset({"measure", "region", "start", "value", "dimensions"})
START = RecordTime(field="start")
LONGEST_NAME = 40
"""Characters of a name nobody knows that are told back."""


class RecordReader:
    """Knows what one channel may say at one moment; what comes again is looked at once."""

    def __init__(self, plan: Plan, now: datetime) -> None:
        self._channel, self._catalogue = plan.channel, plan.catalogue
        self._zone = ZoneInfo(plan.channel.zone)
        self._deliveries = {delivery.measure: delivery for delivery in plan.source.delivers}
        self._latest = now + SKEW - timedelta(seconds=plan.channel.interval_s)
        self._oldest = now - timedelta(days=plan.options.oldest_days)
        self._places: dict[Any, tuple[Delivery, str]] = {}
        self._starts: dict[Any, int] = {}
        self._dimensions: dict[Any, str] = {}

    def read(self, record: Any) -> tuple[Key, float]:
        """Key and value of a record; raises Unfit."""
        if not isinstance(record, dict):
            raise Unfit("TY-01", "not_a_record", None, record)
        if not record.keys() <= NAMES:
            name = next(name for name in record if name not in NAMES)
            raise Unfit("TY-01", "unknown_name", shown(name)[:LONGEST_NAME], name)
        delivery, region = self._place(record)
        start = self.start(record.get("start"))
        dimension = self.dimension(record.get("dimensions"), delivery)
        return (delivery.measure, region, dimension, start), self._value(record, delivery.measure)

    def delivery(self, measure: str) -> Delivery:
        """How a measure is delivered; raises Unfit."""
        if measure not in self._deliveries:
            raise Unfit("AC-02", "unknown_measure" if measure else "measure_missing", "measure", measure)
        return self._deliveries[measure]

    def region(self, code: str, delivery: Delivery) -> str:
        """The code of a place that a measure is counted in; raises Unfit."""
        place = self._catalogue.regions.get(code)
        if place is None or not place.served:
            raise Unfit("AC-02", "unknown_region" if code else "region_missing", "region", code)
        if place.level.rank > delivery.grain.rank:
            raise Unfit("AC-02", "finer_than_grain", "region", code)
        return code

    def start(self, written: Any) -> int:
        """Seconds since 1970 of an interval's beginning; raises Unfit."""
        if not isinstance(written, str) or written not in self._starts:
            found = moment({"start": written}, START, self._zone)
            if found > self._latest:
                raise Unfit("TM-04", "from_the_future", "start", written)
            if found < self._oldest:
                raise Unfit("TY-03", "time_too_early", "start", written)
            if found != floor_to(found, self._channel.interval_s, self._zone):
                raise Unfit("TY-03", "off_boundary", "start", written)
            self._starts[written] = int(found.timestamp())
        return self._starts[written]

    def dimension(self, written: Any, delivery: Delivery) -> str:
        """The dimension key of values by name; raises Unfit."""
        if written is None:
            return ""
        try:
            same = (delivery.measure, *written.items())
            known = self._dimensions.get(same)
        except (AttributeError, TypeError):
            same, known = (), None  # not an object, or a value that is not a text: told below
        if known is None:
            known = self._dimensions[same] = encode_dimensions(self._codes(written, delivery))
        return known

    def _place(self, record: dict[str, Any]) -> tuple[Delivery, str]:
        same = (record.get("measure"), record.get("region"))
        known = self._places.get(same) if type(same[0]) is type(same[1]) is str else None
        if known is None:
            delivery = self.delivery(text(record, "measure"))
            known = self._places[same] = delivery, self.region(text(record, "region"), delivery)
        return known

    def _codes(self, written: Any, delivery: Delivery) -> dict[str, str]:
        """Check every name and value of a record's dimensions."""
        if isinstance(written, Repeated):
            raise Unfit("TY-01", "repeated_key", "dimensions", written)
        if not isinstance(written, dict):
            raise Unfit("TY-01", "not_a_record", "dimensions", written)
        for name, value in written.items():
            column = f"dimensions.{shown(name)[:LONGEST_NAME]}"
            if name not in delivery.dimensions:
                raise Unfit("AC-02", "unknown_dimension", column, name)
            if isinstance(value, Repeated):
                raise Unfit("TY-01", "repeated_key", column, value)
            if not isinstance(value, str) or not value or len(value) > LONGEST_TEXT or not value.isprintable():
                raise Unfit("TY-01", "not_a_code", column, value)
            if value not in self._channel.dimensions.get(name, (value,)):
                raise Unfit("AC-02", "unknown_code", column, value)
        return written

    def _value(self, record: dict[str, Any], name: str) -> float:
        measure = self._catalogue.measures[name]
        value = number(record, "value", measure, 1.0)
        if measure.maximum is not None and value > measure.maximum:
            raise Unfit("AC-01", "above_maximum", "value", record["value"])
        return value
