"""Whole frames as one buffer of PostgreSQL's binary COPY format, and back: rows are never made one by one.

A row of the format is the number of its fields, and before each field its length. While no field is NULL and none
varies in length every row is alike, so a table is one numpy structured array, filled column by column.
Source: https://www.postgresql.org/docs/18/sql-copy.html, "Binary Format".
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

TYPES = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "float8": ">f8", "bool": "?", "uuid": "V16"}
"""PostgreSQL's types of fixed length as they stand in the format: most significant byte first."""
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER = _SIGNATURE + bytes(8)
_END = b"\xff\xff"

Columns = Mapping[str, str]
"""Column -> one of TYPES, in the order of the table."""
Values = Mapping[str, npt.ArrayLike]
"""Column -> its values, or one value for every row."""


def pack(columns: Columns, values: Values, rows: int) -> bytes:
    """A table as the bytes that COPY FROM takes; raises OverflowError where a code has outgrown its column."""
    table = np.empty(rows, dtype=_row(columns))
    table["fields"] = len(columns)
    for name, kind in columns.items():
        table[f"length of {name}"] = np.dtype(TYPES[kind]).itemsize
        table[name] = _fitting(name, kind, np.asarray(values[name]))
    return _HEADER + table.tobytes() + _END


def unpack(columns: Columns, data: bytes) -> dict[str, npt.NDArray[np.generic]]:
    """The bytes that COPY TO gave, as columns in this machine's byte order; none of them may hold NULL."""
    table = np.frombuffer(data, dtype=_row(columns), offset=len(_HEADER), count=_count(columns, data))
    if len(table) and not all((table[f"length of {name}"] == table.dtype[name].itemsize).all() for name in columns):
        raise ValueError(f"a field of {', '.join(columns)} is NULL or of another type than was asked for")
    return {name: table[name].astype(table.dtype[name].newbyteorder("=")) for name in columns}


def _row(columns: Columns) -> np.dtype[np.void]:
    fields = [("fields", ">i2")]
    for name, kind in columns.items():
        fields += [(f"length of {name}", ">i4"), (name, TYPES[kind])]
    return np.dtype(fields)


def _count(columns: Columns, data: bytes) -> int:
    """Rows in a buffer: everything between header and end."""
    rows, rest = divmod(len(data) - len(_HEADER) - len(_END), _row(columns).itemsize)
    if rest or not data.startswith(_SIGNATURE):
        raise ValueError(f"{len(data)} bytes are not whole rows of {', '.join(columns)}")
    return rows


def _fitting(name: str, kind: str, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Integers that their column can hold: numpy would cut the others short without a word."""
    if kind.startswith("int") and values.size:
        most = np.iinfo(TYPES[kind]).max
        if int(values.max()) > most:
            raise OverflowError(f"{name} {values.max()} is more than {kind} can hold")
    return values
