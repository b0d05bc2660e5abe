"""The frame around every window: where one is, where one can go, and whether what one sees is alive.

Pure: a view in, a Dash tree out. Every link is made by `View.to`, so that no click loses what was chosen.
"""

from collections.abc import Mapping
from typing import Any

from dash import html

from config.catalogue import NATION, Catalogue, Level
from dashboards.parameters import METRIC, TIME
from dashboards.views import LANGUAGE, MODE, THEME, Parameter, View
from dashboards.window import May, Parts, Window
from metrics.readings import Snapshot
from wording.words import Words

LATE_S = 25
"""Age (s) of the newest snapshot from which the header says how old it is: two beats of the publisher, and some."""


def header(
    view: View, windows: Mapping[str, Window], catalogue: Catalogue, words: Words, may: May, signed_in: str
) -> html.Header:
    """Name, navigation, place, choices, switches, the state of the link, and who is signed in ('': nobody has to)."""
    return html.Header(
        className="header",
        children=[
            html.Span(words("shell.product"), className="header-name"),
            _navigation(view, windows, words, may),
            _place(view, catalogue, words, may),
            _choices(view, windows[view.window], catalogue, words),
            _switches(view, catalogue, words),
            _state(catalogue, words),
            *([_sign_out(signed_in, words)] if signed_in else []),
        ],
    )


def banners(words: Words) -> list[Any]:
    """What every screen must say when it is so: simulated figures, no figures yet, figures that failed."""
    return [
        html.P(words("shell.simulated"), id="simulated", className="banner banner-simulated", hidden=True),
        html.P(words("shell.waiting"), id="waiting", className="banner banner-waiting", role="status", hidden=True),
        html.P("", id="trouble", className="banner banner-trouble", role="alert", hidden=True),
    ]


def header_parts(snapshot: Snapshot | None, words: Words) -> Parts:
    """The parts of the header and the banners."""
    return {
        "simulated": {"@hidden": None if snapshot and snapshot.simulated else ""},
        "waiting": {"@hidden": "" if snapshot else None},
        "trouble": {"text": "", "@hidden": ""},
        "data-time": {"text": words.clock(snapshot.at) if snapshot else ""},
        "data-age": {"@data-at": snapshot.at.isoformat() if snapshot else None},
    }


def apology_parts(words: Words) -> Parts:
    """What is laid over a view whose figures could not be made."""
    return {"trouble": {"text": words("shell.figures_failed"), "@hidden": None}}


def _navigation(view: View, windows: Mapping[str, Window], words: Words, may: May) -> html.Nav:
    targets = [
        view.to(window=name, scope=NATION)
        for name, window in windows.items()
        if window.order is not None and window.level is Level.NATION and may(window.action, NATION)
    ]
    links = [_link(target, words(f"window.{target.window}"), target.window == view.window) for target in targets]
    return html.Nav(links, className="header-windows", **_label(words("shell.windows")))


def _place(view: View, catalogue: Catalogue, words: Words, may: May) -> html.Nav:
    """The way from the nation to this place, and its neighbours."""
    place = catalogue.regions[view.scope]
    nation = view.to(window="hq", scope=NATION)
    crumbs: list[Any] = [
        _link(nation, words.name(NATION), False) if may(nation.action, NATION) else html.Span(words.name(NATION))
    ]
    if place.code == NATION:
        crumbs = [html.Span(words.name(NATION), className="here")]
    provinces = [view.to(window="province", scope=code) for code in catalogue.at_level(Level.PROVINCE)]
    options = [(target, words.name(target.scope)) for target in provinces if may(target.action, target.scope)]
    if options:
        unset = None if place.code != NATION else words("shell.choose_province")
        crumbs += [html.Span("›"), _select("province", options, words, unset)]
    return html.Nav(crumbs, className="header-place", **_label(words("shell.place")))


def _choices(view: View, window: Window, catalogue: Catalogue, words: Words) -> html.Div:
    """Time window and metric, where the window has them; parameters of its own are drawn by its panels."""
    choices: list[Any] = []
    if TIME in window.parameters:
        choices.append(_segments(TIME, "time", view, catalogue, words))
    if METRIC in window.parameters:
        metrics = [(view.to(metric=metric), words.name(metric)) for metric in catalogue.metrics]
        choices.append(_select("metric", metrics, words))
    return html.Div(choices, className="header-choices")


def _switches(view: View, catalogue: Catalogue, words: Words) -> html.Div:
    groups = ((LANGUAGE, "language"), (THEME, "theme"), (MODE, "mode"))
    return html.Div(
        [_segments(parameter, name, view, catalogue, words) for parameter, name in groups], className="header-switches"
    )


def _segments(parameter: Parameter, name: str, view: View, catalogue: Catalogue, words: Words) -> html.Div:
    """The values of a parameter beside each other; their words are below `name.`."""
    links = [
        _link(view.to(**{parameter.name: value}), words(f"{name}.{value}"), value == parameter.of(view))
        for value in parameter.allowed(catalogue)
    ]
    return html.Div(links, className="segments", role="group", **_label(words(f"shell.{name}")))


def _state(catalogue: Catalogue, words: Words) -> html.Div:
    """Filled by live.js: the words are here, because what says that the link is lost cannot come over it."""
    link: dict[str, Any] = {
        f"data-{state}": words(f"link.{state}", since="{since}") for state in ("live", "opening", "lost")
    }
    ages: dict[str, Any] = {f"data-age-{unit}": words(f"age.{unit}", n="{n}") for unit in ("s", "min", "h", "d")}
    late: dict[str, Any] = {"data-late-after": str(LATE_S)}
    zone: dict[str, Any] = {"data-zone": catalogue.day.zone}
    data_time = html.Span(
        [
            html.Span(words("shell.data_time"), className="header-data-name"),
            html.Time(id="data-time"),
            html.Span(id="data-age", className="age", **late),
        ],
        className="header-data",
    )
    return html.Div(
        [
            data_time,
            html.Span(id="link", className="link", role="status", **link, **ages),
            html.Time(id="clock", className="clock", **zone),
        ],
        className="header-state",
    )


def _sign_out(name: str, words: Words) -> html.Form:
    button = html.Button(words("shell.sign_out"), type="submit")
    return html.Form([html.Span(name), button], action="/sign-out", method="POST", className="header-viewer")


def _link(target: View, text: str, current: bool) -> html.A:
    state: dict[str, Any] = {"aria-current": "true"} if current else {}
    return html.A(text, href=target.url(), **state)


def _select(name: str, options: list[tuple[View, str]], words: Words, unset: str | None = None) -> html.Select:
    """A select whose values are links; live.js chooses the one where one is, or else `unset`."""
    named: dict[str, Any] = {"data-go": "", "aria-label": words(f"shell.{name}")}
    first = [] if unset is None else [html.Option(unset, value="")]
    children = [*first, *(html.Option(text, value=target.url()) for target, text in options)]
    return html.Select(children, id=f"choose-{name}", **named)


def _label(text: str) -> dict[str, Any]:
    return {"aria-label": text}
