"""Adding observations up, each kind of measure by its own rule; the obvious form that faster ones must equal.

Additive measures sum over everything. A level sums over places at one instant, and over time its
last, mean or largest instant stands for the period. A peak takes the largest both ways.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from config.catalogue import Kind, Measure


def roll_up(rows: pd.DataFrame, measures: Mapping[str, Measure], by: Sequence[str] = ()) -> pd.DataFrame:
    """Sums of observations by measure and whatever else `by` names; columns `by`, measure, value.

    `rows` have measure, channel, start, value and the columns of `by`; reported totals must be left out before.
    """
    keys = [*by, "measure"]
    kinds = rows["measure"].map({name: measure.kind.value for name, measure in measures.items()})
    parts = [
        rows[kinds == Kind.ADDITIVE].groupby(keys, as_index=False)["value"].sum(),
        rows[kinds == Kind.PEAK].groupby(keys, as_index=False)["value"].max(),
        *(
            _levels(rows[rows["measure"] == name], measures[name].over_time, keys)
            for name in rows.loc[kinds == Kind.LEVEL, "measure"].unique()
        ),
    ]
    return pd.concat(parts, ignore_index=True)[[*keys, "value"]]


def _levels(rows: pd.DataFrame, over_time: str, keys: list[str]) -> pd.DataFrame:
    """A level of each channel at each instant, then over the channel's instants, then over channels.

    Channels count at their own intervals, so only after the second step do their figures belong to the same time;
    but the largest of the whole is that of one instant, so for `max` the channels are added first.
    """
    if over_time == "max":
        instants = rows.groupby([*keys, "start"], as_index=False)["value"].sum()
        return instants.groupby(keys, as_index=False)["value"].max()
    once = list(dict.fromkeys([*keys, "channel"]))
    instants = rows.groupby([*once, "start"], as_index=False)["value"].sum().sort_values("start")
    periods = instants.groupby(once, as_index=False)["value"].agg(over_time)
    return periods.groupby(keys, as_index=False)["value"].sum()
