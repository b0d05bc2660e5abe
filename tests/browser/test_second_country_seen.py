"""The maps of another catalogue as Chromium draws them, and what stands where none was built."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from config.loading import PRODUCT, load
from dashboards.access.viewers import OpenAccess
from dashboards.site.application import create_app
from tests.support.believable import believable, empty
from tests.support.browsers import Served
from tests.support.live_world import MemoryLive

INSIDE = """() => {
  const frame = document.querySelector(".map-inset-frame").getBoundingClientRect();
  const labels = [...document.querySelectorAll(".map-label")].map((label) => label.textContent);
  const islands = document.querySelector("[data-code=CA-05]").getBBox();
  const land = document.querySelector("svg.map").viewBox.baseVal;
  return { width: frame.width, labels, beyond: islands.y > land.y + land.height };
}"""


@pytest.fixture
def shown() -> Iterator[Callable[[str], str]]:
    """The address of an example's windows."""
    running = []

    def serve(example: str) -> str:
        catalogue, live = load(PRODUCT.parent / "examples" / example), MemoryLive()
        now = datetime.now(UTC)
        live.newest = believable(catalogue, now) if len(catalogue.channels) > 1 else empty(now)
        running.append(Served(lambda: create_app(catalogue, live, OpenAccess())))
        return running[0].url

    yield serve
    for served in running:
        served.stop()


def test_head_office_draws_the_communities_with_the_far_islands_in_a_frame(
    page: Page, shown: Callable[[str], str]
) -> None:
    page.goto(f"{shown('spain')}/hq?lang=en")
    expect(page.locator(".map-ground [data-code]")).to_have_count(19)
    expect(page.locator("[data-code=CA-01] title")).to_contain_text("Andalusia")
    expect(page.locator("[data-code=CA-18]")).to_have_class("map-area unserved")
    expect(page.locator(".map-credit")).to_contain_text("ign.es")
    seen = page.evaluate(INSIDE)
    assert seen["width"] > 50
    assert seen["beyond"]
    assert seen["labels"]


def test_a_community_draws_its_provinces(page: Page, shown: Callable[[str], str]) -> None:
    page.goto(f"{shown('spain')}/hq?lang=en")
    expect(page.locator("[data-code=CA-09] title")).to_contain_text("Catalonia")
    page.locator("a:has([data-code=CA-09])").dispatch_event("click")
    expect(page.locator(".map-ground [data-code]")).to_have_count(4)
    expect(page.locator("[data-code=P-17] title")).to_contain_text("Girona")


def test_where_no_map_was_built_that_is_said(page: Page, shown: Callable[[str], str]) -> None:
    page.goto(f"{shown('call_log')}/hq?lang=en")
    expect(page.locator("#map")).to_have_text(
        "There is no map of this place yet; the ranking beside it has the same figures"
    )
