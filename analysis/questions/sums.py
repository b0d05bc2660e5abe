"""The sums behind an answer, read in pieces of its span, so that who stops waiting stops the work."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from analysis.questions.faults import CannotAnswer, Stopped
from analysis.questions.plan import Plan
from analysis.questions.question import CHANNEL
from config.catalogue import Catalogue
from metrics.intervals import STEPS_S, buckets
from metrics.observations import Interval
from metrics.rollup import roll_up
from store.facts.history import History, SumQuery
from store.faults import NotKept

Cancelled = Callable[[], bool]
"""Whether nobody waits for the answer any more."""


def never() -> bool:
    """Somebody waits to the end."""
    return False


def go_on(cancelled: Cancelled) -> None:
    """Raise Stopped if nobody waits any more."""
    if cancelled():
        raise Stopped


@dataclass(frozen=True)
class Sums:
    """Sums by bucket: columns bucket (position in `buckets`), channel, the keys, measure and value."""

    buckets: tuple[Interval, ...]
    keys: tuple[str, ...]
    """Names of the groups' columns: levels, `channel`, dimensions."""
    rows: pd.DataFrame


def read_sums(history: History, catalogue: Catalogue, asked: Plan, cancelled: Cancelled = never) -> Sums:
    """The sums of a plan by bucket, channel and group, and by mark if the figure is read off a sketch.

    Channels are kept apart, because one that lacks a measure at a place must not bend the others. Raises Stopped, and
    CannotAnswer for time of which only larger buckets are kept.
    """
    checked, question = asked.checked, asked.question
    spans = tuple(buckets(question.span, question.grain, catalogue.day))
    keys = tuple(dict.fromkeys([CHANNEL, *checked.keys, *checked.marks]))
    parts = []
    for number, piece in enumerate(asked.pieces):
        go_on(cancelled)
        found = _read(history, asked, keys, piece)
        if not found.empty:
            parts.append(positioned(found, spans, question.grain).assign(start=number))
    go_on(cancelled)
    return Sums(spans, checked.keys, _joined(parts, keys, catalogue))


def _read(history: History, asked: Plan, keys: tuple[str, ...], piece: Interval) -> pd.DataFrame:
    question = asked.question
    query = SumQuery(
        measures=asked.checked.measures,
        interval=piece,
        by="day" if question.grain == "day" else STEPS_S.get(question.grain),
        group=keys,
        within=question.place,
        channels=asked.checked.channels,
        where=dict(question.filters),
        as_known_at=question.as_known_at,
    )
    try:
        return history.totals(query)
    except NotKept as error:
        raise CannotAnswer(str(error), "not_kept") from error


def positioned(rows: pd.DataFrame, spans: tuple[Interval, ...], grain: str) -> pd.DataFrame:
    """The rows with the position of their bucket; the one that the span cuts at its start begins before the span."""
    if grain == "total":
        return rows.assign(bucket=0)
    edges = pd.DatetimeIndex([span.start for span in spans]).as_unit("s")
    at = edges.searchsorted(pd.DatetimeIndex(rows["start"]), side="right") - 1
    return rows.assign(bucket=np.maximum(at, 0))


def _joined(parts: list[pd.DataFrame], keys: tuple[str, ...], catalogue: Catalogue) -> pd.DataFrame:
    """The sums of all pieces: a bucket that lies in several of them is put together as its measures are."""
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in ("bucket", *keys, "measure", "value")})
    texts = [part.astype(dict.fromkeys([*keys, "measure"], "str")) for part in parts]
    rows = pd.concat(texts, ignore_index=True)
    if len(parts) == 1 or not rows.duplicated(["bucket", *keys, "measure"]).any():
        return rows
    return roll_up(rows, catalogue.measures, ["bucket", *keys])


def moments(spans: tuple[Interval, ...]) -> list[datetime]:
    """The edges of buckets that follow each other."""
    return [*(span.start for span in spans), spans[-1].end]
