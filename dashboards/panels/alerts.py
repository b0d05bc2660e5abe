"""What is wrong now: where, how much, since when - worst first, for the strip at the top and for lists.

Readings that miss their target, and sources that cannot be relied on. A list has a fixed number of
places in the page; what does not fit is counted, never silently left out.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from dash import html

from config.catalogue import Metric
from dashboards.panels.elements import part
from dashboards.panels.reading_text import chosen, target
from dashboards.panels.target_scale import target_position
from dashboards.view_readings import BUCKET, BUCKETS, ViewFigures, moment
from dashboards.window import Context, Needs, PanelData, Parts, Right
from metrics.readings import SOURCES, Reading, State
from metrics.states import URGENT, urgency
from wording.words import Words

NAMED = 2
"""How many places an alert names before it only counts."""
SHOWN = 4
"""Alerts for which the page has a place."""


@dataclass(frozen=True)
class Alert:
    """One thing that is wrong, in words."""

    state: State
    """Critical or warning."""
    weight: float
    """Among equals the heavier comes first: wider scope, then further off the target."""
    where: str
    what: str
    since: str


@dataclass(frozen=True)
class Alerts:
    """The line at the top of a window: a verdict, then the worst alerts, then how many more there are."""

    metrics: tuple[str, ...]
    """Whose targets are watched, in the scope and in the places below it."""

    def needs(self, context: Context) -> Needs:
        """The metrics in the scope and below, and where the sources stand."""
        names = tuple(metric.id for metric in chosen(context.catalogue, self.metrics))
        return Needs(names, (context.view.scope, *context.served_below), (SOURCES.name,))

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Section]:
        """Verdict and places for the worst."""
        items = html.Ol([_item(f"alert-{place}") for place in range(SHOWN)], className="alerts")
        verdict = html.Div([part("verdict"), part("counts")], id="verdict", className="verdict", role="status")
        more = html.Span(id="alerts-more", className="alerts-more")
        return [html.Section([verdict, items, more], className="strip")]

    def parts(self, context: Context, data: PanelData) -> Parts:
        """Everything wrong in the scope and in the places below it, worst first; sources count with the scope."""
        metrics = chosen(context.catalogue, self.metrics)
        found = alerts_of(data, metrics, context.view.scope, context.served_below, context.words)
        return _strip_parts(found, data.figures.any_known, context.words)


def alerts_of(
    data: PanelData, metrics: Sequence[Metric], scope: str, places: Sequence[str], words: Words
) -> list[Alert]:
    """Everything wrong in a scope and in the places below it, worst first."""
    found = [
        *_in_scope(data.figures, metrics, scope, words),
        *_below(data.figures, metrics, places, words),
        *_sources(data.frames[SOURCES.name], data.at, words),
    ]
    return sorted(found, key=lambda alert: (urgency(alert.state), -alert.weight))


def _strip_parts(found: Sequence[Alert], known: bool, words: Words) -> Parts:
    """The strip's parts; `known` is false while there are no figures at all, which is not the same as well."""
    critical = sum(alert.state is State.CRITICAL for alert in found)
    state = "none" if not known else "critical" if critical else "warning" if found else "good"
    counts = words("alerts.counts", critical=critical, warning=len(found) - critical) if found else ""
    more = words("alerts.more", n=len(found) - SHOWN) if len(found) > SHOWN else ""
    parts: dict[str, dict[str, Any]] = {
        "verdict": {"@data-state": state, ".verdict": words(f"verdict.{state}"), ".counts": counts},
        "alerts-more": {"text": more},
    }
    for place in range(SHOWN):
        parts[f"alert-{place}"] = _item_parts(found[place] if place < len(found) else None)
    return parts


def _item(name: str) -> html.Li:
    return html.Li([part("where", html.B), part("what"), part("since")], id=name, className="alert", hidden=True)


def _item_parts(alert: Alert | None) -> dict[str, Any]:
    if alert is None:
        return {"@hidden": "", "@data-state": None, ".where": "", ".what": "", ".since": ""}
    return {
        "@hidden": None,
        "@data-state": alert.state.value,
        ".where": alert.where,
        ".what": alert.what,
        ".since": alert.since,
    }


def _in_scope(figures: ViewFigures, metrics: Sequence[Metric], scope: str, words: Words) -> Iterator[Alert]:
    """Targets that the scope itself misses."""
    for metric in metrics:
        reading = figures.reading(metric.id, scope)
        if reading is not None and reading.state in URGENT:
            what = words("alert.miss", metric=words.of(metric.short), value=words.value(metric, reading.value),
                         target=target(metric, words))  # fmt: skip
            began = since(figures, metric, scope, words)
            yield Alert(reading.state, 10 + _miss(metric, reading), words.name(scope), what, began)


def _below(figures: ViewFigures, metrics: Sequence[Metric], places: Sequence[str], words: Words) -> Iterator[Alert]:
    """Targets that places below miss critically: one alert a metric, naming the worst places."""
    for metric in metrics:
        readings = [reading for place in places if (reading := figures.reading(metric.id, place)) is not None]
        missing = [reading for reading in readings if reading.state is State.CRITICAL]
        if not missing:
            continue
        missing.sort(key=lambda reading: -_miss(metric, reading))
        names = words("list.and").join(words.name(reading.region) for reading in missing[:NAMED])
        where = names if len(missing) <= NAMED else words("alert.places", names=names, n=len(missing))
        worst = missing[0]
        what = words("alert.worst" if len(missing) > 1 else "alert.miss", metric=words.of(metric.short),
                     value=words.value(metric, worst.value), target=target(metric, words))  # fmt: skip
        yield Alert(State.CRITICAL, _miss(metric, worst), where, what, since(figures, metric, worst.region, words))


def _sources(frame: pd.DataFrame, now: datetime, words: Words) -> Iterator[Alert]:
    """Sources whose figures are missing or old."""
    for channel, state, last, error, began in zip(
        *(frame[name].tolist() for name in ("channel", "state", "last_success", "error", "since")), strict=True
    ):
        if state in ("stale", "absent", "doubtful"):
            start = moment(began) or moment(last)
            stands = words("alert.source", state=words(f"source.{state}"))
            yield Alert(
                State.CRITICAL if state == "absent" else State.WARNING,
                5,
                words.name(channel),
                words("alert.source_why", source=stands, reason=words.told(error)) if error else stands,
                words("alert.since", time=words.clock(start, now)) if start else "",
            )


def since(figures: ViewFigures, metric: Metric, region: str, words: Words) -> str:
    """Since when the trend has missed the target without a break; '' where the trend does not show it."""
    run = 0
    for value in reversed(figures.trend(metric.id, region)):
        place = target_position(metric, value)
        if place is None or place >= 2 / 3:
            break
        run += 1
    if run == 0:
        return ""
    began = words.clock(_bucket_start(figures.at) - BUCKET * (run - 1), figures.at)
    return words("alert.since_at_least" if run == BUCKETS else "alert.since", time=began)


def _bucket_start(now: datetime) -> datetime:
    return now - timedelta(minutes=now.minute % 5, seconds=now.second, microseconds=now.microsecond)


def _miss(metric: Metric, reading: Reading) -> float:
    return 1 - (target_position(metric, reading.value) or 0.0)
