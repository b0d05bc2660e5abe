"""Panels by themselves: they need what they say and nothing else, and know of a viewer what they have asked for."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pandas as pd
import pytest
from dash import html

from access.policy import Viewer
from config.actions import Action
from config.catalogue import NATION, Level, Role, Text
from dashboards.access.viewers import LOCAL, OpenAccess
from dashboards.parameters import TIME
from dashboards.site.pages import Pages
from dashboards.site.registry import all_windows
from dashboards.views import Addresses, Parameter
from dashboards.window import Context, Needs, Panel, PanelData, Parts, Right, Window
from metrics.readings import COUNT, READINGS, TEXT, FrameSpec, State, Trust
from metrics.states import URGENT, urgency
from tests.support.shown_windows import catalogue, context, elements, shown, snapshot

PLACES = {"flow": "100000", "hq": "100000", "province": "440000", "quality": "100000"}
PANELS = [
    pytest.param(name, panel, id=f"{name} {type(panel).__name__}")
    for name, window in all_windows().items()
    for panel in window.panels
]


def test_the_windows_have_panels_and_every_window_is_tried() -> None:
    assert PLACES.keys() == all_windows().keys()
    assert len(PANELS) > 15


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_a_panel_alone_shows_what_it_shows_in_its_window(name: str, panel: Panel) -> None:
    """So it lives on nothing that another panel of the window needs."""
    alone = Window(name, all_windows()[name].level, (panel,)).parts(snapshot(), context(name, PLACES[name]))
    together = shown(name, PLACES[name])
    assert alone
    assert alone == {element: together[element] for element in alone}


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_a_panel_sets_what_it_lays_out(name: str, panel: Panel) -> None:
    tree = panel.layout(context(name, PLACES[name]), frozenset())
    ids = {element.id for element in elements(tree) if getattr(element, "id", "")}
    parts = Window(name, all_windows()[name].level, (panel,)).parts(snapshot(), context(name, PLACES[name]))
    assert ids == parts.keys()


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_no_figure_depends_on_the_look(name: str, panel: Panel) -> None:
    """Views that differ in their look share a stream."""
    window = Window(name, all_windows()[name].level, (panel,))
    looks = [
        context(name, PLACES[name], theme=theme, mode=mode) for theme, mode in (("dark", "desk"), ("light", "wall"))
    ]
    assert window.parts(snapshot(), looks[0]) == window.parts(snapshot(), looks[1])


SHIFTS = FrameSpec("shifts", {"centre": TEXT, "people": COUNT})
"""A frame that a room makes of which snapshot, builder and stream know nothing."""
QUALITY = Right(Action.SEE_QUALITY_WINDOW, NATION)
SHIFT = Parameter("shift", lambda catalogue: ("day", "night"), lambda catalogue: "day")


@dataclass(frozen=True)
class Shifts:
    """People of a shift, with a link for those who may see the quality of data."""

    def needs(self, context: Context) -> Needs:
        return Needs(frames=(SHIFTS.name,), rights=(QUALITY,))

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Div]:
        link = context.view.to(window="quality").url()
        return [html.Div(html.A("quality", href=link) if QUALITY in granted else None, id="shifts")]

    def parts(self, context: Context, data: PanelData) -> Parts:
        rows = data.frames[SHIFTS.name]
        return {"shifts": {"text": str(rows.loc[rows["centre"] == SHIFT.of(context.view), "people"].sum())}}


WINDOWS = {**all_windows(), "shifts": Window("shifts", Level.NATION, (Shifts(),), parameters=(TIME, SHIFT))}


@pytest.fixture
def pages() -> Pages:
    words = {**catalogue().words, "window.shifts": Text(zh="班次", en="Shifts")}
    pages, others = frozenset({Action.OPEN_PAGES, Action.SEE_OTHER_WINDOWS}), Text(zh="其他", en="others")
    roles = {**catalogue().roles, "others": Role(id="others", name=others, levels=(Level.NATION,), may=pages)}
    return Pages(catalogue().model_copy(update={"words": words, "roles": roles}), OpenAccess(), WINDOWS)


def test_a_panel_shows_a_frame_that_another_room_has_made(pages: Pages) -> None:
    frame = SHIFTS.typed(pd.DataFrame({"centre": ["day", "night"], "people": [40, 7]}))
    there = snapshot().with_frame(SHIFTS, frame)
    assert pages.parts(there, pages.view("/shifts", "shift=night"))["shifts"] == {"text": "7"}
    assert pages.parts(there, pages.view("/shifts", ""))["shifts"] == {"text": "40"}


def test_a_value_that_a_windows_own_parameter_cannot_have_is_no_page_and_is_named(pages: Pages) -> None:
    answer = pages.answer("/shifts", "shift=noon", LOCAL)
    assert answer.status == 404
    assert "“shift”不能是“noon”" in str(answer.content())


def test_a_right_is_a_need_and_decides_the_layout(pages: Pages) -> None:
    def links(role: str) -> set[str]:
        content = pages.answer("/shifts", "", Viewer("somebody", role, NATION)).content()
        inside = [element for element in elements(content) if getattr(element, "id", "") == "shifts"]
        return {urlsplit(element.href).path for element in elements(inside) if getattr(element, "href", "")}

    assert links("steward") == {"/quality"}
    assert links("others") == set()


def test_a_panel_hears_of_no_right_that_it_does_not_need() -> None:
    heard: list[Collection[Right]] = []

    class Listening(Shifts):
        def needs(self, context: Context) -> Needs:
            return replace(super().needs(context), rights=())

        def layout(self, context: Context, granted: Collection[Right]) -> list[html.Div]:
            heard.append(granted)
            return []

    view = Addresses(catalogue(), WINDOWS).parse("/shifts", "")
    Window("shifts", Level.NATION, (Listening(),)).layout(replace(context("hq"), view=view), lambda action, scope: True)
    assert heard == [frozenset()]


def test_a_window_is_open_to_whom_its_action_allows(pages: Pages) -> None:
    """One that names none is one of the others."""

    def status(role: str, path: str) -> int:
        return pages.answer(path, "", Viewer("somebody", role, NATION)).status

    assert {path: status("others", path) for path in ("/shifts", "/hq")} == {"/shifts": 200, "/hq": 403}
    assert {path: status("wall", path) for path in ("/shifts", "/hq")} == {"/shifts": 403, "/hq": 200}


def test_one_order_of_states_of_trust_and_of_levels() -> None:
    assert [urgency(state) for state in URGENT] == [0, 1]
    assert {urgency(state) for state in State if state not in URGENT} == {2}
    assert sorted(Trust, key=lambda trust: trust.rank) == ["sound", "provisional", "stale", "doubtful", "absent"]
    assert sorted(Level, key=lambda level: level.rank) == ["nation", "province", "city", "centre"]


def test_a_row_of_channels_is_as_good_as_its_worst_figure() -> None:
    channel, readings = next(iter(catalogue().channels)), snapshot().readings
    mine = (readings["channel"] == channel) & (readings["region"] == "100000") & (readings["window"] == "15min")
    trust = readings["trust"].astype(str)
    trust[mine & (readings["metric"] == "contacts")] = "doubtful"
    trust[mine & (readings["metric"] == "queue_length")] = "stale"
    there = snapshot().with_frame(READINGS, readings.assign(trust=trust))
    parts = all_windows()["flow"].parts(there, context("flow"))
    assert parts[f"channel-{channel}"]["@data-trust"] == "doubtful"
