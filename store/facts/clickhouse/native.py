"""ClickHouse's Native format: columns as they lie in memory, the same bytes for every version of the server.

A block is the number of columns and rows, then by column its name, its type and its values; an answer is any number
of blocks. Only types of one width are written and read here, and strings.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[Any]
Columns = defaultdict[str, Array]
"""By name. A server says nothing at all when there are no rows, so any name reads as a column without any."""

TYPES = {
    "UInt8": "u1", "UInt16": "u2", "UInt32": "u4", "UInt64": "u8",
    "Int8": "i1", "Int16": "i2", "Int32": "i4", "Int64": "i8", "Float64": "f8",
}  # fmt: skip
_NAMES = {np.dtype(kind).str: name for name, kind in TYPES.items()} | {"|S16": "FixedString(16)"}


def block(columns: Mapping[str, Array | pd.Categorical]) -> bytes:
    """Columns of one length as a block; a categorical becomes strings."""
    length = len(next(iter(columns.values())))
    parts = [_number(len(columns)), _number(length)]
    for name, values in columns.items():
        if isinstance(values, pd.Categorical):
            parts += [_string(name), _string("String"), _strings(values)]
        else:
            parts += [_string(name), _string(_NAMES[values.dtype.str]), np.ascontiguousarray(values).tobytes()]
    return b"".join(parts)


def columns(answer: bytes) -> Columns:
    """All blocks of an answer, one after another."""
    found: dict[str, list[Array]] = {}
    at = 0
    while at < len(answer):
        width, at = _read_number(answer, at)
        length, at = _read_number(answer, at)
        for _ in range(width):
            name, at = _read_string(answer, at)
            kind, at = _read_string(answer, at)
            values, at = _read_values(answer, at, kind, length)
            found.setdefault(name, []).append(values)
    whole = {name: parts[0] if len(parts) == 1 else np.concatenate(parts) for name, parts in found.items()}
    return defaultdict(lambda: np.empty(0, dtype=np.int64), whole)


def _read_values(answer: bytes, at: int, kind: str, length: int) -> tuple[Array, int]:
    if kind == "String":
        texts = np.empty(length, dtype=object)
        for row in range(length):
            texts[row], at = _read_string(answer, at)
        return texts, at
    dtype = np.dtype(f"S{kind[12:-1]}" if kind.startswith("FixedString(") else TYPES[kind])
    return np.frombuffer(answer, dtype, length, at), at + length * dtype.itemsize


def _strings(values: pd.Categorical) -> bytes:
    known = [_string(label) for label in values.categories]
    if len(known) == 1:
        return known[0] * len(values)
    return b"".join([known[code] for code in values.codes])


def _string(text: str) -> bytes:
    encoded = text.encode()
    return _number(len(encoded)) + encoded


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    found = bytearray()
    while value >= 128:
        found.append(value % 128 + 128)
        value //= 128
    found.append(value)
    return bytes(found)


def _read_string(answer: bytes, at: int) -> tuple[str, int]:
    length, at = _read_number(answer, at)
    return answer[at : at + length].decode(), at + length


def _read_number(answer: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = answer[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
