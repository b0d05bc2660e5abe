"""The map of the places below a scope by their attainment of the metric in focus."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dash import html

from config.catalogue import NATION, Catalogue, Metric
from dashboards.panels.elements import chart, section
from dashboards.panels.place_shades import place_shades
from dashboards.panels.reading_text import target
from dashboards.panels.target_scale import target_position
from dashboards.window import Context, Needs, PanelData, Parts, Right
from metrics.readings import Reading, State
from metrics.states import URGENT, has_target
from wording.words import Words

LABELS = 8
LABEL_WIDE, LABEL_HIGH = 0.3, 0.11
"""Room that a label takes, as parts of the map's width and height."""


@dataclass(frozen=True)
class PlaceMap:
    """A shade for every place, a label where a target is missed, and what hovering says."""

    opens: str | None = None
    """The window that a click on a place opens."""

    def needs(self, context: Context) -> Needs:
        """The metric in focus, everywhere on the map."""
        return Needs((context.metric.id,), context.drawn_below)

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Section]:
        """The map and the key of its colours."""
        metric, view, words = context.metric, context.view, context.words
        # `CODE` is replaced by the place that is clicked, in the browser.
        link = {"href": view.to(window=self.opens, scope="CODE").url()} if self.opens else {}
        label = words("map.label", metric=words.of(metric.name))
        drawing = chart("map", "map", label, credit=words("map.credit"), missing=words("map.missing"), **link)
        frame = html.Div([drawing, _key(metric, view.scope, words)], className="map-frame")
        return [section("map", words("map.title", metric=words.of(metric.name)), frame)]

    def parts(self, context: Context, data: PanelData) -> Parts:
        """The chart object of the map."""
        metric, scope, catalogue = context.metric, context.view.scope, context.catalogue
        readings = {code: data.figures.reading(metric.id, code) for code in context.drawn_below}
        shades, labelled = place_shades(metric, readings), _labelled(metric, readings, catalogue)
        places = {code: _area(metric, code, reading, context) for code, reading in readings.items()}
        for code, area in places.items():
            area["shade"] = shades[code] if area["served"] else None
            area["label"] = area["label"] if code in labelled else ""
        return {"map": {"chart": {"map": "provinces" if scope == NATION else f"cities/{scope}", "places": places}}}


def _key(metric: Metric, scope: str, words: Words) -> html.Div:
    return html.Div(
        [
            html.Span(words("map.worst"), className="key-end"),
            html.I(className="key-scale"),
            html.Span(words("map.best"), className="key-end"),
            html.Span(target(metric, words) if has_target(metric) else words("map.middle"), className="key-target"),
            html.Span([html.I(className="key-none"), words("map.none")]),
            *([html.Span([html.I(className="key-unserved"), words("map.unserved")])] if scope == NATION else []),
        ],
        className="map-key",
    )


def _area(metric: Metric, code: str, reading: Reading | None, context: Context) -> dict[str, Any]:
    """What one place says."""
    words = context.words
    if not context.catalogue.regions[code].served:
        return {"served": False, "label": "", "hint": words("map.hint_unserved", place=words.name(code))}
    value = words.value(metric, reading.value if reading else None)
    state = words(f"state.{reading.state if reading else State.NO_VALUE}")
    hint = words("map.hint", place=words.name(code), value=value, state=state)
    return {"served": True, "label": words("map.place", place=words.name(code), value=value), "hint": hint}


def _labelled(metric: Metric, readings: Mapping[str, Reading | None], catalogue: Catalogue) -> set[str]:
    """The places that miss the target, worst first, as many as can be read beside each other."""
    spots = {
        code: (region.lon, region.lat) for code in readings if (region := catalogue.regions[code]).lon and region.lat
    }
    missing = [
        reading for reading in readings.values() if reading and reading.state in URGENT and reading.region in spots
    ]
    missing.sort(key=lambda reading: target_position(metric, reading.value) or 0.0)
    wide, high = (max(axis) - min(axis) for axis in zip(*spots.values(), strict=True)) if spots else (0.0, 0.0)
    taken: dict[str, tuple[float, float]] = {}
    for reading in missing:
        lon, lat = spots[reading.region]
        free = all(abs(lon - x) > wide * LABEL_WIDE or abs(lat - y) > high * LABEL_HIGH for x, y in taken.values())
        if free and len(taken) < LABELS:
            taken[reading.region] = lon, lat
    return set(taken)
