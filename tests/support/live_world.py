"""A small world for the live path: three provinces, two metrics, two windows, and a live store in memory.

`MemoryLive` has the methods of `store.valkey.live.Live`, so that what is broken here on purpose (a store that
is lost, a generation that comes at an exact instant) needs no server; the real one is used where a test says so.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import yaml
from dash import html

from config.actions import Action
from config.catalogue import (
    NATION,
    Catalogue,
    DataRule,
    Example,
    Formula,
    Level,
    Metric,
    Ownership,
    Region,
    Role,
    RuleBook,
    Text,
)
from config.settings import ROOT
from dashboards.parameters import METRIC, TIME
from dashboards.views import Addresses, View
from dashboards.window import Context, Needs, PanelData, Parts, Right, Window
from metrics.readings import READINGS, Snapshot
from store.valkey.live import LiveHealth

GUANGDONG, BEIJING, TAIWAN = "440000", "110000", "710000"


def text(name: str) -> Text:
    return Text(zh=f"{name}（中）", en=name)


def region(code: str, name: str, level: Level = Level.PROVINCE, served: bool = True) -> Region:
    parent = None if level is Level.NATION else NATION
    return Region(
        code=code, parent=parent, level=level, kind="province", name=text(name), short=text(name), served=served
    )


def metric(identifier: str) -> Metric:
    return Metric(
        id=identifier,
        name=text(identifier),
        short=text(identifier),
        meaning=text(identifier),
        formula=Formula(numerator="answered", denominator="offered"),
        unit="ratio",
        better="up",
        target=0.8,
        attribution="event_time",
        data_rule=DataRule(
            source=text("s"), collection="automatic", frequency_s=60, deadline_s=60, lateness_allowed_s=0, minimum_n=1
        ),
        ownership=Ownership(department=text("d"), reviewed_on=date(2026, 1, 1), version=1, valid_from=date(2026, 1, 1)),
        examples=(Example(measures={"answered": 1}, value=1), Example(measures={"answered": 0}, value=None)),
    )


def catalogue() -> Catalogue:
    words = yaml.safe_load((ROOT / "config" / "words" / "shell.yaml").read_text(encoding="utf-8"))
    roles = yaml.safe_load((ROOT / "config" / "roles.yaml").read_text(encoding="utf-8"))
    regions = (
        region(NATION, "China", Level.NATION),
        region(BEIJING, "Beijing"),
        region(GUANGDONG, "Guangdong"),
        region(TAIWAN, "Taiwan", served=False),
    )
    return Catalogue(
        measures={},
        metrics={"service_level_20s": metric("service_level_20s"), "answer_rate": metric("answer_rate")},
        channels={},
        regions={region.code: region for region in regions},
        dimensions={},
        codes={},
        rules=RuleBook(version="1", rules={}, trust={}, score={}),
        roles={name: Role(id=name, **content) for name, content in roles.items()},
        words={key: Text(**content) for key, content in words.items()},
    )


def snapshot(generation: int, offered: float = 100.0, at: datetime | None = None) -> Snapshot:
    """A snapshot whose one reading is `offered`."""
    frames = {READINGS.name: pd.DataFrame({"value": [offered]})}
    return Snapshot(generation=generation, at=at or datetime.now(UTC), simulated=True, frames=frames)


class MemoryLive:
    """`store.valkey.live.Live` without a server; `lose` makes it fail until `publish` brings it back."""

    def __init__(self) -> None:
        self.newest: Snapshot | None = None
        self.reads = 0
        self._lost: Exception | None = None
        self._waiting: set[asyncio.Queue[int | None]] = set()

    def read(self) -> Snapshot | None:
        self.reads += 1
        if self._lost:
            raise self._lost
        return self.newest

    async def generations(self) -> AsyncIterator[int]:
        queue: asyncio.Queue[int | None] = asyncio.Queue()
        self._waiting.add(queue)
        try:
            while (generation := await queue.get()) is not None:
                yield generation
        finally:
            self._waiting.discard(queue)
        raise ConnectionError("the store is gone")

    def health(self) -> LiveHealth:
        return LiveHealth(reachable=self._lost is None, detail=str(self._lost or ""))

    def publish(self, snapshot: Snapshot) -> None:
        self.newest, self._lost = snapshot, None
        for queue in self._waiting:
            queue.put_nowait(snapshot.generation)

    def lose(self) -> None:
        self._lost = ConnectionError("the store is gone")
        for queue in self._waiting:
            queue.put_nowait(None)


def layout(view: View, place: str) -> html.Div:
    attributes: dict[str, Any] = {"data-late-after": "5"}
    spark: dict[str, Any] = {"data-chart": "spark"}
    unit: dict[str, Any] = {"data-part": "unit"}
    flow: dict[str, Any] = {"data-chart": "flow"}
    return html.Div(
        [
            html.H1(f"{view.window} {place} {METRIC.of(view)} {TIME.of(view)}", id="heading"),
            html.Span("--", id="offered"),
            html.Span(id="offered-age", **attributes),
            html.Div(html.Span("--", **unit), id="tile"),
            html.Div(id="trend", style=box(200, 40), **spark),
            html.Div(id="map", style=box(600, 480), **map_attributes(view)),
            html.Div(id="figure", style=box(400, 200), **figure_attributes(view)),
            html.Div(id="flow", style=box(600, 300), **flow),
        ]
    )


def box(width: int, height: int) -> dict[str, str]:
    return {"position": "relative", "width": f"{width}px", "height": f"{height}px"}


def map_attributes(view: View) -> dict[str, Any]:
    href = view.to(window="province", scope="CODE").url()
    return {"data-chart": "map", "data-href": href, "data-credit": "GS(2024)0650"}


def figure_attributes(view: View) -> dict[str, Any]:
    """A figure with axes, on the window of head office only."""
    return {"data-chart": "plotly"} if view.window == "hq" else {}


def figures(view: View, offered: float, at: datetime) -> dict[str, dict[str, object]]:
    if offered < 0:
        raise ValueError("offered is negative")
    figure = f"{offered:.0f}"
    places = {
        GUANGDONG: {"shade": offered / 1000, "served": True, "label": f"GD {figure}", "hint": f"Guangdong {figure}"},
        BEIJING: {"shade": -0.5, "served": True, "label": "", "hint": "Beijing"},
    }
    node = {"value": figure, "size": 0.4, "y": 0.5, "paint": "--node"}
    line = {"type": "scatter", "x": [1, 2], "y": [offered, 5], "line": {"color": "--accent"}}
    parts: dict[str, dict[str, object]] = {"figure": {"chart": {"data": [line], "layout": {}}}}
    return (parts if view.window == "hq" else {}) | {
        "offered": {"text": figure},
        "offered-age": {"@data-at": at.isoformat()},
        "tile": {".unit": "n", "@data-state": "good", "--share": "40%", ".unit@title": f"of {figure}"},
        "trend": {"chart": {"line": f"M0 12L100 {figure}", "area": "", "band": None}},
        "map": {"chart": {"map": "provinces", "places": places}},
        "flow": {
            "chart": {
                "nodes": [{"id": "0:a", "text": "a", "x": 0, **node}, {"id": "1:b", "text": "b", "x": 1, **node}],
                "links": [
                    {"from": 0, "to": 1, "contacts": offered, "channel": "a", "text": "a to b", "paint": "#336699"}
                ],
                "empty": "",
            }
        },
    }


@dataclass(frozen=True)
class Everything:
    """One panel with an element for every part and drawer."""

    def needs(self, context: Context) -> Needs:
        return Needs(frames=(READINGS.name,))

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Div]:
        return [layout(context.view, context.words.name(context.view.scope))]

    def parts(self, context: Context, data: PanelData) -> Parts:
        return figures(context.view, float(data.frames[READINGS.name]["value"].iloc[0]), data.at)


def windows() -> dict[str, Window]:
    made = (
        Window("flow", Level.NATION, (Everything(),), 1, Action.SEE_FLOW_WINDOW),
        Window("hq", Level.NATION, (Everything(),), 2, Action.SEE_HQ_WINDOW),
        Window("province", Level.PROVINCE, (Everything(),), None, Action.SEE_PROVINCE_WINDOW),
    )
    return {window.name: window for window in made}


def view(pathname: str, query: str = "") -> View:
    """A view of this world's windows."""
    return Addresses(catalogue(), windows()).parse(pathname, query)
