"""Read one field of one JSON record as a time, a text or a number; what does not fit says exactly why."""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from jsonpath_ng import Fields
from jsonpath_ng.parser import parse as parse_path

from collectors.shared.record_map import Condition, RecordTime, scalar_text
from config.catalogue import Kind, Measure

LONGEST_TEXT = 200
LARGEST_EXACT = 2**53
"""Beyond it neighbouring whole numbers are one float, so a count is no longer a count."""
UNREADABLE = re.compile("[\x00-\x1f\ud800-\udfff]")
"""Control characters, and halves of characters that no file can hold."""
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Epoch zero, and seconds read as milliseconds, both land in 1970: a clock that was never set."""
SKEW = timedelta(seconds=60)
"""How far a source's clock may run ahead (TM-04)."""


class Unfit(Exception):
    """A record, or one value of it, cannot be counted."""

    def __init__(self, rule: str, code: str, column: str | None, value: Any) -> None:
        super().__init__(rule, code, column)
        self.rule = rule
        self.code = code
        self.column = column
        self.value = shown(value)


class Repeated(tuple[Any, ...]):
    """The values of a key that one JSON object names more than once: nobody can say which is meant."""

    __slots__ = ()


def shown(value: Any) -> str:
    """Write any JSON value for people: at most 200 characters, control characters escaped."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text[:LONGEST_TEXT])[:LONGEST_TEXT]


@cache
def _compiled(path: str) -> Any:
    return parse_path(path)


def find_all(document: Any, path: str) -> list[Any]:
    """Every value that a JSONPath finds, in the document's order."""
    return [match.value for match in _compiled(path).find(document)]


@cache
def getter(path: str) -> Callable[[Any], Any]:
    """Make the function that takes a field out of a record; what is missing is None."""
    expression = _compiled(path)
    if isinstance(expression, Fields) and len(expression.fields) == 1 and expression.fields[0] != "*":
        name = expression.fields[0]
        return lambda record: record.get(name) if isinstance(record, dict) else None

    def take(record: Any) -> Any:
        found = find_all(record, path)
        if len(found) > 1:
            raise Unfit("TY-01", "several_values", path, found[:3])
        return found[0] if found else None

    return take


def text(record: Any, path: str) -> str:
    """Read a short text or code; what is missing or null is ''."""
    value = getter(path)(record)
    if isinstance(value, Repeated):
        raise Unfit("TY-01", "repeated_key", path, value)
    written = scalar_text(value)
    if not isinstance(written, str) or UNREADABLE.search(written):
        raise Unfit("TY-01", "not_a_text", path, value)
    if len(written) > LONGEST_TEXT:
        raise Unfit("TY-01", "text_too_long", path, value)
    return written


def meets(record: Any, condition: Condition) -> bool:
    """Whether every field of the condition holds one of its values."""
    for path, values in condition.items():  # noqa: SIM110 - a generator doubles the time of the busiest line
        if text(record, path) not in values:
            return False
    return True


def number(record: Any, path: str, measure: Measure, scale: float) -> float:
    """Read a measure's value in its own unit."""
    value = getter(path)(record)
    if value is None:
        raise Unfit("CP-03", "value_missing", path, "")
    if isinstance(value, Repeated):
        raise Unfit("TY-01", "repeated_key", path, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit("TY-01", "not_a_number", path, value)
    if isinstance(value, float) and not math.isfinite(value):
        raise Unfit("TY-01", "not_finite", path, value)
    if abs(value) > LARGEST_EXACT or abs(value) * scale > LARGEST_EXACT:
        raise Unfit("AC-01", "number_too_large", path, value)
    scaled = value * scale
    if scaled < measure.minimum:
        raise Unfit("AC-01", "below_minimum", path, value)
    if measure.unit == "n" and measure.kind is Kind.ADDITIVE:
        if abs(scaled - round(scaled)) > 1e-6:
            raise Unfit("TY-01", "not_whole", path, value)
        scaled = round(scaled)
    return float(scaled)


def moment(record: Any, rule: RecordTime, zone: ZoneInfo) -> datetime:
    """Read a record's time as UTC."""
    path = rule.field or ""
    value = getter(path)(record)
    if isinstance(value, Repeated):
        raise Unfit("TY-01", "repeated_key", path, value)
    try:
        read = _as_written(value, rule.form)
        if rule.hour_field is not None:
            read = _with_hour(read, record, rule)
        found = (read if read.tzinfo else _on_wall_clock(read, rule, zone, value)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        if value is None:
            raise Unfit("TY-03", "time_missing", path, "") from error
        raise Unfit("TY-03", "not_a_time", path, value) from error
    if found < EARLIEST:
        raise Unfit("TY-03", "time_too_early", path, value)
    return found


def _as_written(value: Any, form: str) -> datetime:
    if form in ("epoch_s", "epoch_ms"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError("an epoch is a number")
        return datetime.fromtimestamp(value / (1000 if form == "epoch_ms" else 1), UTC)
    if form == "iso":
        return datetime.fromisoformat(value)
    # A pattern may say the zone (%z); one that does not gives a naive time, dealt with by _on_wall_clock.
    return datetime.strptime(scalar_text(value), form)  # noqa: DTZ007


def _with_hour(day: datetime, record: Any, rule: RecordTime) -> datetime:
    path = rule.hour_field or ""
    written = text(record, path)
    if not (written.isascii() and written.isdigit() and len(written) <= 4):
        raise Unfit("TY-03", "not_a_time", path, getter(path)(record))
    hour, minute = divmod(int(written), 100) if rule.hour_form == "hhmm" else (int(written), 0)
    try:
        return day.replace(hour=hour, minute=minute)
    except ValueError as error:
        raise Unfit("TY-03", "not_a_time", path, written) from error


def _on_wall_clock(naive: datetime, rule: RecordTime, zone: ZoneInfo, value: Any) -> datetime:
    if rule.naive == "refuse":
        raise Unfit("TY-03", "naive_time", rule.field, value)
    local = naive.replace(tzinfo=zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive:
        raise Unfit("TY-03", "nonexistent_time", rule.field, value)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise Unfit("TY-03", "ambiguous_time", rule.field, value)
    return local
