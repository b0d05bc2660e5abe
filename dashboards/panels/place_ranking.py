"""The places below a scope in the order of the metric in focus, in the colours of the map.

Rows are made once for a page and keep their links; `--rank` puts them into order, so that a place
moving up moves one number over the line.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from dash import html

from config.catalogue import Metric
from dashboards.panels.elements import part, section
from dashboards.panels.place_shades import place_shades
from dashboards.panels.reading_text import absent, change
from dashboards.panels.target_scale import target_position
from dashboards.window import Context, Needs, PanelData, Parts, Right
from metrics.readings import Reading, State, Trust
from wording.words import Words


@dataclass(frozen=True)
class PlaceRanking:
    """Value, state, change and rank of every place, worst first unless switched."""

    opens: str | None = None
    """The window that a row is a link to."""

    def needs(self, context: Context) -> Needs:
        """The metric in focus at every place with customer service."""
        return Needs((context.metric.id,), context.served_below)

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Section]:
        """A row a place, and the switch of the order."""
        words, view = context.words, context.view
        switch = html.Details(html.Summary(words("ranking.best_first")), className="switch")
        rows = [
            _row(code, view.to(window=self.opens, scope=code).url() if self.opens else None, words)
            for code in context.served_below
        ]
        ranks = html.Div([switch, html.Ol(rows, className="ranks")], className="ranking")
        return [section("ranking", words("ranking.title", metric=words.of(context.metric.short)), ranks)]

    def parts(self, context: Context, data: PanelData) -> Parts:
        """Every row; places with too few contacts or no value stand last both ways."""
        metric, words = context.metric, context.words
        readings = {code: data.figures.reading(metric.id, code) for code in context.served_below}
        order = sorted(readings, key=lambda code: _worst_first(metric, readings[code], words.name(code)))
        shades = place_shades(metric, readings)
        valued = sum(_tier(reading) == 0 for reading in readings.values())
        parts = {}
        for rank, code in enumerate(order):
            parts[f"rank-{code}"] = _rank_parts(metric, readings[code], shades[code], words) | {
                "--rank": str(rank),
                "--rank-back": str(valued - 1 - rank if rank < valued else rank),
            }
        return parts


def _row(code: str, url: str | None, words: Words) -> html.Li:
    content = [
        html.Span(words.name(code), className="rank-name"),
        html.Span(html.I(className="bar-fill"), className="bar"),
        part("value"),
        part("change"),
        part("state"),
        part("trust"),
    ]
    return html.Li(
        html.A(content, href=url) if url else html.Div(content, tabIndex=0), id=f"rank-{code}", className="rank"
    )


def _rank_parts(metric: Metric, reading: Reading | None, tint: float | None, words: Words) -> dict[str, Any]:
    if reading is None:
        reading = absent(metric)
    place, moved = target_position(metric, reading.value), change(metric, reading, words)
    return {
        "@data-state": reading.state.value,
        "@data-trust": reading.trust.value,
        "@title": words.told(reading.reason) if reading.reason else None,
        "--at": None if place is None else f"{place * 100:.1f}%",
        "--mix": "0%" if tint is None else f"{abs(tint) * 100:.0f}%",
        "--end": "var(--map-low)" if tint is not None and tint < 0 else "var(--map-high)",
        ".value": str(words.value(metric, reading.value)),
        ".change": moved[".change"],
        ".change@data-judged": moved[".verb@data-judged"],
        ".state": words(f"state.{reading.state}"),
        ".trust": "" if reading.trust is Trust.SOUND else words(f"trust_mark.{reading.trust}"),
    }


def _tier(reading: Reading | None) -> int:
    """0: a figure to rank by; 1: from too few contacts to be held against anybody; 2: no figure."""
    if reading is None or reading.value is None:
        return 2
    return 1 if reading.state is State.TOO_FEW else 0


def _worst_first(metric: Metric, reading: Reading | None, name: str) -> tuple[int, float, str]:
    tier = _tier(reading)
    if reading is None or reading.value is None:
        return tier, 0.0, name
    if metric.better == "band":
        return tier, target_position(metric, reading.value) or 0.0, name
    return tier, reading.value * (-1 if metric.better == "down" else 1), name
