"""Questions about the past and present: one metric over time, split by place, channel or dimension.

The same sums, the same division and the same exclusions as on the screens: a metric of several
channels stands on those that deliver every measure of its formula.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from config.catalogue import Catalogue, Formula, Kind, Level
from metrics.arithmetic import figures
from metrics.findings import CheckState
from metrics.formula import formula_of, formula_table
from metrics.intervals import SIZES, STEPS_S, buckets
from metrics.observations import Interval
from metrics.readings import Trust
from metrics.states import ORDER, states_of
from pipeline.parts import Parts
from store.history import Question
from store.state.open_finding import OpenFinding

GRAINS = SIZES
REGION, CHANNEL = "region", "channel"
BELOW = {Level.NATION: "province", Level.PROVINCE: "city", Level.CITY: "centre", Level.CENTRE: "region"}
"""What a region is split into."""


class CannotAnswer(ValueError):
    """The question names something that does not exist or does not fit; the message says what there is."""


@dataclass(frozen=True)
class Asked:
    """A question as it comes from outside; `plan` checks it."""

    metric: str
    interval: Interval
    by: str = "total"
    region: str = "100000"
    channel: str | None = None
    group: str | None = None
    variant: str | None = None


@dataclass(frozen=True)
class Answerable:
    """A question that was checked against the catalogue."""

    asked: Asked
    formula: Formula
    channels: tuple[str, ...]
    """Those that deliver every measure of the formula."""
    group: str | None
    """The store's name of the group: a level, `channel` or a dimension."""


def plan(catalogue: Catalogue, asked: Asked) -> Answerable:
    """Check a question; raises CannotAnswer saying what is unknown and what there is."""
    metric = catalogue.metrics.get(asked.metric)
    if metric is None:
        raise CannotAnswer(f"no metric {asked.metric!r}; there are {', '.join(catalogue.metrics)}")
    if asked.region not in catalogue.regions:
        raise CannotAnswer(
            f"no region {asked.region!r}; codes are adcodes such as 440000, or those of config/centres.yaml"
        )
    if asked.by not in GRAINS:
        raise CannotAnswer(f"cannot split by {asked.by!r}; there are {', '.join(GRAINS)}")
    if asked.channel is not None and asked.channel not in catalogue.channels:
        raise CannotAnswer(f"no channel {asked.channel!r}; there are {', '.join(catalogue.channels)}")
    try:
        formula = formula_of(metric, asked.variant)
    except KeyError as error:
        raise CannotAnswer(str(error.args[0])) from None
    return Answerable(asked, formula, _channels(catalogue, asked, formula), _group(catalogue, asked))


def answer(parts: Parts, asked: Asked) -> list[dict[str, Any]]:
    """Rows start, end, region, channel, [dimension,] metric, value, numerator, denominator, n, state, trust."""
    ready = plan(parts.catalogue, asked)
    spans = list(buckets(asked.interval, asked.by, parts.catalogue.day))
    sums = _sums(parts, ready)
    groups = [""] if ready.group is None else sorted(sums.index.get_level_values("group").unique())
    index = pd.MultiIndex.from_tuples(product([span.start for span in spans], groups), names=["bucket", "group"])
    found = sums.reindex(index)
    if not found.empty:
        found = _zeros(parts.catalogue, ready.formula, found)
    table = formula_table({asked.metric: ready.formula}, ready.formula.measures)
    wide = found.reindex(columns=list(table.measures)).to_numpy(dtype=np.float64).T
    out = figures(table, wide)
    states = states_of(parts.catalogue.metrics[asked.metric], out.value[0], out.n[0])
    troubles = parts.state.findings.during(asked.interval)
    ends = {span.start: span.end for span in spans}
    return [
        _row(parts, ready, Interval(start, ends[start]), group, cells, ORDER[state].value, troubles)
        for (start, group), cells, state in zip(
            index, zip(out.value[0], out.numerator[0], out.denominator[0], out.n[0], strict=True), states, strict=True
        )
    ]


def _channels(catalogue: Catalogue, asked: Asked, formula: Formula) -> tuple[str, ...]:
    fit = tuple(
        name
        for name in ([asked.channel] if asked.channel else catalogue.channels)
        if all(catalogue.delivery(name, measure) for measure in formula.measures)
    )
    if not fit:
        whole = f"channel {asked.channel}" if asked.channel else "any channel"
        raise CannotAnswer(
            f"{asked.metric} needs {', '.join(formula.measures)}, which {whole} does not deliver together"
        )
    return fit


def _group(catalogue: Catalogue, asked: Asked) -> str | None:
    if asked.group is None or asked.group == CHANNEL:
        return asked.group
    if asked.group == REGION:
        return BELOW[catalogue.regions[asked.region].level]
    if asked.group not in catalogue.dimensions:
        there = ", ".join([REGION, CHANNEL, *catalogue.dimensions])
        raise CannotAnswer(f"cannot group by {asked.group!r}; there are {there}")
    return asked.group


def _sums(parts: Parts, ready: Answerable) -> pd.DataFrame:
    """Measure sums with index (bucket, group) and a column a measure."""
    asked = ready.asked
    by = asked.by if asked.by == "day" else STEPS_S.get(asked.by)
    question = Question(
        measures=ready.formula.measures,
        interval=asked.interval,
        by=by,  # type: ignore[arg-type]  # "day" is the only text that comes here
        group=(ready.group,) if ready.group else (),
        within=asked.region,
        channels=ready.channels,
    )
    rows = parts.history.totals(question)
    spans = list(buckets(asked.interval, asked.by, parts.catalogue.day))
    edges = pd.DatetimeIndex([span.start for span in spans])
    starts = (
        pd.DatetimeIndex(rows["start"])
        if by is not None
        else pd.DatetimeIndex([edges[0]] * len(rows), dtype=edges.dtype)
    )
    at = np.maximum(edges.searchsorted(starts, side="right") - 1, 0)
    rows = rows.assign(bucket=edges[at].to_pydatetime(), group=rows[ready.group].astype(str) if ready.group else "")
    return rows.pivot_table(index=["bucket", "group"], columns="measure", values="value", aggfunc="sum", observed=True)


def _zeros(catalogue: Catalogue, formula: Formula, sums: pd.DataFrame) -> pd.DataFrame:
    """Where anything of a channel was read, an additive measure without a row is a zero that was read."""
    additive = [name for name in formula.measures if catalogue.measures[name].kind is Kind.ADDITIVE]
    whole = sums.reindex(columns=list(formula.measures))
    read = whole.notna().any(axis=1)
    whole.loc[read, additive] = whole.loc[read, additive].fillna(0.0)
    return whole


def _row(
    parts: Parts,
    ready: Answerable,
    span: Interval,
    group: str,
    cells: tuple[float, float, float, float],
    state: str,
    troubles: list[OpenFinding],
) -> dict[str, Any]:
    asked = ready.asked
    grouped_by_place = ready.group in BELOW.values() and ready.group is not None
    region = group if grouped_by_place and group else asked.region
    channel = group if ready.group == CHANNEL else (asked.channel or "")
    dimension = {} if grouped_by_place or ready.group in (None, CHANNEL) else {str(ready.group): group}
    value, numerator, denominator, n = (None if np.isnan(cell) else float(cell) for cell in cells)
    trust = _trust(parts.catalogue, ready, span, region, channel, n, troubles)
    return {
        "start": span.start,
        "end": span.end,
        "region": region,
        "channel": channel,
        **dimension,
        "metric": asked.metric if asked.variant is None else f"{asked.metric}:{asked.variant}",
        "value": value,
        "numerator": numerator,
        "denominator": denominator,
        "n": n,
        "state": state,
        "trust": trust.value,
    }


def _trust(
    catalogue: Catalogue,
    ready: Answerable,
    span: Interval,
    region: str,
    channel: str,
    n: float | None,
    troubles: list[OpenFinding],
) -> Trust:
    """What a figure of the past is worth: absent without data, doubtful where a hard rule failed on its measures."""
    if n is None:
        return Trust.ABSENT
    channels = (channel,) if channel else ready.channels
    places = set(catalogue.below(region))
    for trouble in troubles:
        hit = (
            trouble.state == CheckState.FAIL
            and trouble.channel in channels
            and trouble.measure in ready.formula.measures
            and (not trouble.region or trouble.region in places)
            and _meets(trouble, span)
        )
        if hit:
            return Trust.DOUBTFUL
    return Trust.SOUND


def _meets(trouble: OpenFinding, span: Interval) -> bool:
    start: datetime = trouble.start or span.start
    end: datetime = trouble.end or span.end
    return start < span.end and span.start < end
