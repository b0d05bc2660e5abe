"""Figures as tiles: value, unit, target, state, change, trend, trust and the time of the data.

`tile` is the frame, made once for a page; `tile_parts` fills it. A tile that misses its target moves to
the front of its group by the CSS order that `--rank` sets.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import html

from config.catalogue import NATION, Catalogue, Metric
from dashboards.panels.elements import chart, part
from dashboards.panels.reading_text import absent, change, chosen, is_late, sample, target, time_of
from dashboards.panels.sparkline import sparkline
from dashboards.panels.target_scale import target_position
from dashboards.view_readings import ViewFigures
from dashboards.window import Context, Needs, PanelData, Parts, Right
from metrics.readings import Reading
from metrics.states import has_target, urgency
from wording.words import Words


@dataclass(frozen=True)
class Tiles:
    """A row of tiles of the scope: the leading figures are larger and stand first."""

    supporting: tuple[str, ...]
    leading: tuple[str, ...] = ()
    beside_nation: bool = False
    """Whether the nation's value stands beside the scope's."""

    def needs(self, context: Context) -> Needs:
        """Each metric in the scope, and in the nation where it stands beside."""
        places = (context.view.scope, NATION) if self.beside_nation else (context.view.scope,)
        return Needs(tuple(metric.id for metric in self._metrics(context.catalogue)), places)

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Section]:
        """One row; a group of its own for the leading figures, if there are any."""
        words, catalogue = context.words, context.catalogue
        supporting = [tile(metric, words, beside=self.beside_nation) for metric in chosen(catalogue, self.supporting)]
        groups = [html.Div(supporting, className="tiles tiles-support")]
        if not self.leading:
            return [html.Section(groups[0], className="tile-row tile-row-even")]
        leading = [tile(metric, words, True, self.beside_nation) for metric in chosen(catalogue, self.leading)]
        return [html.Section([html.Div(leading, className="tiles tiles-lead"), *groups], className="tile-row")]

    def parts(self, context: Context, data: PanelData) -> Parts:
        """Every tile and its trend."""
        beside = NATION if self.beside_nation else None
        parts: dict[str, dict[str, Any]] = {}
        for metric in self._metrics(context.catalogue):
            parts |= tile_parts(metric, data.figures, context.view.scope, context.words, beside)
        return parts

    def _metrics(self, catalogue: Catalogue) -> list[Metric]:
        return chosen(catalogue, self.leading + self.supporting)


def tile(metric: Metric, words: Words, lead: bool = False, beside: bool = False) -> html.Article:
    """The frame of a metric's tile; `beside` leaves room for the nation's value next to a province's."""
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
    metric: Metric, figures: ViewFigures, region: str, words: Words, beside: str | None = None
) -> dict[str, dict[str, Any]]:
    """What a tile and its trend show; `beside` is the region whose value stands next to it."""
    reading = figures.reading(metric.id, region)
    trend = sparkline(figures.trend(metric.id, region), metric)
    shown = reading_parts(metric, reading, figures.at, words)
    if beside is not None:
        other = figures.reading(metric.id, beside)
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
        "--rank": str(urgency(reading.state)),
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
