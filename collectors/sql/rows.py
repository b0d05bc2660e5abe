"""Rows of a database as canonical JSON lines: what a payload keeps and a file of rows holds."""

import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from collectors.shared.json_reading import read_json
from metrics.observations import SourceFault


def plain_row(columns: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """One row as a record of JSON's types, its columns in the query's order."""
    return dict(zip(columns, map(_plain, row), strict=True))


def write_rows(records: Iterable[Any]) -> bytes:
    """Records as JSON lines."""
    lines = (json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n" for record in records)
    return "".join(lines).encode("utf-8", "backslashreplace")


def read_rows(data: bytes) -> list[Any]:
    """Records of a payload or file; a line that is no JSON stands as its own text, to be rejected by its number.

    Raises SourceFault `unreadable` where no line at all can be read.
    """
    lines = [_read_line(line) for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    if lines and not any(isinstance(record, dict) for record in lines):
        raise SourceFault("unreadable", "no line is a JSON object: one row a line is expected")
    return lines


def _read_line(line: bytes) -> Any:
    try:
        return read_json(line.decode())
    except (UnicodeDecodeError, SourceFault):
        return line[:200].decode(errors="replace")


def _plain(value: Any) -> Any:
    """A database's value as JSON has it; what JSON has no number for (NaN, infinity) is text, and rejected as such."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal():
            return _number(value)
        case datetime():
            return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case list() | tuple():
            return [_plain(part) for part in value]
        case dict():
            return {str(name): _plain(part) for name, part in value.items()}
        case _:
            return str(value)


def _number(value: Decimal) -> int | float | str:
    if not value.is_finite() or abs(value) > 10**300:
        return str(value)
    return int(value) if value == value.to_integral_value() else float(value)
