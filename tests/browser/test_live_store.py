"""The four windows over a real Valkey: from publishing to the glass, and through the loss of the store."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from config.loading import load
from dashboards.access.viewers import OpenAccess
from dashboards.site.application import create_app
from dashboards.site.registry import all_windows
from store.valkey.embedded import EmbeddedValkey
from store.valkey.live import Live
from tests.support.believable import believable
from tests.support.browsers import Served

CATALOGUE = load()
PATHS = ["/flow", "/hq", "/province/440000", "/quality"]


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path / "valkey") as valkey:
        yield valkey


@pytest.fixture
def live(valkey: EmbeddedValkey) -> Iterator[Live]:
    live = Live(valkey.url)
    yield live
    live.close()


@pytest.fixture
def nation(live: Live) -> Iterator[Served]:
    served = Served(lambda: create_app(CATALOGUE, live, OpenAccess()))
    yield served
    served.stop()


def publish(live: Live, generation: int) -> None:
    live.publish(replace(believable(CATALOGUE, datetime.now(UTC), generation), generation=generation))


def test_the_paths_here_are_all_the_windows() -> None:
    assert {path.split("/")[1] for path in PATHS} == set(all_windows())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_window_shows_what_was_published_and_asks_nobody_else(
    page: Page, live: Live, nation: Served, path: str, language: str
) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    publish(live, 1)
    page.goto(f"{nation.url}{path}?lang={language}")
    expect(page.locator("html")).to_have_attribute("data-link", "live")
    at = page.locator("html").get_attribute("data-at")
    publish(live, 2)
    expect(page.locator("html")).not_to_have_attribute("data-at", at or "")
    expect(page.locator("#trouble")).to_be_hidden()
    assert [url for url in asked if not url.startswith(nation.url)] == []
    assert said == []


def test_the_loss_of_the_store_is_healths_to_tell_and_passes(
    page: Page, valkey: EmbeddedValkey, live: Live, nation: Served
) -> None:
    publish(live, 1)
    page.goto(f"{nation.url}/hq")
    expect(page.locator("html")).to_have_attribute("data-link", "live")
    assert httpx.get(f"{nation.url}/health").status_code == 200
    valkey.stop()
    lost = httpx.get(f"{nation.url}/health")
    assert (lost.status_code, lost.json()["fault"][:34]) == (503, "the live store cannot be reached: ")
    expect(page.locator("html")).to_have_attribute("data-link", "live")
    at = page.locator("html").get_attribute("data-at")
    valkey.start()
    publish(live, 2)
    expect(page.locator("html")).not_to_have_attribute("data-at", at or "")
    assert httpx.get(f"{nation.url}/health").status_code == 200
