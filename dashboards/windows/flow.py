"""The top-level flow: first whether anything is wrong, then the leading figures, then who flows where."""

from typing import Any

from dash import html

from config.catalogue import NATION, Catalogue, Level
from dashboards.panels.alerts import alerts, strip, strip_parts
from dashboards.panels.channel_table import COLUMNS, channel_table, channel_table_parts
from dashboards.panels.elements import chart, panel
from dashboards.panels.flow_figure import flow_figure, remainder
from dashboards.panels.flow_paths import STAGES, paths_of
from dashboards.panels.tiles import chosen, tile, tile_parts
from dashboards.panels.view_readings import ViewFigures
from dashboards.views import View
from dashboards.window import Parts
from metrics.readings import Snapshot
from wording.words import Words

NAME = "flow"
LEVEL = Level.NATION
ORDER = 1

LEADING = ("service_level_20s", "answer_rate", "asa")
SUPPORTING = ("contacts", "queue_length", "abandonment_rate", "fcr", "csat", "self_service_share")
ALERTS = 4


def layout(view: View, catalogue: Catalogue, words: Words) -> list[Any]:
    """Strip, tiles, diagram and table of channels."""
    leading, supporting = chosen(catalogue, LEADING), chosen(catalogue, SUPPORTING)
    stages = html.Ol([html.Li(words(f"stage.{stage}")) for stage in STAGES], className="stages")
    diagram = chart("flow", "flow", words("flow.label"))
    return [
        strip(ALERTS),
        html.Section(
            [
                html.Div([tile(metric, words, lead=True) for metric in leading], className="tiles tiles-lead"),
                html.Div([tile(metric, words) for metric in supporting], className="tiles tiles-support"),
            ],
            className="tile-row",
        ),
        panel("flow", words("flow.title"), [stages, diagram], aside="flow-remainder"),
        panel("channels", words("channels.title"), channel_table(catalogue, words)),
    ]


def panels(snapshot: Snapshot, view: View, catalogue: Catalogue, words: Words) -> Parts:
    """Everything that the window shows of a snapshot."""
    metrics = chosen(catalogue, LEADING + SUPPORTING)
    provinces = catalogue.at_level(Level.PROVINCE)
    names = list(dict.fromkeys([metric.id for metric in metrics] + list(COLUMNS) + ["self_service_share"]))
    sheet = ViewFigures(snapshot, view.time, names, (NATION, *provinces))
    found = alerts(snapshot, sheet, metrics, NATION, provinces, words)
    parts: dict[str, dict[str, Any]] = strip_parts(found, not snapshot.readings.empty, ALERTS, words)
    for metric in metrics:
        parts |= tile_parts(metric, sheet, NATION, words)
    return parts | _flow_parts(snapshot, view, catalogue, words) | channel_table_parts(sheet, NATION, catalogue, words)


def _flow_parts(snapshot: Snapshot, view: View, catalogue: Catalogue, words: Words) -> dict[str, dict[str, Any]]:
    paths = paths_of(snapshot.flow, view.time, NATION)
    day = paths_of(snapshot.flow, "today", NATION)
    rest = remainder(paths)
    return {
        "flow": {"chart": flow_figure(paths, day, catalogue, words)},
        "flow-remainder": {
            "text": words("flow.unexplained", n=words.count(rest)),
            "@data-state": "warning" if rest else "good",
        },
    }
