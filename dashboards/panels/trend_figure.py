"""The trend of the chosen metric as a figure with axes: the last two hours, a point every five minutes.

For desks only, where somebody can point at it; `assets/charts/plotly.js` draws it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from config.catalogue import NATION, Metric
from dashboards.panels.elements import chart, section
from dashboards.panels.reading_text import target
from dashboards.view_readings import ViewFigures
from dashboards.window import Context, Needs, PanelData, Parts, Right
from metrics.states import has_target
from wording.words import Words

PAINTS = (("--accent", 2.5, 6), ("--neutral", 1.2, 3))
"""Paint, width of the line and size of the points (px): of the place itself, and of the one beside it."""
TEXT = {"color": "--text", "family": "--font", "size": 13}
DIM = TEXT | {"color": "--dim"}


@dataclass(frozen=True)
class TrendFigure:
    """The scope's trend, over the nation's where the scope is not the nation."""

    def needs(self, context: Context) -> Needs:
        """The metric in focus, in the scope and the nation."""
        return Needs((context.metric.id,), _places(context))

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Section]:
        """The frame of the figure; none on a wall."""
        if context.view.mode != "desk":
            return []
        metric, words = context.metric, context.words
        drawing = chart("trend", "plotly", words("trend.label", metric=words.of(metric.name)))
        hint = html.P(words("trend.hint"), className="more")
        return [section("trend", words("trend.title", metric=words.of(metric.short)), [drawing, hint])]

    def parts(self, context: Context, data: PanelData) -> Parts:
        """The figure, also on walls, whose frames are those of the desks."""
        return {"trend": {"chart": trend_figure(context.metric, data.figures, _places(context), context.words)}}


def _places(context: Context) -> tuple[str, ...]:
    return tuple(dict.fromkeys((context.view.scope, NATION)))


def trend_figure(metric: Metric, figures: ViewFigures, regions: Sequence[str], words: Words) -> dict[str, Any]:
    """The chart object: the first region's line, those it is compared with, and the target.

    A bucket without a value is a gap. What was zoomed stays so until metric or place change.
    """
    lines = [
        _line(metric, figures, region, look, words) for region, look in zip(regions, PAINTS, strict=False)
        if any(value is not None for value in figures.trend(metric.id, region))
    ]  # fmt: skip
    nothing = {"text": words("trend.none"), "showarrow": False, "xref": "paper", "yref": "paper", "font": DIM}
    layout = {
        "uirevision": f"{metric.id} {regions[0]}",
        "font": DIM,
        "margin": {"l": 8, "r": 12, "t": 28 if len(lines) > 1 else 8, "b": 8},
        "showlegend": len(lines) > 1,
        "legend": {
            "orientation": "h",
            "x": 1,
            "xanchor": "right",
            "y": 1,
            "yanchor": "bottom",
            "traceorder": "reversed",
        },
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "--raised", "bordercolor": "--neutral", "font": TEXT},
        "xaxis": _axis(bool(lines)) | {"type": "date", "tickformat": "%H:%M", "hoverformat": "%H:%M"},
        "yaxis": _axis(bool(lines)) | {"fixedrange": True} | words.axis(metric),
        "shapes": _target_line(metric, words) if lines else [],
        "annotations": [] if lines else [nothing],
    }
    return {"data": lines[::-1], "layout": layout}


def _line(
    metric: Metric, figures: ViewFigures, region: str, look: tuple[str, float, float], words: Words
) -> dict[str, Any]:
    values, (paint, width, size) = figures.trend(metric.id, region), look
    name = words.name(region)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [words.on_axis(start) for start in figures.starts()],
        "y": values,
        "text": [words("trend.point", place=name, value=words.value(metric, value)) for value in values],
        "hovertemplate": "%{text}<extra></extra>",
        "connectgaps": False,
        "line": {"color": paint, "width": width},
        "marker": {"color": paint, "size": size},
    }


def _axis(shown: bool) -> dict[str, Any]:
    return {"visible": shown, "automargin": True, "gridcolor": "--line", "zeroline": False}


def _target_line(metric: Metric, words: Words) -> list[dict[str, Any]]:
    """The target as a line, or as a band where it has two edges."""
    if not has_target(metric):
        return []
    low, high = metric.band or (metric.target, metric.target)
    across = {"xref": "paper", "x0": 0, "x1": 1, "y0": low, "y1": high, "layer": "between"}
    label = {"text": target(metric, words), "textposition": "top left", "font": TEXT | {"color": "--good"}}
    if metric.band:
        return [across | {"type": "rect", "fillcolor": "--good", "opacity": 0.2, "line": {"width": 0}, "label": label}]
    return [
        across
        | {"type": "line", "line": {"color": "--good", "width": 1.5, "dash": "dash"}}
        | {"label": label | {"textposition": "start", "yanchor": "bottom"}}
    ]
