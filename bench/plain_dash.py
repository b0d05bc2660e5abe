"""The peer: what a dashboard of the same figures is with Dash alone, its figures polled once a second.

Ten indicators with their trends, a Sankey diagram, a map and a table of provinces, as Plotly figures, served by Dash's
default backend from this machine. `python -m bench.plain_dash` prints its address; `POST /value/<number>` changes what
its page polls, one number. A second callback returns all figures: what polling them costs is asked for by
`bench/dash_polls.py`, never by the page itself. Our assets are kept from it: our small plotly.js draws no indicator.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

import dash
import plotly.graph_objects as go
from dash import Input, Output, dcc, html
from werkzeug.serving import make_server

from config.catalogue import Catalogue, Level
from config.loading import load
from config.settings import ROOT
from dashboards.windows.hq import TILES

POLL_MS = 1000
"""dcc.Interval's own default, and what its examples use."""
TICK = "tick"
FIGURES = tuple(f"figure-{number}" for number in range(len(TILES) + 3))
BUCKETS = 24
STAGES = (11, 4, 9, 8, 8)
"""Nodes of the stages of our own flow; of each node three links go on."""
Map = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Peer:
    """The peer as it runs in a process of its own."""

    url: str
    pid: int


def figures(moved: int = 0) -> list[go.Figure]:
    """One figure a tile, the flow and the map of the provinces; `moved` changes all of them."""
    tiles = [_tile(metric, 90 + at + moved) for at, metric in enumerate(TILES)]
    return [*tiles, _flow(moved), _map(moved), _table(moved)]


def _tile(metric: str, value: int) -> go.Figure:
    trend = go.Scatter(y=[value + at % 5 for at in range(BUCKETS)], fill="tozeroy")
    return go.Figure([go.Indicator(mode="number+delta", value=value, delta={"reference": 88}, title=metric), trend])


def _flow(moved: int) -> go.Figure:
    firsts = list(accumulate((0, *STAGES)))
    links = [
        (first + node, firsts[stage + 1] + (3 * node + link) % STAGES[stage + 1])
        for stage, first in enumerate(firsts[: len(STAGES) - 1])
        for node in range(STAGES[stage])
        for link in range(3)
    ]
    source, target = zip(*links, strict=True)
    link = {"source": source, "target": target, "value": [at + 1 + moved for at in range(len(links))]}
    return go.Figure(go.Sankey(node={"label": [f"node {at}" for at in range(sum(STAGES))]}, link=link))


def _table(moved: int) -> go.Figure:
    provinces = [_catalogue().regions[code].name.en for code in _catalogue().at_level(Level.PROVINCE)]
    columns = [provinces, *([at + moved for at in range(len(provinces))] for _ in TILES)]
    return go.Figure(go.Table(header={"values": ["province", *TILES]}, cells={"values": columns}))


def _map(moved: int) -> go.Figure:
    areas = _areas()
    shown = go.Choropleth(geojson=areas, locations=[area["id"] for area in areas["features"]])
    shown.z = [at + moved for at in range(len(areas["features"]))]
    return go.Figure(shown).update_geos(fitbounds="locations", visible=False)


@cache
def _catalogue() -> Catalogue:
    return load()


@cache
def _areas() -> dict[str, Any]:
    """The outlines that our own map draws, as GeoJSON."""
    areas: Map = json.loads((ROOT / "assets" / "geo" / "provinces.json").read_text(encoding="utf-8"))["areas"]
    features = [
        {"type": "Feature", "id": code, "geometry": {"type": "MultiPolygon", "coordinates": _rings(area["d"])}}
        for code, area in areas.items()
    ]
    return {"type": "FeatureCollection", "features": features}


def _rings(path: str) -> list[list[list[list[float]]]]:
    """An SVG path of `M x y l dx dy …` as closed rings, scaled to degrees."""
    rings = []
    for part in path.split("M")[1:]:
        x, y, *steps = (int(number) for number in re.findall(r"-?\d+", part))
        ring = [[x / 40, -y / 40]]
        for dx, dy in zip(steps[::2], steps[1::2], strict=False):
            x, y = x + dx, y + dy
            ring.append([x / 40, -y / 40])
        rings.append([[*ring, ring[0]]])
    return rings


def application() -> dash.Dash:
    """The page, its one callback, and the one for those who poll figures."""
    app = dash.Dash("plain_dash", serve_locally=True, include_assets_files=False)
    held = {"value": 90}

    def change(number: int) -> str:
        held["value"] = number
        return ""

    app.server.add_url_rule("/value/<int:number>", view_func=change, methods=["POST"])

    @app.callback(Output("value", "children"), Input("beat", "n_intervals"))
    def poll(_: int) -> str:
        return str(held["value"])

    shown = [Output(name, "figure") for name in FIGURES]

    @app.callback(shown, Input(TICK, "n_intervals"), prevent_initial_call=True)
    def all_figures(tick: int) -> list[go.Figure]:
        return figures(tick)

    size = {"height": 260, "width": 460}
    graphs = [dcc.Graph(id=name, figure=figure, style=size) for name, figure in zip(FIGURES, figures(), strict=True)]
    beats = [dcc.Interval(id="beat", interval=POLL_MS), dcc.Interval(id=TICK, disabled=True)]
    app.layout = html.Div([html.B(id="value"), *beats, *graphs])
    return app


def main() -> None:
    """Serve until killed."""
    server = make_server("127.0.0.1", 0, application().server, threaded=True)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
