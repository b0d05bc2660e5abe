"""Answers: one figure over time, split by place, channel or dimension, as every screen, export and system gets it.

The same sums, the same division and the same exclusions as on the screens, and the same trust with its reason.

1. The question is planned (`plan.py`): what it names exists, the asker may see it, and it is not too much.
2. Its sums are read by channel (`sums.py`) and worked out (`cells.py`).
3. It is judged how far each figure can be relied on (`standing.py`, `trust.py`).
4. The span or target that it is compared with is laid beside it (`comparing.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from analysis.questions.comparing import compared
from analysis.questions.figures import BUCKET, FigureTable, figure_table
from analysis.questions.plan import Plan, plan
from analysis.questions.question import Question
from analysis.questions.rows import rows_behind
from analysis.questions.stores import Stores
from analysis.questions.sums import Cancelled, never
from config.catalogue import NATION

Row = dict[str, Any]
TIMES = ("start", "end", "received_at")


@dataclass(frozen=True)
class Answer:
    """The rows that answer a question, and what is needed to cite them."""

    question: Question
    frame: pd.DataFrame = field(compare=False)
    """A row a figure: start, end, region, channel, dimensions, metric, value, numerator, denominator, n, state, trust,
    reason, `together` of a sketch that is split, then what it is compared with. Of `rows`: `rows.ROW_COLUMNS`."""
    data_at: datetime | None
    """Up to when all sources of the figure that ever came have been read."""
    version: int
    """Of the metric's definition."""
    more: bool = False
    """Whether there are further pages of rows."""

    def rows(self) -> list[Row]:
        """The frame's rows; None is no value, times are aware."""
        columns = {str(name): _plain(self.frame[name]) for name in self.frame}
        return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads back, of JSON's own types; a column a list."""
        columns = {str(name): [_told(cell) for cell in _plain(self.frame[name])] for name in self.frame}
        return {
            "question": self.question.to_parameters(),
            "columns": columns,
            "data_at": _told(self.data_at),
            "version": self.version,
            "more": self.more,
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Answer":
        """The answer that `to_json` wrote."""
        columns = {name: _column(name, cells) for name, cells in content["columns"].items()}
        data_at = content["data_at"]
        return cls(
            Question.from_parameters(content["question"]),
            pd.DataFrame(columns),
            None if data_at is None else datetime.fromisoformat(data_at),
            content["version"],
            content["more"],
        )


def answer(stores: Stores, question: Question, scope: str = NATION, cancelled: Cancelled = never) -> Answer:
    """Answer a question of somebody who may see `scope`; raises CannotAnswer, and Stopped once it is cancelled."""
    asked = planned(stores, question, scope)
    if question.rows:
        page, more = rows_behind(stores, asked, cancelled)
        return Answer(question, page, None, asked.checked.metric.ownership.version, more)
    table = figure_table(stores, asked, cancelled)
    other = partial(_other, stores, scope, cancelled)
    frame = compared(table.frame, question, asked.checked.metric, stores.catalogue.day, other)
    return Answer(question, frame.drop(columns=BUCKET), table.data_at, asked.checked.metric.ownership.version)


def planned(stores: Stores, question: Question, scope: str = NATION) -> Plan:
    """What a question would cost; raises CannotAnswer."""
    channels = (question.channel,) if question.channel else tuple(stores.catalogue.channels)
    rows_a_second = stores.state.past.rows_a_second(channels, stores.clock())
    return plan(question, stores.catalogue, rows_a_second, scope, stores.limits)


def _other(stores: Stores, scope: str, cancelled: Cancelled, question: Question) -> FigureTable:
    """The figures of the span that a question is compared with."""
    return figure_table(stores, planned(stores, question, scope), cancelled)


def _plain(column: pd.Series) -> list[Any]:
    """A column's cells; None is no value, times are aware."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return [None if pd.isna(moment) else moment.to_pydatetime() for moment in column]
    cells: list[Any] = column.astype(object).where(column.notna(), None).tolist()
    return cells


def _told(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, datetime) else cell


def _column(name: str, cells: Sequence[Any]) -> pd.Series:
    if name in TIMES:
        return pd.Series([datetime.fromisoformat(cell).astimezone(UTC) for cell in cells], dtype="datetime64[us, UTC]")
    numbers = cells and all(cell is None or isinstance(cell, int | float) for cell in cells)
    return pd.Series(cells, dtype=np.float64 if numbers else object)
