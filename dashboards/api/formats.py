"""The formats of an answer, chosen by `Accept`: JSON, CSV, and Arrow's stream.

All three say the same cells: numbers in CSV are written so that reading them gives the same number back. Arrow is
written by nanoarrow, a fiftieth of pyarrow's size (decision 0018).
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import nanoarrow as na
import numpy as np
import numpy.typing as npt
from nanoarrow.ipc import StreamWriter

from dashboards.access.problems import Problem
from dashboards.api.tables import Kind, Table, cells

ARROW_TYPES = {
    Kind.TEXT: na.string(),
    Kind.NUMBER: na.float64(),
    Kind.INTEGER: na.int64(),
    Kind.BOOLEAN: na.bool_(),
    Kind.TIME: na.timestamp("us", "UTC"),
}


@dataclass(frozen=True)
class Format:
    """A media type, and how a table is written in it; `about` is what an answer says besides its rows."""

    media_type: str
    write: Callable[[Table, Mapping[str, Any]], bytes]


def write_json(table: Table, about: Mapping[str, Any]) -> bytes:
    """An object of what the answer says about itself and `rows`, an object a row."""
    names = [column.name for column in table.columns]
    written = [[_text(cell) for cell in column] for column in _cells(table)]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*written, strict=True)]
    return json.dumps({**about, "rows": rows}, ensure_ascii=False, allow_nan=False).encode()


def write_csv(table: Table, about: Mapping[str, Any]) -> bytes:
    """A line of names and a line a row; an empty cell is none."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(column.name for column in table.columns)
    writer.writerows(zip(*([_written(cell) for cell in column] for column in _cells(table)), strict=True))
    return target.getvalue().encode()


def write_arrow(table: Table, about: Mapping[str, Any]) -> bytes:
    """One record batch in Arrow's stream format."""
    types = {column.name: ARROW_TYPES[column.kind] for column in table.columns}
    children = [
        na.c_array(values, na.string()) if column.kind is Kind.TEXT else _child(column.kind, values)
        for column, values in zip(table.columns, _cells(table), strict=True)
    ]
    batch = na.c_array_from_buffers(na.struct(types), len(table.frame), [None], children=children)
    target = io.BytesIO()
    with StreamWriter.from_writable(target) as writer:
        writer.write_array(batch)
    return target.getvalue()


FORMATS = (
    Format("application/json", write_json),
    Format("text/csv", write_csv),
    Format("application/vnd.apache.arrow.stream", write_arrow),
)
"""The first is what somebody gets who does not say."""


def chosen(accept: str) -> Format:
    """The format that an Accept header wants most; raises Problem 406 that says what there is."""
    wanted = [_range(part) for part in (accept or "*/*").split(",")]
    marks = {known.media_type: max(_mark(known.media_type, *part) for part in wanted)[1] for known in FORMATS}
    best = max(FORMATS, key=lambda known: marks[known.media_type])
    if marks[best.media_type] <= 0:
        raise Problem(406, f"there is no such format; there are {', '.join(marks)}", available=list(marks))
    return best


def _range(part: str) -> tuple[str, float]:
    """A media range and how much it is wanted, 0 to 1; what cannot be read is not wanted."""
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((text.removeprefix("q=") for text in parameters if text.startswith("q=")), "1")
    try:
        return kind, min(1.0, max(0.0, float(quality)))
    except ValueError:
        return kind, 0.0


def _mark(media_type: str, kind: str, quality: float) -> tuple[int, float]:
    """How exactly a range names a type, and how much it is wanted."""
    if kind == media_type:
        return 2, quality
    return (1, quality) if kind == media_type.partition("/")[0] + "/*" else (0, quality if kind == "*/*" else 0.0)


def _cells(table: Table) -> list[Sequence[Any]]:
    return [cells(column, table.frame[column.name]) for column in table.columns]


def _text(cell: Any) -> Any:
    return cell.isoformat().replace("+00:00", "Z") if isinstance(cell, datetime) else cell


def _written(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return repr(cell) if isinstance(cell, float) else str(_text(cell))


def _child(kind: Kind, values: Sequence[Any]) -> Any:
    """A column of fixed width from buffers of our own: those that nanoarrow makes end in bits that nobody has set."""
    stored = [0 if cell is None else _stamp(cell) for cell in values]
    data = _bits(stored) if kind is Kind.BOOLEAN else np.array(stored, "f8" if kind is Kind.NUMBER else "i8")
    there = None if None not in values else _bits([cell is not None for cell in values])
    return na.c_array_from_buffers(ARROW_TYPES[kind], len(values), [there, data])


def _bits(flags: Sequence[Any]) -> npt.NDArray[np.uint8]:
    return np.packbits(np.array(flags, dtype=np.bool_), bitorder="little")


def _stamp(cell: Any) -> Any:
    return round(cell.timestamp() * 1_000_000) if isinstance(cell, datetime) else cell
