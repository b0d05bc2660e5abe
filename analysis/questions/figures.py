"""The figures of one span as a table, each with its state and its trust."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from analysis.questions.cells import Groups, figures_of
from analysis.questions.checking import BELOW, Checked
from analysis.questions.faults import CannotAnswer
from analysis.questions.plan import Plan
from analysis.questions.question import CHANNEL
from analysis.questions.standing import standing_of
from analysis.questions.stores import Stores
from analysis.questions.sums import Cancelled, Sums, go_on, read_sums
from analysis.questions.trust import trusted
from config.catalogue import Sketch
from metrics.arithmetic import Figures
from metrics.states import ORDER, states_of

BUCKET = "bucket"
"""Position of a figure's bucket in its span; not shown."""


@dataclass(frozen=True)
class FigureTable:
    """Figures by bucket and group."""

    frame: pd.DataFrame
    """bucket, start, end, region, channel, dimensions, metric, value, numerator, denominator, n, state, trust, reason.

    A sketch that is split by a group has `together` as well: its value over all groups of the bucket, because neither
    percentiles nor numbers of people add up to it.
    """
    data_at: datetime | None
    """Up to when the sources have been read."""


def figure_table(stores: Stores, asked: Plan, cancelled: Cancelled) -> FigureTable:
    """Work out the figures of a plan; raises Stopped, and CannotAnswer where there are more than may be."""
    sums = read_sums(stores.history, stores.catalogue, asked, cancelled)
    groups = Groups.of(sums)
    _bound(asked, len(sums.buckets) * len(groups))
    standing = standing_of(stores, asked, sums)
    go_on(cancelled)
    figures = figures_of(stores.catalogue, asked.checked, sums, groups, standing.came)
    go_on(cancelled)
    trust, reason = trusted(stores, asked, sums, groups, figures, standing)
    frame = _named(asked.checked, sums, groups).assign(
        value=figures.value,
        numerator=figures.numerator,
        denominator=figures.denominator,
        n=figures.n,
        state=[ORDER[code].value for code in states_of(asked.checked.metric, figures.value, figures.n)],
        trust=trust,
        reason=reason,
    )
    if isinstance(asked.checked.reading, Sketch) and asked.checked.keys:
        frame["together"] = _together(stores, asked.checked, sums, standing.came).value[frame[BUCKET]]
    return FigureTable(frame, standing.data_at)


def _bound(asked: Plan, cells: int) -> None:
    """Refuse more figures than may be, once the values of open dimensions are known."""
    if cells > asked.limits.cells:
        raise CannotAnswer(
            f"{cells:,} cells asked, {asked.limits.cells:,} fit: choose values of the dimension, or one group less",
            "too_much",
        )


def _named(checked: Checked, sums: Sums, groups: Groups) -> pd.DataFrame:
    """What each figure is about, bucket by bucket."""
    number, buckets = len(groups), len(sums.buckets)
    ends = {
        name: pd.DatetimeIndex([getattr(span, name) for span in sums.buckets]).as_unit("us").repeat(number)
        for name in ("start", "end")
    }
    dimensions = [key for key in checked.keys if key != CHANNEL and key not in BELOW.values()]
    return pd.DataFrame(
        {
            BUCKET: np.repeat(np.arange(buckets), number),
            **ends,
            "region": groups.regions(checked) * buckets,
            "channel": groups.channels(checked) * buckets,
            **{name: list(groups.frame[name]) * buckets for name in dimensions},
            "metric": checked.subject,
        }
    )


def _together(stores: Stores, checked: Checked, sums: Sums, came: Mapping[str, np.ndarray]) -> Figures:
    """What each bucket is worth over all groups."""
    whole = replace(sums, keys=())
    return figures_of(stores.catalogue, replace(checked, keys=()), whole, Groups.of(whole), came)
