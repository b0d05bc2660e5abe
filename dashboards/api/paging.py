"""Pages of rows in the order of their key, and the cursor that says after which row the next page begins.

A cursor is the key of the last row that was given, not a number of rows: figures that change between two pages never
make a row come twice or be left out while its key is there.
"""

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dashboards.access.problems import Problem


@dataclass(frozen=True)
class Page:
    """Some rows, and the cursor of the next page; '' on the last."""

    frame: pd.DataFrame
    cursor: str


def page_of(frame: pd.DataFrame, key: Sequence[str], cursor: str, limit: int) -> Page:
    """At most `limit` rows after the cursor, in the order of the key, whose columns are text; raises Problem 400."""
    ranks = {name: _ranked(frame[name]) for name in key}
    order = np.lexsort([codes for codes, _ in reversed(ranks.values())])
    if cursor:
        after = _after(ranks, _read(cursor, len(key)))
        order = order[after[order]]
    chosen = frame.iloc[order[:limit]]
    last = "" if len(order) <= limit else _written([str(chosen[name].iloc[-1]) for name in key])
    return Page(chosen, last)


Ranked = tuple[npt.NDArray[np.intp], list[str]]
"""Place of each cell's text among the sorted texts, and these."""


def _ranked(column: "pd.Series[Any]") -> Ranked:
    held = column.astype("category").array
    names = [str(name) for name in held.categories]
    places = np.argsort(np.argsort(np.array(names, dtype=object), kind="stable"), kind="stable")
    return places[held.codes].astype(np.intp), sorted(names)


def _after(ranks: dict[str, Ranked], given: Sequence[str]) -> npt.NDArray[np.bool_]:
    """The rows whose key comes after a given one, which need not be there itself."""
    size = len(next(iter(ranks.values()))[0])
    after, same = np.zeros(size, dtype=np.bool_), np.ones(size, dtype=np.bool_)
    for (codes, names), text in zip(ranks.values(), given, strict=True):
        low, high = bisect_left(names, text), bisect_right(names, text)
        after |= same & (codes >= high)
        same &= (codes >= low) & (codes < high)
    return after


def _written(key: Sequence[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key, ensure_ascii=False).encode()).decode().rstrip("=")


def _read(cursor: str, size: int) -> list[str]:
    try:
        key = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        good = isinstance(key, list) and len(key) == size and all(isinstance(text, str) for text in key)
    except (ValueError, RecursionError):
        good = False
    if not good:
        raise Problem(400, "cursor: take it as the last page gave it", parameter="cursor")
    found: list[str] = key
    return found
