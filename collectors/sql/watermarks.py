"""How far a growing table has been read: the largest value of its watermark column, times as seconds since 1970."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from collectors.shared.record_fields import SKEW, Unfit, getter
from collectors.sql.options import Watermark
from metrics.observations import Payload, SourceFault

Mark = int | float


def mark_in(record: Any, rule: Watermark, zone: ZoneInfo) -> Mark | None:
    """The watermark of a record, None where it holds none; a time without zone is on the channel's clock."""
    try:
        value = getter(rule.column)(record)
        if rule.kind == "time":
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (Unfit, TypeError, ValueError, OverflowError):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def held(rule: Watermark, cursor: Mapping[str, Any]) -> Mark:
    """How far the source has been read before."""
    first = rule.initial.timestamp() if isinstance(rule.initial, datetime) else rule.initial
    mark: Mark = cursor.get("watermark", first)
    return mark


def begin(rule: Watermark, cursor: Mapping[str, Any]) -> Mark | datetime:
    """Where the next reading begins: some way behind the watermark, for rows that came late."""
    mark = held(rule, cursor) - rule.overlap if rule.overlap else held(rule, cursor)
    return datetime.fromtimestamp(mark, UTC) if rule.kind == "time" else mark


def advanced(rule: Watermark, payload: Payload, records: Iterable[Any], zone: ZoneInfo) -> Mark:
    """The watermark after these records, as a cursor keeps it.

    A row from the future (a clock gone wrong) does not move it: every row until then would be passed over.
    """
    latest = (payload.fetched_at + SKEW).timestamp() if rule.kind == "time" else math.inf
    marks = (mark_in(record, rule, zone) for record in records)
    return max([held(rule, payload.cursor), *(mark for mark in marks if mark is not None and mark <= latest)])


def whole_groups(marks: Sequence[Mark | None], before: Mark) -> int:
    """How many rows of a reading that was cut off can be kept: those before the last row's watermark.

    Rows that share a watermark belong together: if only some were kept, the rest would be passed over.
    Raises SourceFault where the rows are not in the watermark's order, or one step of it is too large.
    """
    known = [mark for mark in marks if mark is not None]
    if len(known) < len(marks) or any(one > other for one, other in pairwise(known)):
        raise SourceFault("misconfigured", "more rows than max_rows, and they are not in the watermark's order", True)
    kept = sum(mark < known[-1] for mark in known)
    if kept == 0 or known[kept - 1] <= before:
        raise SourceFault("too_large", "rows with one watermark, or within its overlap, are more than max_rows")
    return kept
