"""One bucket of time made small: the rows that answer every question about whole buckets as its own rows do.

additive    the sum of each key, at the bucket's start
peak        the largest of each key, at the bucket's start
level last  the last instant of each key, where it was: the last instant of any set of keys is the latest of
            theirs, and every key that had a row then still has it
level mean  every instant as it was, or nothing: how many instants a set of keys has cannot be told from how
level max   many each of them has, nor its largest sum from their largest values
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd

from config.catalogue import Kind, Measure
from metrics.observations import OBSERVATION_COLUMNS

KEY = ["measure", "region", "dimension"]


def by_instants(measure: Measure) -> bool:
    """Whether only all instants of a measure answer for a longer time."""
    return measure.kind is Kind.LEVEL and measure.over_time != "last"


def condensed(
    rows: pd.DataFrame, measures: Mapping[str, Measure], starts: Sequence[datetime], with_instants: bool
) -> pd.DataFrame:
    """OBSERVATION_COLUMNS of one channel by the buckets that begin at `starts`, from its rows of the same columns.

    `rows` begin in these buckets, which follow each other. `with_instants`: keep the measures of `by_instants` as they
    are; otherwise leave them out.
    """
    edges = pd.DatetimeIndex(starts).as_unit("s")
    at = edges[edges.searchsorted(pd.DatetimeIndex(rows["start"]), side="right") - 1]
    kinds = rows["measure"].map({name: _treatment(measure) for name, measure in measures.items()}).astype("str")
    bucketed = rows[list(OBSERVATION_COLUMNS)].assign(bucket=at)
    key = [*KEY, "bucket"]
    parts = [
        _at_start(bucketed[kinds == "sum"].groupby(key, observed=True, as_index=False)["value"].sum()),
        _at_start(bucketed[kinds == "max"].groupby(key, observed=True, as_index=False)["value"].max()),
        bucketed[kinds == "last"].sort_values("start").drop_duplicates(key, keep="last"),
        bucketed[kinds == "instants"] if with_instants else bucketed.iloc[:0],
    ]
    return pd.concat([_plain(part) for part in parts], ignore_index=True)


def _treatment(measure: Measure) -> str:
    if measure.kind is Kind.LEVEL:
        return "instants" if by_instants(measure) else "last"
    return "sum" if measure.kind is Kind.ADDITIVE else "max"


def _at_start(part: pd.DataFrame) -> pd.DataFrame:
    return part.rename(columns={"bucket": "start"})


def _plain(part: pd.DataFrame) -> pd.DataFrame:
    """Columns of one type in every part: text, whole seconds, numbers."""
    types = {**dict.fromkeys(KEY, "str"), "start": "datetime64[s, UTC]", "value": "float64"}
    return part[list(OBSERVATION_COLUMNS)].astype(types)
