from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.catalogue import Level
from dashboards.site.registry import BadWindow, in_order
from dashboards.views import LANGUAGES, MODES, THEMES, Addresses, Parameter, UnknownView, View
from dashboards.window import Window
from metrics.readings import WINDOWS
from tests.support.live_world import BEIJING, GUANGDONG, catalogue, windows

WORLD = catalogue()
GRADE = Parameter("grade", lambda catalogue: ("all", *catalogue.metrics), lambda catalogue: "all")
"""A parameter that one window alone has."""
PAINTED = Parameter("painted", lambda catalogue: ("fine", "coarse"), lambda catalogue: "fine", keyed=False)
OWN = {**windows(), "depth": Window("depth", Level.NATION, (), parameters=(GRADE, PAINTED))}
ADDRESSES = Addresses(WORLD, OWN)


def parse(url: str) -> View:
    parts = urlsplit(url)
    return ADDRESSES.parse(parts.path, parts.query)


def viewed(place: tuple[str, str], *values: str) -> View:
    return ADDRESSES.view(*place, dict(zip(("time", "metric", "lang", "theme", "mode"), values, strict=True)))


PLACES = [("flow", "100000"), ("hq", "100000"), ("province", GUANGDONG), ("province", BEIJING)]
VIEWS = st.builds(
    viewed,
    st.sampled_from(PLACES),
    st.sampled_from(list(WINDOWS)),
    st.sampled_from(list(WORLD.metrics)),
    st.sampled_from(LANGUAGES),
    st.sampled_from(THEMES),
    st.sampled_from(MODES),
)


@given(VIEWS)
def test_a_url_opens_the_same_view_again(view: View) -> None:
    assert parse(view.url()) == view


@given(VIEWS, VIEWS)
def test_views_share_a_stream_exactly_when_they_differ_in_looks_only(one: View, other: View) -> None:
    alike = one.to(theme=other.theme, mode=other.mode) == other
    assert (one.key == other.key) == alike


@given(VIEWS)
def test_the_key_is_the_address_of_the_stream(view: View) -> None:
    assert parse("/" + view.key) == view.to(theme=THEMES[0], mode=MODES[0])


def test_a_link_of_old_opens_what_it_did() -> None:
    view = parse("/hq?time=60min&metric=answer_rate&lang=en&theme=light&mode=wall")
    assert view.key == "hq?time=60min&metric=answer_rate&lang=en"
    assert view.url() == "/hq?time=60min&metric=answer_rate&lang=en&theme=light&mode=wall"
    assert parse("/hq").url() == "/hq?time=15min&metric=service_level_20s&lang=zh"


def test_a_window_has_parameters_of_its_own() -> None:
    view = parse("/depth?grade=answer_rate&painted=coarse")
    assert (GRADE.of(view), PAINTED.of(view)) == ("answer_rate", "coarse")
    assert view.key == "depth?grade=answer_rate&lang=zh"
    assert view.url() == "/depth?grade=answer_rate&painted=coarse&lang=zh"
    assert GRADE.of(parse("/depth")) == "all"
    with pytest.raises(UnknownView, match="unknown grade 'gold'"):
        parse("/depth?grade=gold")


def test_what_was_chosen_in_a_window_is_kept_on_the_way_through_one_that_lacks_it() -> None:
    there = parse("/hq?metric=answer_rate&lang=en").to(window="depth", grade="answer_rate")
    assert there.key == "depth?grade=answer_rate&lang=en", "what this window does not show decides no frame of it"
    back = parse(there.url()).to(window="hq")
    assert back.choices["metric"] == "answer_rate"
    assert GRADE.of(back) == "all", "a panel sees nothing that its window has not declared"
    assert GRADE.of(parse(back.url()).to(window="depth")) == "answer_rate"


def test_one_name_is_one_parameter_in_every_window() -> None:
    other = replace(OWN["depth"], name="other", parameters=(replace(GRADE, default=lambda catalogue: "answer_rate"),))
    assert list(in_order(OWN.values())) == ["flow", "hq", "province", "depth"]
    with pytest.raises(BadWindow, match="'grade'"):
        in_order([*OWN.values(), other])
    with pytest.raises(BadWindow, match="two windows are called hq"):
        in_order([*OWN.values(), OWN["hq"]])


def test_an_address_with_nothing_chosen_is_the_flow_of_the_nation() -> None:
    view = parse("/")
    assert (view.window, view.scope, view.choices["time"], view.language) == ("flow", "100000", "15min", "zh")


def test_a_province_is_a_topic_of_its_own() -> None:
    assert parse(f"/province/{GUANGDONG}").topic == f"province/{GUANGDONG}"
    assert parse("/hq").topic == "hq"


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("/payroll", "window"),
        ("/province", "scope"),
        ("/province/100000", "scope"),
        ("/province/999999", "scope"),
        ("/province/710000", "scope"),
        ("/hq/440000", "scope"),
        ("/hq/100000", "scope"),
        ("/hq/440000/x", "scope"),
        ("/hq?time=5min", "time"),
        ("/hq?metric=", "metric"),
        ("/hq?metric=secret", "metric"),
        ("/hq?lang=fr", "lang"),
        ("/hq?theme=pink", "theme"),
        ("/hq?mode=tv", "mode"),
        ("/hq?tme=15min", "parameter"),
    ],
)
def test_what_does_not_exist_is_named(url: str, what: str) -> None:
    with pytest.raises(UnknownView) as caught:
        parse(url)
    assert caught.value.what == what


@given(st.text(), st.text())
def test_no_address_breaks_the_door(pathname: str, query: str) -> None:
    view, what = None, "window"
    try:
        view = ADDRESSES.parse(pathname, query)
    except UnknownView as error:
        what = error.what
    assert f"notice.unknown.{what}" in WORLD.words or what in (GRADE.name, PAINTED.name)
    assert view is None or parse(view.url()) == view
