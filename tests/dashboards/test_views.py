from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.views import LANGUAGES, MODES, THEMES, UnknownView, View
from metrics.readings import WINDOWS
from tests.support.live_world import BEIJING, GUANGDONG, LEVELS, catalogue

WORLD = catalogue()


def parse(url: str) -> View:
    parts = urlsplit(url)
    return View.parse(parts.path, parts.query, WORLD, LEVELS)


PLACES = [("flow", "100000"), ("hq", "100000"), ("province", GUANGDONG), ("province", BEIJING)]
VIEWS = st.builds(
    lambda place, time, metric, language, theme, mode: View(place[0], place[1], time, metric, language, theme, mode),
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


def test_an_address_with_nothing_chosen_is_the_flow_of_the_nation() -> None:
    view = parse("/")
    assert (view.window, view.scope, view.time, view.language) == ("flow", "100000", "15min", "zh")


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
        view = View.parse(pathname, query, WORLD, LEVELS)
    except UnknownView as error:
        what = error.what
    assert f"notice.unknown.{what}" in WORLD.words
    assert view is None or parse(view.url()) == view
