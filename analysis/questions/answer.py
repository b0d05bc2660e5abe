"""Questions about the past and present: one metric over time, split by place, channel or dimension.

The same sums, the same division and the same exclusions as on the screens: a metric of several
channels stands on those that deliver every measure of its formula. A sketch is asked for in the same
way: its sums are split by mark too, and the figure is read off those.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from analysis.questions.cells import formula_cells, sketch_cells
from config.catalogue import Catalogue, Formula, Level, Metric, Sketch
from metrics.findings import CheckState
from metrics.formula import formula_of
from metrics.intervals import SIZES, STEPS_S, buckets
from metrics.observations import Interval
from metrics.readings import Trust
from metrics.states import ORDER, states_of
from store.facts.history import History, SumQuery
from store.state.findings import Findings
from store.state.open_finding import OpenFinding

GRAINS = SIZES
REGION, CHANNEL = "region", "channel"
BELOW = {Level.NATION: "province", Level.PROVINCE: "city", Level.CITY: "centre", Level.CENTRE: "region"}
"""What a region is split into."""


@dataclass(frozen=True)
class Stores:
    """Where answers come from."""

    catalogue: Catalogue
    history: History
    findings: Findings


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
    metric: Metric | Sketch
    reading: Formula | Sketch
    """How the figure is worked out: the metric's formula, a variant of it, or the sketch itself."""
    channels: tuple[str, ...]
    """Those that deliver every measure."""
    group: str | None
    """The store's name of the group: a level, `channel` or a dimension."""

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the figure stands on."""
        return _measures(self.reading)


def plan(catalogue: Catalogue, asked: Asked) -> Answerable:
    """Check a question; raises CannotAnswer saying what is unknown and what there is."""
    metric = catalogue.metrics.get(asked.metric) or catalogue.sketches.get(asked.metric)
    if metric is None:
        there = ", ".join([*catalogue.metrics, *catalogue.sketches])
        raise CannotAnswer(f"no metric {asked.metric!r}; there are {there}")
    if asked.region not in catalogue.regions:
        raise CannotAnswer(
            f"no region {asked.region!r}; codes are adcodes such as 440000, or those of config/centres.yaml"
        )
    if asked.by not in GRAINS:
        raise CannotAnswer(f"cannot split by {asked.by!r}; there are {', '.join(GRAINS)}")
    if asked.channel is not None and asked.channel not in catalogue.channels:
        raise CannotAnswer(f"no channel {asked.channel!r}; there are {', '.join(catalogue.channels)}")
    reading, group = _reading(metric, asked), _group(catalogue, asked)
    if isinstance(reading, Sketch) and group == reading.dimension:
        raise CannotAnswer(f"cannot group by {group!r}: {asked.metric} is read off it")
    return Answerable(asked, metric, reading, _channels(catalogue, asked, _measures(reading)), group)


def answer(stores: Stores, asked: Asked) -> list[dict[str, Any]]:
    """Rows start, end, region, channel, [dimension,] metric, value, numerator, denominator, n, state, trust.

    A sketch that is split by a group has `together` as well: its value over all groups of the bucket, because
    neither percentiles nor numbers of people add up to it.
    """
    ready = plan(stores.catalogue, asked)
    spans = list(buckets(asked.interval, asked.by, stores.catalogue.day))
    sums = _sums(stores, ready)
    groups = [""] if ready.group is None else sorted(sums["group"].unique())
    index = pd.MultiIndex.from_tuples(product([span.start for span in spans], groups), names=["bucket", "group"])
    extra: list[dict[str, Any]] = [{}] * len(index)
    if isinstance(ready.reading, Sketch):
        out = sketch_cells(stores.catalogue, ready.reading, sums, index)
        if ready.group is not None:
            extra = _together(stores.catalogue, ready.reading, sums, index)
    else:
        out = formula_cells(stores.catalogue, ready.reading, sums, index)
    states = states_of(ready.metric, out.value, out.n)
    troubles = stores.findings.during(asked.interval)
    ends = {span.start: span.end for span in spans}
    return [
        _row(stores, ready, Interval(start, ends[start]), group, cells, ORDER[state].value, troubles) | more
        for (start, group), cells, state, more in zip(
            index, zip(out.value, out.numerator, out.denominator, out.n, strict=True), states, extra, strict=True
        )
    ]


def _reading(metric: Metric | Sketch, asked: Asked) -> Formula | Sketch:
    if isinstance(metric, Sketch):
        if asked.variant is not None:
            raise CannotAnswer(f"{metric.id} has no variants")
        return metric
    try:
        return formula_of(metric, asked.variant)
    except KeyError as error:
        raise CannotAnswer(str(error.args[0])) from None


def _measures(reading: Formula | Sketch) -> tuple[str, ...]:
    return (reading.measure,) if isinstance(reading, Sketch) else reading.measures


def _together(catalogue: Catalogue, sketch: Sketch, sums: pd.DataFrame, index: pd.MultiIndex) -> list[dict[str, Any]]:
    """What each cell's bucket is worth over all groups."""
    whole = pd.MultiIndex.from_tuples([(start, "") for start, _ in index], names=index.names)
    values = sketch_cells(catalogue, sketch, sums.assign(group=""), whole).value
    return [{"together": None if np.isnan(value) else float(value)} for value in values]


def _channels(catalogue: Catalogue, asked: Asked, measures: tuple[str, ...]) -> tuple[str, ...]:
    fit = tuple(
        name
        for name in ([asked.channel] if asked.channel else catalogue.channels)
        if all(catalogue.delivery(name, measure) for measure in measures)
    )
    if not fit:
        whole = f"channel {asked.channel}" if asked.channel else "any channel"
        raise CannotAnswer(f"{asked.metric} needs {', '.join(measures)}, which {whole} does not deliver together")
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


def _sums(stores: Stores, ready: Answerable) -> pd.DataFrame:
    """Sums: bucket, group, measure, value, and the marks of a sketch under its dimension's name."""
    asked = ready.asked
    by = asked.by if asked.by == "day" else STEPS_S.get(asked.by)
    marks = (ready.reading.dimension,) if isinstance(ready.reading, Sketch) else ()
    question = SumQuery(
        measures=ready.measures,
        interval=asked.interval,
        by=by,  # type: ignore[arg-type]  # "day" is the only text that comes here
        group=((ready.group,) if ready.group else ()) + marks,
        within=asked.region,
        channels=ready.channels,
    )
    rows = stores.history.totals(question)
    spans = list(buckets(asked.interval, asked.by, stores.catalogue.day))
    edges = pd.DatetimeIndex([span.start for span in spans])
    starts = (
        pd.DatetimeIndex(rows["start"])
        if by is not None
        else pd.DatetimeIndex([edges[0]] * len(rows), dtype=edges.dtype)
    )
    at = np.maximum(edges.searchsorted(starts, side="right") - 1, 0)
    return rows.assign(bucket=edges[at].to_pydatetime(), group=rows[ready.group].astype(str) if ready.group else "")


def _row(
    stores: Stores,
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
    trust = _trust(stores.catalogue, ready, span, region, channel, n, troubles)
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
            and trouble.measure in ready.measures
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
