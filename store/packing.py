"""A frame as bytes: numpy's `.npz` without pickle, so that reading runs nothing and needs only numpy.

Text columns travel as integer codes with their labels, times as seconds since 1970 (UTC).
"""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

HEADER = "header"
NOT_A_TIME = np.iinfo(np.int64).min

Packed = tuple[str, npt.NDArray[Any], list[str] | None]
"""Kind of the column, its values, its labels where it has them."""


def pack(frame: pd.DataFrame) -> bytes:
    """Write a frame of text, category, number, boolean and UTC-time columns; raises ValueError naming any other."""
    columns: list[dict[str, object]] = []
    arrays: dict[str, npt.NDArray[Any]] = {}
    for position, name in enumerate(frame.columns):
        kind, values, labels = _pack_column(frame[name], str(name))
        columns.append({"name": str(name), "kind": kind, "labels": labels})
        arrays[f"column_{position}"] = values
    header = json.dumps({"rows": len(frame), "columns": columns}, ensure_ascii=False).encode()
    arrays[HEADER] = np.frombuffer(header, dtype=np.uint8)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack(data: bytes) -> pd.DataFrame:
    """Read `pack` back: the same columns, order and types, a fresh index."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        header = json.loads(arrays[HEADER].tobytes())
        columns = {
            column["name"]: _UNPACK[column["kind"]](arrays[f"column_{position}"], column["labels"])
            for position, column in enumerate(header["columns"])
        }
    return pd.DataFrame(columns, index=pd.RangeIndex(header["rows"]))


def _pack_column(column: pd.Series, name: str) -> Packed:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return (
            "category",
            _narrow(column.cat.codes.to_numpy(), len(column.cat.categories)),
            _labels(column.cat.categories, name),
        )
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return "time", column.dt.tz_convert("UTC").dt.as_unit("s").astype("int64").to_numpy(), None
    if column.dtype.kind in "biuf" and isinstance(column.dtype, np.dtype):
        return "number", column.to_numpy(), None
    codes, labels = pd.factorize(column)
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
    return pd.DatetimeIndex(seconds.astype("datetime64[s]")).tz_localize("UTC")


def _unpack_number(values: npt.NDArray[Any], _: object) -> object:
    return values


_UNPACK: dict[str, Callable[[npt.NDArray[Any], Any], object]] = {
    "category": _unpack_category,
    "text": _unpack_text,
    "time": _unpack_time,
    "number": _unpack_number,
}
