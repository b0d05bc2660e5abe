"""The peer: what a dashboard of the same figures is with Dash alone, its figures polled once a second.

Ten indicators, a Sankey diagram and a map, as Plotly figures, served by Dash's default backend from this machine.
`python -m bench.plain_dash` prints its address; `POST /value/<number>` changes the first indicator.
"""

import json
import re
from typing import Any

import dash
import plotly.graph_objects as go
from dash import Input, Output, dcc, html
from werkzeug.serving import make_server

from config.loading import load
from config.settings import ROOT
from dashboards.windows.hq import TILES

POLL_MS = 1000
"""dcc.Interval's own default, and what its examples use."""
Map = dict[str, dict[str, Any]]


def figures() -> list[go.Figure]:
    """One figure a tile, the flow and the map of the provinces."""
    catalogue = load()
    tiles = [
        go.Figure(go.Indicator(mode="number+delta", value=90 + at, delta={"reference": 88}, title=metric))
        for at, metric in enumerate(TILES)
    ]
    channels, ends = len(catalogue.channels), 4
    source = [at for at in range(channels) for _ in range(ends)]
    target = [channels + at for _ in range(channels) for at in range(ends)]
    labels = [channel.name.en for channel in catalogue.channels.values()] + [f"outcome {at}" for at in range(ends)]
    link = {"source": source, "target": target, "value": [at + 1 for at in range(len(source))]}
    return [*tiles, go.Figure(go.Sankey(node={"label": labels}, link=link)), _map()]


def _map() -> go.Figure:
    """The outlines that our own map draws, as GeoJSON."""
    areas: Map = json.loads((ROOT / "assets" / "geo" / "provinces.json").read_text(encoding="utf-8"))["areas"]
    features = [
        {"type": "Feature", "id": code, "geometry": {"type": "MultiPolygon", "coordinates": _rings(area["d"])}}
        for code, area in areas.items()
    ]
    shown = go.Choropleth(
        geojson={"type": "FeatureCollection", "features": features}, locations=list(areas), z=list(range(len(areas)))
    )
    return go.Figure(shown).update_geos(fitbounds="locations", visible=False)


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
    """The page and its one callback."""
    app = dash.Dash("plain_dash", serve_locally=True)
    held = {"value": 90}

    def change(number: int) -> str:
        held["value"] = number
        return ""

    app.server.add_url_rule("/value/<int:number>", view_func=change, methods=["POST"])

    @app.callback(Output("value", "children"), Input("beat", "n_intervals"))
    def poll(_: int) -> str:
        return str(held["value"])

    graphs = [dcc.Graph(figure=figure, style={"height": 260, "width": 460}) for figure in figures()]
    app.layout = html.Div([html.B(id="value"), dcc.Interval(id="beat", interval=POLL_MS), *graphs])
    return app


def main() -> None:
    """Serve until killed."""
    server = make_server("127.0.0.1", 0, application().server, threaded=True)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
