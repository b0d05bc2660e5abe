"""Head office: the whole network against its targets, province by province."""

from typing import Any

from dash import html

from config.catalogue import NATION, Catalogue, Level
from dashboards.panels.alerts import alerts, strip, strip_parts
from dashboards.panels.elements import panel
from dashboards.panels.place_ranking import map_parts, place_map, ranking, ranking_parts
from dashboards.panels.quality_tables import finding_list, finding_list_parts
from dashboards.panels.tiles import chosen, tile, tile_parts
from dashboards.panels.trend_figure import trend_figure, trend_panel
from dashboards.panels.view_readings import ViewFigures
from dashboards.views import View
from dashboards.window import Parts
from metrics.readings import Snapshot
from wording.words import Words

NAME = "hq"
LEVEL = Level.NATION
ORDER = 2

TILES = (
    "service_level_20s", "answer_rate", "asa", "abandonment_rate", "fcr", "csat", "complaint_on_time",
    "occupancy", "staffing_guarantee", "seat_guarantee",
)  # fmt: skip
ALERTS = 4
FINDINGS = 6


def layout(view: View, catalogue: Catalogue, words: Words) -> list[Any]:
    """Strip, tiles, map of the provinces, ranking, trend and findings."""
    metric = catalogue.metrics[view.metric]
    places = catalogue.at_level(Level.PROVINCE)
    href = view.to(window="province", scope="CODE").url()
    tiles = [tile(one, words) for one in chosen(catalogue, TILES)]
    return [
        strip(ALERTS),
        html.Section(html.Div(tiles, className="tiles tiles-support"), className="tile-row tile-row-even"),
        panel("map", words("map.title", metric=words.of(metric.name)), place_map(metric, NATION, words, href)),
        panel("ranking", words("ranking.title", metric=words.of(metric.short)), ranking(metric, places, view, words)),
        *trend_panel(metric, view, words),
        panel("findings", words("findings.title"), finding_list(FINDINGS)),
    ]


def panels(snapshot: Snapshot, view: View, catalogue: Catalogue, words: Words) -> Parts:
    """Everything that the window shows of a snapshot."""
    metric = catalogue.metrics[view.metric]
    metrics = chosen(catalogue, TILES)
    provinces = catalogue.at_level(Level.PROVINCE)
    drawn = [code for code in catalogue.children.get(NATION, ()) if catalogue.regions[code].level is Level.PROVINCE]
    sheet = ViewFigures(snapshot, view.time, [one.id for one in metrics] + [metric.id], (NATION, *provinces))
    found = alerts(snapshot, sheet, metrics, NATION, provinces, words)
    parts: dict[str, dict[str, Any]] = strip_parts(found, not snapshot.readings.empty, ALERTS, words)
    for one in metrics:
        parts |= tile_parts(one, sheet, NATION, words)
    parts |= map_parts(metric, sheet, NATION, drawn, catalogue, words)
    parts |= ranking_parts(metric, sheet, provinces, words)
    parts |= {"trend": {"chart": trend_figure(metric, sheet, [NATION], words)}}
    return parts | finding_list_parts(snapshot.findings, FINDINGS, snapshot.at, words)
