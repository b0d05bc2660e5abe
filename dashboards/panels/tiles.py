"""A figure as a tile: value, unit, target, state, change, trend, trust and the time of the data.

`tile` is the frame, made once for a page; `tile_parts` fills it. A tile that misses its target moves to
the front of its group by the CSS order that `--rank` sets.
"""

from datetime import datetime
from typing import Any

from dash import html

from config.catalogue import Catalogue, Metric
from dashboards.panels.elements import chart, part
from dashboards.panels.sparkline import sparkline
from dashboards.panels.target_scale import has_target, judged, target_position
from dashboards.panels.view_readings import ViewFigures
from metrics.proportions import wilson_interval
from metrics.readings import Reading, State, Trust
from wording.words import DASH, Words

RANK = {State.CRITICAL: 0, State.WARNING: 1}
CALM = 2
"""Rank of a tile that nobody has to act on."""


def tile(metric: Metric, words: Words, lead: bool = False, beside: bool = False) -> html.Article:
    """The frame of a metric's tile; `beside` leaves audience for the nation's value next to a province's."""
    aim = html.Span(target(metric, words), className="target")
    track = html.Div(html.I(className="marker"), className="track" if has_target(metric) else "track track-none")
    return html.Article(
        id=f"tile-{metric.id}",
        className="tile tile-lead" if lead else "tile",
        tabIndex=0,
        children=[
            html.Header([html.H3(words.of(metric.short), title=words.of(metric.meaning)), part("state")]),
            html.Div([part("value"), part("unit")], className="figure"),
            html.Div([part("change"), part("verb"), part("beside" if beside else "n")], className="moves"),
            chart(f"spark-{metric.id}", "spark"),
            track,
            html.Footer([aim, *([part("n")] if beside else []), part("trust"), part("time")]),
            part("reason", html.P),
        ],
    )


def tile_parts(
    metric: Metric, sheet: ViewFigures, region: str, words: Words, beside: str | None = None
) -> dict[str, dict[str, Any]]:
    """What a tile and its trend show; `beside` is the region whose value stands next to it."""
    reading = sheet.reading(metric.id, region)
    trend = sparkline(sheet.trend(metric.id, region), metric)
    shown = reading_parts(metric, reading, sheet.at, words)
    if beside is not None:
        other = sheet.reading(metric.id, beside)
        shown[".beside"] = words(
            "tile.beside", place=words.name(beside), value=words.value(metric, other.value if other else None)
        )
    return {f"tile-{metric.id}": shown, f"spark-{metric.id}": {"chart": trend}}


def reading_parts(metric: Metric, reading: Reading | None, now: datetime, words: Words) -> dict[str, Any]:
    """The parts of one reading; a reading that is not there is a dash that says why."""
    if reading is None:
        reading = absent(metric)
    figure = words.value(metric, reading.value)
    place = target_position(metric, reading.value)
    return {
        "@data-state": reading.state.value,
        "@data-trust": reading.trust.value,
        "--rank": str(RANK.get(reading.state, CALM)),
        "--at": None if place is None else f"{place * 100:.1f}%",
        ".value": figure.digits,
        ".unit": figure.unit,
        ".state": words(f"state.{reading.state}"),
        **change(metric, reading, words),
        ".n": sample(metric, reading, words),
        ".trust": words(f"trust_mark.{reading.trust}"),
        ".time": time_of(metric, reading, now, words),
        ".time@data-late": "" if is_late(metric, reading, now, words.catalogue) else None,
        ".reason": words.told(reading.reason) if reading.reason else "",
    }


def sample(metric: Metric, reading: Reading, words: Words) -> str:
    """How many cases a quotient stands on; for a survey also the interval in which the share of all may lie (95 %)."""
    if metric.formula.denominator is None or not reading.n:
        return ""
    if not metric.survey or reading.numerator is None:
        return words("tile.n", n=words.count(reading.n))
    bounds = wilson_interval(reading.numerator, reading.n)
    low, high = (words.limit(metric, bound) for bound in bounds or (0.0, 1.0))
    return words("tile.n_interval", n=words.count(reading.n), low=low, high=high)


def absent(metric: Metric) -> Reading:
    """What stands where the snapshot has no reading: nobody delivers the figure there."""
    return Reading(
        metric.id, "", "", "", None, None, None, 0.0, None, None, State.NO_VALUE, Trust.ABSENT, "tile.not_delivered"
    )


def change(metric: Metric, reading: Reading, words: Words) -> dict[str, Any]:
    """How the figure moved against the period before, and whether for the better, in words that need no colour.

    A change of which no digit shows is none.
    """
    moved = words.difference(metric, reading.value, reading.previous)
    if moved == DASH:
        return {".change": "", ".verb": "", ".verb@data-judged": None}
    verdict = judged(metric, reading)
    if verdict != "neutral" and not set("123456789") & set(moved):
        verdict = "same"
    verb = "" if verdict == "neutral" else words(f"change.{verdict}")
    return {".change": moved, ".verb": verb, ".verb@data-judged": verdict}


def is_late(metric: Metric, reading: Reading, now: datetime, catalogue: Catalogue) -> bool:
    """Whether a figure is older than its data rule lets it be, so that its age has to stand beside it.

    Contacts that have not ended yet are waited for: a channel's figures reach as far as they have settled,
    those of all channels as far as the slowest.
    """
    if reading.at is None:
        return False
    channels = catalogue.channels
    settle = [channels[reading.channel]] if reading.channel in channels else channels.values()
    allowed = metric.data_rule.frequency_s + metric.data_rule.deadline_s
    allowed += max((channel.settle_s for channel in settle), default=0)
    return reading.trust is Trust.STALE or (now - reading.at).total_seconds() > allowed


def time_of(metric: Metric, reading: Reading, now: datetime, words: Words) -> str:
    """The time of the data: on the clock while it is in time, as an age once it is late."""
    late = is_late(metric, reading, now, words.catalogue)
    return words.age(reading.at, now) if late else words.clock(reading.at, now)


def target(metric: Metric, words: Words) -> str:
    """What a metric should be, with its direction."""
    if metric.band is not None:
        low, high = (words.limit(metric, edge) for edge in metric.band)
        return words("target.band", low=low, high=high)
    if metric.target is None:
        return words("target.none")
    return words(f"target.{metric.better}", value=words.limit(metric, metric.target))


def chosen(catalogue: Catalogue, names: tuple[str, ...]) -> list[Metric]:
    """Those of the named metrics that this catalogue has, in this order."""
    return [catalogue.metrics[name] for name in names if name in catalogue.metrics]
