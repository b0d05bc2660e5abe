"""One province: its figures beside the nation's, its cities and its channels."""

from typing import Any

from dash import html

from config.catalogue import NATION, Catalogue, Level
from dashboards.panels.alerts import alerts, strip, strip_parts
from dashboards.panels.channel_table import COLUMNS, channel_table, channel_table_parts
from dashboards.panels.elements import panel
from dashboards.panels.place_ranking import map_parts, place_map, ranking, ranking_parts
from dashboards.panels.quality_tables import finding_list, finding_list_parts, touching
from dashboards.panels.tiles import chosen, tile, tile_parts
from dashboards.panels.trend_figure import trend_figure, trend_panel
from dashboards.panels.view_readings import ViewFigures
from dashboards.views import View
from dashboards.window import Parts
from metrics.readings import Snapshot
from wording.words import Words

NAME = "province"
LEVEL = Level.PROVINCE
ORDER = None

TILES = (
    "service_level_20s", "answer_rate", "asa", "abandonment_rate", "fcr", "csat", "queue_length", "contacts",
    "staffing_guarantee", "seat_guarantee",
)  # fmt: skip
ALERTS = 4
FINDINGS = 6


def layout(view: View, catalogue: Catalogue, words: Words) -> list[Any]:
    """Strip, tiles, map and ranking of the cities, channels, trend and findings; or that there is no service here."""
    region = catalogue.regions[view.scope]
    if not region.served:
        told = [
            html.H2(words("province.unserved", place=words.of(region.name))),
            html.P(words("province.unserved_why")),
        ]
        return [html.Section(told, className="panel unserved")]
    metric = catalogue.metrics[view.metric]
    places = catalogue.at_level(Level.CITY, view.scope)
    tiles = [tile(one, words, beside=True) for one in chosen(catalogue, TILES)]
    return [
        strip(ALERTS),
        html.Section(html.Div(tiles, className="tiles tiles-support"), className="tile-row tile-row-even"),
        panel("map", words("map.title", metric=words.of(metric.name)), place_map(metric, view.scope, words, None)),
        panel("ranking", words("ranking.title", metric=words.of(metric.short)), ranking(metric, places, view, words)),
        panel("channels", words("channels.title"), channel_table(catalogue, words, trends=False)),
        *trend_panel(metric, view, words),
        panel("findings", words("findings.title"), finding_list(FINDINGS)),
    ]


def panels(snapshot: Snapshot, view: View, catalogue: Catalogue, words: Words) -> Parts:
    """Everything that the window shows of a snapshot; nothing where there is no service."""
    scope = view.scope
    if not catalogue.regions[scope].served:
        return {}
    metric = catalogue.metrics[view.metric]
    metrics = chosen(catalogue, TILES)
    cities = catalogue.at_level(Level.CITY, scope)
    names = list(dict.fromkeys([one.id for one in metrics] + [metric.id, *COLUMNS]))
    sheet = ViewFigures(snapshot, view.time, names, (scope, NATION, *cities))
    found = alerts(snapshot, sheet, metrics, scope, cities, words)
    parts: dict[str, dict[str, Any]] = strip_parts(found, not snapshot.readings.empty, ALERTS, words)
    for one in metrics:
        parts |= tile_parts(one, sheet, scope, words, beside=NATION)
    parts |= map_parts(metric, sheet, scope, _drawn(catalogue, scope), catalogue, words)
    parts |= ranking_parts(metric, sheet, cities, words)
    parts |= {"trend": {"chart": trend_figure(metric, sheet, [scope, NATION], words)}}
    parts |= channel_table_parts(sheet, scope, catalogue, words, trends=False)
    findings = touching(snapshot.findings, catalogue.below(scope))
    return parts | finding_list_parts(findings, FINDINGS, snapshot.at, words)


def _drawn(catalogue: Catalogue, scope: str) -> list[str]:
    """The areas of the province's map, served or not."""
    return [code for code in catalogue.below(scope) if catalogue.regions[code].level is Level.CITY]
