"""The windows as Chromium draws them: nothing too small, nothing cut off, everything reachable with the keyboard."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from config.loading import load
from dashboards.access.viewers import OpenAccess
from dashboards.site.application import create_app
from tests.support.believable import believable
from tests.support.browsers import Served
from tests.support.live_world import MemoryLive

PATHS = ("/flow", "/hq", "/province/440000", "/quality")
LOOKS = {
    "desk": ("mode=desk&theme=light", 1366, 768),
    "wall": ("mode=wall", 1920, 1080),
    "large wall": ("mode=wall", 3840, 2160),
    "small wall": ("mode=wall", 1366, 768),
}
TEXTS = """() => {
  const walker = document.createTreeWalker(document.querySelector("#view"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    const box = parent.getBoundingClientRect();
    if (!text || !box.width || !parent.checkVisibility() || parent.closest("title, .state")) continue;
    const own = parseFloat(getComputedStyle(parent).fontSize);
    const scale = parent.getScreenCTM ? parent.getScreenCTM().a : 1;
    found.push([text, Math.round(own * scale * 100) / 100]);
  }
  return found;
}"""
OVERFLOWING = """() => [...document.querySelectorAll(".tile, .panel, .strip, .header")]
  .filter((box) => box.scrollWidth > box.clientWidth + 1)
  .map((box) => `${box.id || box.className}: ${box.scrollWidth} > ${box.clientWidth}`)"""

ROWS_FROM_TOP = """() => [...document.querySelectorAll(".rank")]
  .sort((one, other) => one.getBoundingClientRect().y - other.getBoundingClientRect().y)
  .map((row) => row.id)"""
COLLIDING = """() => {
  const nodes = [...document.querySelectorAll(".flow-node")].map(({ children }) =>
    [...children].map((one) => one.getBoundingClientRect()));
  const names = [...document.querySelectorAll(".flow-node text")].map((one) => one.textContent);
  const over = (one, other) =>
    one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
  return names.filter((_, at) => nodes.some(([rect], other) => other !== at && over(nodes[at][1], rect)));
}"""
DIGITS = """() => [...document.querySelectorAll(".figure .value")]
  .map((one) => parseFloat(getComputedStyle(one).fontSize))"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    catalogue, live = load(), MemoryLive()
    live.newest = believable(catalogue, datetime.now(UTC))
    served = Served(lambda: create_app(catalogue, live, OpenAccess()))
    yield served.url
    served.stop()


@pytest.fixture
def complaints() -> list[str]:
    """What the console of the pages has said to be wrong."""
    return []


@pytest.fixture
def opened(browser: Browser, url: str, complaints: list[str]) -> Iterator[Any]:
    contexts = []

    def note_errors(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def open_at(path: str, look: str, language: str = "zh") -> Page:
        query, width, height = LOOKS[look]
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.on("console", note_errors)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{url}{path}?{query}&lang={language}")
        page.wait_for_selector("#view main [data-state]", state="attached")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return page

    yield open_at
    for context in contexts:
        context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_cut_off_and_nothing_fails(
    opened: Any, complaints: list[str], path: str, look: str, language: str
) -> None:
    page = opened(path, look, language)
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []


@pytest.mark.parametrize("look", ["desk", "wall"])
def test_no_name_of_the_flow_runs_into_a_node(opened: Any, look: str) -> None:
    page = opened("/flow", look, "en")
    page.wait_for_selector(".flow-node text")
    assert page.locator(".flow-node text").count() > 20
    assert page.evaluate(COLLIDING) == []


@pytest.mark.parametrize("path", PATHS)
def test_no_text_on_the_wall_is_below_18_px(opened: Any, path: str) -> None:
    page = opened(path, "wall")
    texts = page.evaluate(TEXTS)
    assert len(texts) > 50
    assert [text for text in texts if text[1] < 18] == []


def test_a_wall_of_twice_the_lines_has_letters_twice_as_large(opened: Any) -> None:
    size = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    assert opened("/flow", "wall").evaluate(size) == pytest.approx(20, abs=0.01)
    assert opened("/flow", "large wall").evaluate(size) == pytest.approx(40, abs=0.01)


@pytest.mark.parametrize(("look", "least"), [("wall", 48), ("desk", 28)])
def test_figures_are_large(opened: Any, look: str, least: float) -> None:
    sizes = opened("/flow", look).evaluate(DIGITS)
    assert len(sizes) == 9
    assert min(sizes) >= least


def test_a_wall_is_one_screen(opened: Any) -> None:
    for path in PATHS:
        assert opened(path, "wall").evaluate("document.documentElement.scrollHeight <= innerHeight"), path


def test_the_ranking_turns_round_and_links_follow_the_eye(opened: Any) -> None:
    page = opened("/hq", "desk")
    worst_first = page.evaluate(ROWS_FROM_TOP)
    page.locator(".switch summary").focus()
    page.keyboard.press("Enter")
    best_first = page.evaluate(ROWS_FROM_TOP)
    assert best_first[:-2] == worst_first[:-2][::-1], "places that can be ranked turn round"
    assert best_first[-2:] == worst_first[-2:], "too few and no value stay last"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.rank').id") == best_first[0]


@pytest.mark.parametrize("path", PATHS)
def test_the_header_of_a_small_desk_is_one_line_and_names_what_is_shown(opened: Any, path: str) -> None:
    page = opened(path, "desk", "en")
    assert page.evaluate("document.querySelector('.header').clientHeight") < 60
    assert page.evaluate("document.querySelector('#choose-metric').selectedOptions[0].text") == "service level"


def test_what_has_the_focus_is_seen(opened: Any) -> None:
    page = opened("/hq", "desk")
    page.keyboard.press("Tab")
    assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2


def test_a_province_opens_from_the_ranking_and_keeps_the_choices(opened: Any) -> None:
    page = opened("/hq", "desk", "en")
    page.locator("#rank-520000 a").click()
    page.wait_for_selector("main.window-province")
    assert "/province/520000" in page.url
    assert "lang=en" in page.url
    assert "theme=light" in page.url


def test_reduced_motion_is_honoured(opened: Any) -> None:
    page = opened("/flow", "desk")
    assert page.evaluate("getComputedStyle(document.querySelector('.bar-fill')).transitionDuration") == "0s"
