"""A frame as bytes: a header in JSON, then its columns one after the other as they lie in memory.

Reading runs nothing and copies little: numbers stay where they came. Text columns travel as integer codes with their
labels, times as seconds since 1970 (UTC). Each piece begins at a multiple of eight bytes, as numpy wants it.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

WORD = 8

Packed = tuple[str, npt.NDArray[Any], list[str] | None]
"""Kind of the column, its values, its labels where it has them."""


def pack(frame: pd.DataFrame) -> bytes:
    """Write a frame of text, category, number, boolean and UTC-time columns; raises ValueError naming any other."""
    columns: list[dict[str, object]] = []
    pieces: list[bytes | memoryview] = []
    for name, column in frame.items():
        kind, values, labels = _pack_column(column, str(name))
        columns.append({"name": str(name), "kind": kind, "type": values.dtype.str, "labels": labels})
        pieces += [np.ascontiguousarray(values).data, _rest(values.nbytes)]
    header = json.dumps({"rows": len(frame), "columns": columns}, ensure_ascii=False).encode()
    return b"".join([len(header).to_bytes(WORD, "little"), header, _rest(len(header)), *pieces])


def unpack(data: bytes) -> pd.DataFrame:
    """Read `pack` back: the same columns, order and types, a fresh index; numbers cannot be written to."""
    at = WORD + int.from_bytes(data[:WORD], "little")
    header = json.loads(data[WORD:at])
    columns = {}
    for column in header["columns"]:
        at += -at % WORD
        values = np.frombuffer(data, column["type"], header["rows"], at)
        at += values.nbytes
        columns[column["name"]] = _UNPACK[column["kind"]](values, column["labels"])
    return pd.DataFrame(columns, index=pd.RangeIndex(header["rows"]), copy=False)


def _rest(size: int) -> bytes:
    """What is missing to a multiple of the word."""
    return bytes(-size % WORD)


def _pack_column(column: "pd.Series[Any]", name: str) -> Packed:
    held: Any = column.array
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "category", _narrow(held.codes, len(held.categories)), _labels(held.categories, name)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return "time", held.tz_convert("UTC").as_unit("s").asi8, None
    if column.dtype.kind in "biuf" and isinstance(column.dtype, np.dtype):
        return "number", column.to_numpy(), None
    codes, labels = pd.factorize(held)
    return "text", _narrow(codes, len(labels)), _labels(labels, name)


def _labels(labels: Any, name: str) -> list[str]:
    found = list(labels)
    odd = [label for label in found if not isinstance(label, str)]
    if odd:
        raise ValueError(f"column {name!r} cannot be packed: {odd[0]!r} is {type(odd[0]).__name__}, text is wanted")
    return found


def _narrow(codes: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    """Codes in the smallest integers that hold them; -1 is missing."""
    width = np.int8 if count <= np.iinfo(np.int8).max else np.int16 if count <= np.iinfo(np.int16).max else np.int32
    return codes.astype(width)


def _unpack_category(codes: npt.NDArray[Any], labels: list[str]) -> object:
    return pd.Categorical.from_codes(codes, categories=pd.Index(labels, dtype="str"))


def _unpack_text(codes: npt.NDArray[Any], labels: list[str]) -> object:
    words = np.array([*labels, None], dtype=object)
    return pd.array(words[codes], dtype="str")


def _unpack_time(seconds: npt.NDArray[Any], _: object) -> object:
    return pd.DatetimeIndex(seconds.view("datetime64[s]")).tz_localize("UTC")


def _unpack_number(values: npt.NDArray[Any], _: object) -> object:
    return values


_UNPACK: dict[str, Callable[[npt.NDArray[Any], Any], object]] = {
    "category": _unpack_category,
    "text": _unpack_text,
    "time": _unpack_time,
    "number": _unpack_number,
}
