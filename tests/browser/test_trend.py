"""The trend of a desk: it comes behind the figures, moves with the frames, and keeps what somebody zoomed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config.catalogue import Catalogue
from config.loading import load
from dashboards.access.viewers import OpenAccess
from dashboards.site.application import create_app
from metrics.readings import TREND
from tests.support.believable import believable
from tests.support.browsers import Served
from tests.support.live_world import MemoryLive

RANGE = "document.querySelector('#trend > div')._fullLayout.xaxis.range.map((edge) => Date.parse(edge))"
SPAN = f"(([from, to]) => to - from)({RANGE})"
LAST = "document.querySelector('#trend > div').data.at(-1).x.at(-1)"
HOUR_MS = 3_600_000


class Nation(Served):
    """The product's own windows on believable figures."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.live = MemoryLive()
        self.live.newest = believable(catalogue, datetime.now(UTC))
        super().__init__(lambda: create_app(catalogue, self.live, OpenAccess()))

    def five_minutes_later(self) -> None:
        old = self.live.newest
        assert old is not None
        trend = old.trend.assign(start=old.trend["start"] + timedelta(minutes=5))
        newer = replace(old.with_frame(TREND, trend), generation=old.generation + 1)
        self.loop.call_soon_threadsafe(self.live.publish, newer)


@pytest.fixture
def nation() -> Iterator[Nation]:
    served = Nation(load())
    yield served
    served.stop()


@pytest.fixture
def asked(page: Page) -> list[str]:
    """Every address that the page asks for, and after them what it complains about."""
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("console", lambda message: seen.append(f"said {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: seen.append(f"said {error}"))
    return seen


def zoomed(page: Page) -> Any:
    """Drag over the middle third of the plot; the range (ms) that is then in sight."""
    box = page.locator("#trend .nsewdrag").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 3, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 2 / 3, middle, steps=5)
    page.mouse.up()
    page.wait_for_function(f"() => {SPAN} < {HOUR_MS}")
    return page.evaluate(RANGE)


def test_the_trend_comes_last_and_an_update_keeps_the_zoom(page: Page, nation: Nation, asked: list[str]) -> None:
    page.goto(f"{nation.url}/hq?lang=en")
    expect(page.locator("#trend .js-line").first).to_be_visible()
    assert 1.9 * HOUR_MS < page.evaluate(SPAN) < 2.3 * HOUR_MS
    before, now = page.evaluate(LAST), zoomed(page)
    nation.five_minutes_later()
    page.wait_for_function(f"(before) => {LAST} !== before", arg=before)
    assert page.evaluate(RANGE) == now
    assert all(address.startswith(nation.url) for address in asked), asked
    names = [address.rpartition("/")[2] for address in asked]
    assert names.count("plotly.min.js") == 1
    assert names.index("plotly.min.js") > next(index for index, name in enumerate(names) if name.startswith("hq?time="))


def test_another_metric_starts_whole_and_a_way_back_draws_again(page: Page, nation: Nation, asked: list[str]) -> None:
    page.goto(f"{nation.url}/hq?lang=en")
    expect(page.locator("#trend .js-line").first).to_be_visible()
    zoomed(page)
    page.locator("#choose-metric").select_option(label="ASA")
    about = "document.querySelector('#trend > div')?.layout.uirevision"
    page.wait_for_function(f"() => {about}?.startsWith('asa') && {SPAN} > {HOUR_MS}")
    page.get_by_role("link", name="Data quality").click()
    expect(page.locator("#trend")).to_have_count(0)
    page.go_back()
    expect(page.locator("#trend .js-line").first).to_be_visible()
    page.locator("#choose-province").select_option(label="Guangdong")
    expect(page.locator("#trend .trace.scatter")).to_have_count(2)
    assert not [what for what in asked if what.startswith("said ")]


def test_a_wall_never_fetches_it(page: Page, nation: Nation, asked: list[str]) -> None:
    page.goto(f"{nation.url}/hq?mode=wall")
    expect(page.locator("#map .map-label").first).to_be_visible()
    assert not any("plotly.min.js" in address for address in asked)
