"""The observations behind a figure, a page at a time."""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pandas as pd

from analysis.questions.faults import CannotAnswer
from analysis.questions.plan import Plan
from analysis.questions.stores import Stores
from analysis.questions.sums import Cancelled, go_on
from metrics.observations import Interval, decode_dimensions
from store.faults import NotKept

ROW_COLUMNS = ("start", "region", "channel", "measure", "dimension", "value", "revision", "received_at", "batch")
ORDER = ["start", "channel", "measure", "region", "dimension"]
ROWS_A_LOOK = 500_000
"""Rows of all measures that are looked through at once."""


def rows_behind(stores: Stores, asked: Plan, cancelled: Cancelled) -> tuple[pd.DataFrame, bool]:
    """A page of ROW_COLUMNS, oldest first, and whether there are more; raises Stopped, CannotAnswer."""
    question = asked.question
    first, last = question.page * question.page_rows, (question.page + 1) * question.page_rows
    if last > asked.limits.cells:
        raise CannotAnswer(f"rows are given up to the {asked.limits.cells:,}th: choose a shorter span", "too_much")
    found: list[pd.DataFrame] = []
    before = 0
    for span in _looks(asked):
        go_on(cancelled)
        rows = _chosen(stores, asked, span)
        found.append(rows.iloc[max(0, first - before) : max(0, last + 1 - before)])
        before += len(rows)
        if before > last:
            break
    page = pd.concat(found, ignore_index=True)
    return page.iloc[: question.page_rows], before > last


def _looks(asked: Plan) -> Iterator[Interval]:
    """The span in pieces that hold few enough rows."""
    start, end = asked.question.span.start, asked.question.span.end
    step = timedelta(seconds=max(60.0, ROWS_A_LOOK / max(asked.rows_a_second, 1e-9)))
    while start < end:
        following = min(start + step, end) if step < end - start else end
        yield Interval(start, following)
        start = following


def _chosen(stores: Stores, asked: Plan, span: Interval) -> pd.DataFrame:
    """The rows of a piece that the figure stands on, in order."""
    checked, question = asked.checked, asked.question
    try:
        rows = stores.history.observations(span, checked.channels, question.as_known_at, (*ROW_COLUMNS, "reported"))
    except NotKept as error:
        raise CannotAnswer(str(error), "not_kept") from error
    below = set(stores.catalogue.below(question.place))
    chosen = rows["measure"].isin(checked.measures) & rows["region"].isin(below) & ~rows["reported"]
    for dimension, values in question.filters:
        chosen &= _holds(rows["dimension"], dimension, values)
    kept = rows.loc[chosen, list(ROW_COLUMNS)]
    texts = {name: "str" for name in ROW_COLUMNS if isinstance(kept[name].dtype, pd.CategoricalDtype)}
    return kept.astype(texts).sort_values(ORDER, ignore_index=True)


def _holds(keys: pd.Series, dimension: str, values: tuple[str, ...]) -> pd.Series:
    """Which dimension keys have one of some values."""
    coded = keys.astype("category").cat
    held = np.array([decode_dimensions(key).get(dimension, "") in values for key in coded.categories], np.bool_)
    codes = coded.codes.to_numpy()
    return pd.Series(held[codes] if len(held) else np.zeros(len(codes), np.bool_), keys.index)
