"""Places by their attainment of one metric: the values of the map and the ranking beside it, same colours.

Rows are made once for a page and keep their links; `--rank` puts them into order, so that a place
moving up moves one number over the line.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from dash import html

from config.catalogue import NATION, Catalogue, Metric
from dashboards.panels.elements import chart, part
from dashboards.panels.target_scale import LOUD, has_target, shade, target_position
from dashboards.panels.tiles import absent, change, target
from dashboards.panels.view_readings import ViewFigures
from dashboards.views import View
from metrics.readings import Reading, State, Trust
from wording.words import Words

LABELS = 8
LABEL_WIDE, LABEL_HIGH = 0.3, 0.11
"""Room that a label takes, as parts of the map's width and height."""


def place_map(metric: Metric, scope: str, words: Words, href: str | None) -> html.Div:
    """The map of the places below a scope, with the key of its colours; `href` has CODE for the place's code."""
    said = {"credit": words("map.credit"), "missing": words("map.missing")} | ({"href": href} if href else {})
    drawing = chart("map", "map", words("map.label", metric=words.of(metric.name)), **said)
    key = html.Div(
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
    return html.Div([drawing, key], className="map-frame")


def map_parts(
    metric: Metric, sheet: ViewFigures, scope: str, places: Sequence[str], catalogue: Catalogue, words: Words
) -> dict[str, dict[str, Any]]:
    """The chart object of the map: a shade, a label where a target is missed, and what hovering says."""
    readings = {code: sheet.reading(metric.id, code) for code in places}
    shades, labelled = _shades(metric, readings), _labelled(metric, readings, catalogue)
    drawn = {
        code: _area(metric, code, reading, catalogue.regions[code].served, words) for code, reading in readings.items()
    }
    for code, area in drawn.items():
        area |= {"shade": shades[code] if area["served"] else None, "label": area["label"] if code in labelled else ""}
    return {"map": {"chart": {"map": "provinces" if scope == NATION else f"cities/{scope}", "places": drawn}}}


def _area(metric: Metric, code: str, reading: Reading | None, served: bool, words: Words) -> dict[str, Any]:
    """What one place says."""
    if not served:
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
        reading for reading in readings.values() if reading and reading.state in LOUD and reading.region in spots
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


def ranking(metric: Metric, places: Sequence[str], view: View, words: Words) -> html.Div:
    """The frame of the ranking; provinces are links to their windows, worst first unless switched."""
    switch = html.Details(html.Summary(words("ranking.best_first")), className="switch")
    rows = [
        _row(code, view.to(window="province", scope=code).url() if view.scope == NATION else None, words)
        for code in places
    ]
    return html.Div([switch, html.Ol(rows, className="ranks")], className="ranking")


def ranking_parts(metric: Metric, sheet: ViewFigures, places: Sequence[str], words: Words) -> dict[str, dict[str, Any]]:
    """Value, state, change and rank of every place; those with too few contacts or no value stand last both ways."""
    readings = {code: sheet.reading(metric.id, code) for code in places}
    order = sorted(places, key=lambda code: _worst_first(metric, readings[code], words.name(code)))
    shades = _shades(metric, readings)
    valued = sum(_tier(reading) == 0 for reading in readings.values())
    parts = {}
    for rank, code in enumerate(order):
        reading = readings[code]
        known = rank < valued
        parts[f"rank-{code}"] = _rank_parts(metric, reading, shades[code], words) | {
            "--rank": str(rank),
            "--rank-back": str(valued - 1 - rank if known else rank),
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


def _shades(metric: Metric, readings: Mapping[str, Reading | None]) -> dict[str, float | None]:
    """The colour of every place: around the target, or around the middle place where there is no target.

    Too few contacts are no ground for a colour.
    """
    values = {
        code: reading.value
        for code, reading in readings.items()
        if reading is not None and reading.value is not None and reading.state is not State.TOO_FEW
    }
    if has_target(metric):
        return {code: shade(metric, values.get(code)) for code in readings}
    middle = median(values.values()) if values else 0.0
    reach = max((abs(value - middle) for value in values.values()), default=0.0) or 1.0
    sign = -1 if metric.better == "down" else 1
    return {code: round(sign * (values[code] - middle) / reach, 3) if code in values else None for code in readings}


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
