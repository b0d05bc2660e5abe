"""The whole product at work: simulated systems, collectors, store, audit, windows, and troubles on command."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from config.loading import load
from tests.support.real_product import House, Product, Shown, has_figure, start_and_end

pytestmark = pytest.mark.timeout(240)
CATALOGUE = load()
SOURCES = {f"source-{channel.id}-{source.id}" for channel in CATALOGUE.channels.values() for source in channel.sources}
WINDOWS = ("flow", "hq", "province/440000", "quality")


def all_sound(shown: Shown) -> bool:
    return all(shown.get(name, {}).get(".state") == "sound" for name in SOURCES)


def rules_told(shown: Shown) -> set[str]:
    return {parts[".rule"] for name, parts in shown.items() if name.startswith("finding-") and parts.get(".rule")}


@pytest.fixture
def product(house: House) -> Product:
    return house.running()


def test_a_page_has_figures_soon_after_the_start(product: Product) -> None:
    product.screen("hq?lang=en", has_figure)
    assert product.health().json()["status"] == "ok"


def test_every_source_of_every_channel_comes_in(product: Product) -> None:
    assert len(SOURCES) > len(CATALOGUE.channels) > 1
    product.screen("quality?lang=en", all_sound, patience_s=120)


@pytest.mark.parametrize("path", WINDOWS)
def test_a_window_shows_figures_says_that_they_are_simulated_and_asks_nobody_else(
    product: Product, page: Page, path: str
) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{product.url}/{path}?lang=en", wait_until="domcontentloaded")
    figure = page.locator(".tile .value", has_text="0").or_(page.locator(".tile .value", has_text="1"))
    expect(page.locator("html")).to_have_attribute("data-link", "live", timeout=30_000)
    expect(figure.first).to_be_visible(timeout=30_000)
    expect(page.locator("#simulated")).to_contain_text("simulated")
    expect(page.locator("#trouble")).to_be_hidden()
    assert len(asked) > 1
    assert [url for url in asked if not url.startswith((product.url, "data:"))] == []
    assert said == []


def test_the_command_line_asks_the_running_service(product: Product) -> None:
    rows = product.ask("sources")
    assert {f"source-{row['channel']}-{row['source']}" for row in rows} == SOURCES


def test_a_second_start_in_the_same_home_says_who_is_there(product: Product, house: House) -> None:
    ended = start_and_end(house.home, demo="0")
    assert ended.returncode == 1
    assert "in use" in ended.stderr or "held by process" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert product.health().json()["status"] == "ok"


@pytest.fixture
def misbehaving(product: Product) -> Iterator[Product]:
    """The seat centres' system is down and the hotline's records contradict themselves; later all is well again."""
    product.screen("quality?lang=en", all_sound, patience_s=120)
    troubles = (("floor", "down"), ("hotline", "wrong_sums"))
    for trouble in troubles:
        product.trouble(*trouble)
    yield product
    for trouble in troubles:
        product.trouble(*trouble, "--off")


def test_a_system_that_is_down_or_wrong_shows_with_its_reason_and_passes(misbehaving: Product) -> None:
    def lost(shown: Shown) -> bool:
        return "503" in shown["source-hotline-floor"][".error"]

    def found(shown: Shown) -> bool:
        return {"AC-03", "CP-01"} <= rules_told(shown)

    def doubted(shown: Shown) -> bool:
        tile = shown["tile-answer_rate"]
        return tile[".trust"] == "doubtful" and "AC-03" in tile[".reason"]

    def stale(shown: Shown) -> bool:
        tile = shown["tile-staffing_guarantee"]
        return tile[".trust"] in ("stale", "doubtful") and "Hotline" in tile[".reason"]

    def back(shown: Shown) -> bool:
        """No longer stale or lost; that minutes are missing stays said for as long as they are on the screen."""
        return "since" not in shown["tile-staffing_guarantee"][".reason"]

    misbehaving.screen("quality?lang=en", lost)
    misbehaving.screen("hq?lang=en", stale, patience_s=120)
    misbehaving.screen("quality?lang=en", found, patience_s=120)
    misbehaving.screen("hq?lang=en", doubted)
    misbehaving.trouble("floor", "down", "--off")
    misbehaving.screen("quality?lang=en", lambda shown: shown["source-hotline-floor"][".state"] == "sound")
    misbehaving.screen("hq?lang=en", back)
    assert "hotline/floor lost" in misbehaving.errors
    assert "hotline/floor back" in misbehaving.errors
