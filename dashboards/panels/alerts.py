"""What is wrong now: where, how much, since when - worst first, for the strip at the top and for lists.

Readings that miss their target, and sources that cannot be relied on. A list has a fixed number of
places in the page; what does not fit is counted, never silently left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dash import html

from config.catalogue import Catalogue, Metric
from dashboards.panels.elements import part
from dashboards.panels.target_scale import LOUD, target_position
from dashboards.panels.tiles import target
from dashboards.panels.view_readings import BUCKET, BUCKETS, ViewFigures, moment
from metrics.readings import Reading, Snapshot, State
from wording.words import Words

NAMED = 2
"""How many places an alert names before it only counts."""
SEVERITY = {"critical": 0, "warning": 1}


@dataclass(frozen=True)
class Alert:
    """One thing that is wrong, in words; `severity` is critical or warning."""

    severity: str
    weight: float
    """Among equals the heavier comes first: wider scope, then further off the target."""
    where: str
    what: str
    since: str


def alerts(
    snapshot: Snapshot, sheet: ViewFigures, metrics: Sequence[Metric], scope: str, places: Sequence[str], words: Words
) -> list[Alert]:
    """Everything wrong in a scope and in the places below it, worst first; sources count with the scope."""
    found = [*_own(sheet, metrics, scope, words), *_below(sheet, metrics, places, words), *_sources(snapshot, words)]
    return sorted(found, key=lambda alert: (SEVERITY[alert.severity], -alert.weight))


def strip(places: int) -> html.Section:
    """The line at the top of a window: a verdict, then the worst alerts, then how many more there are."""
    return html.Section(
        [
            html.Div([part("verdict"), part("counts")], id="verdict", className="verdict", role="status"),
            html.Ol([_item(f"alert-{place}") for place in range(places)], className="alerts"),
            html.Span(id="alerts-more", className="alerts-more"),
        ],
        className="strip",
    )


def strip_parts(found: Sequence[Alert], known: bool, places: int, words: Words) -> dict[str, dict[str, Any]]:
    """The strip's parts; `known` is false while there are no figures at all, which is not the same as well."""
    critical = sum(alert.severity == "critical" for alert in found)
    state = "none" if not known else "critical" if critical else "warning" if found else "good"
    counts = words("alerts.counts", critical=critical, warning=len(found) - critical) if found else ""
    parts: dict[str, dict[str, Any]] = {
        "verdict": {"@data-state": state, ".verdict": words(f"verdict.{state}"), ".counts": counts},
        "alerts-more": {"text": words("alerts.more", n=len(found) - places) if len(found) > places else ""},
    }
    for place in range(places):
        parts[f"alert-{place}"] = _item_parts(found[place] if place < len(found) else None)
    return parts


def _item(name: str) -> html.Li:
    return html.Li([part("where", html.B), part("what"), part("since")], id=name, className="alert", hidden=True)


def _item_parts(alert: Alert | None) -> dict[str, Any]:
    if alert is None:
        return {"@hidden": "", "@data-state": None, ".where": "", ".what": "", ".since": ""}
    return {
        "@hidden": None,
        "@data-state": alert.severity,
        ".where": alert.where,
        ".what": alert.what,
        ".since": alert.since,
    }


def _own(sheet: ViewFigures, metrics: Sequence[Metric], scope: str, words: Words) -> Iterator[Alert]:
    """Targets that the scope itself misses."""
    for metric in metrics:
        reading = sheet.reading(metric.id, scope)
        if reading is not None and reading.state in LOUD:
            what = words("alert.miss", metric=words.of(metric.short), value=words.value(metric, reading.value),
                         target=target(metric, words))  # fmt: skip
            yield Alert(reading.state.value, 10 + _miss(metric, reading), words.name(scope), what,
                        since(sheet, metric, scope, words))  # fmt: skip


def _below(sheet: ViewFigures, metrics: Sequence[Metric], places: Sequence[str], words: Words) -> Iterator[Alert]:
    """Targets that places below miss critically: one alert a metric, naming the worst places."""
    for metric in metrics:
        readings = [reading for place in places if (reading := sheet.reading(metric.id, place)) is not None]
        missing = [reading for reading in readings if reading.state is State.CRITICAL]
        if not missing:
            continue
        missing.sort(key=lambda reading: -_miss(metric, reading))
        names = words("list.and").join(words.name(reading.region) for reading in missing[:NAMED])
        where = names if len(missing) <= NAMED else words("alert.places", names=names, n=len(missing))
        worst = missing[0]
        what = words("alert.worst" if len(missing) > 1 else "alert.miss", metric=words.of(metric.short),
                     value=words.value(metric, worst.value), target=target(metric, words))  # fmt: skip
        yield Alert("critical", _miss(metric, worst), where, what, since(sheet, metric, worst.region, words))


def _sources(snapshot: Snapshot, words: Words) -> Iterator[Alert]:
    """Sources whose figures are missing or old."""
    frame = snapshot.sources
    for channel, state, last, error, began in zip(
        *(frame[name].tolist() for name in ("channel", "state", "last_success", "error", "since")), strict=True
    ):
        if state in ("stale", "absent", "doubtful"):
            start = moment(began) or moment(last)
            stands = words("alert.source", state=words(f"source.{state}"))
            yield Alert(
                "critical" if state == "absent" else "warning",
                5,
                words.name(channel),
                words("alert.source_why", source=stands, reason=words.told(error)) if error else stands,
                words("alert.since", time=words.clock(start, snapshot.at)) if start else "",
            )


def since(sheet: ViewFigures, metric: Metric, region: str, words: Words) -> str:
    """Since when the trend has missed the target without a break; '' where the trend does not show it."""
    trend = sheet.trend(metric.id, region)
    run = 0
    for value in reversed(trend):
        place = target_position(metric, value)
        if place is None or place >= 2 / 3:
            break
        run += 1
    if run == 0:
        return ""
    began = words.clock(_bucket_start(sheet.at) - BUCKET * (run - 1), sheet.at)
    return words("alert.since_at_least" if run == BUCKETS else "alert.since", time=began)


def _bucket_start(now: datetime) -> datetime:
    return now - timedelta(minutes=now.minute % 5, seconds=now.second, microseconds=now.microsecond)


def _miss(metric: Metric, reading: Reading) -> float:
    return 1 - (target_position(metric, reading.value) or 0.0)


def shown_regions(catalogue: Catalogue, scope: str) -> tuple[str, ...]:
    """The served places right below a scope."""
    return tuple(code for code in catalogue.children.get(scope, ()) if catalogue.regions[code].served)
