"""A real server on a free port and a real Chromium: the one of the machine, else Playwright's own."""

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dashboards.access.viewers import OpenAccess
from dashboards.site.application import Site, create_app
from dashboards.site.server import SiteServer
from metrics.readings import Snapshot
from tests.support.live_world import MemoryLive, catalogue, windows

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
PLACES = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")

PATIENCE_MS = 20_000
"""How long an expectation may take to come true: on a machine that is busy a page opens in 5 s."""


def chromium() -> str | None:
    """The machine's own Chromium; None: Playwright's, which fails loudly when it is not installed."""
    found = [place for place in PLACES if Path(place).exists()]
    return found[0] if found else shutil.which("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser a module: Playwright's loop must have ended before the tests of other rooms start theirs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield page
    context.close()


class Served:
    """An application on a port of its own; `stop` and `start` again on the same port."""

    def __init__(self, make: Callable[[], Site]) -> None:
        self.make = make
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.site = self.make()
        self.server = SiteServer(self.site, "127.0.0.1", self.port)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(60), "the server did not start"

    def _run(self) -> None:
        async def main() -> None:
            self.loop = asyncio.get_running_loop()
            serving = asyncio.create_task(self.server.serve())
            while not self.server.started and not serving.done():
                await asyncio.sleep(0.01)
            if self.server.started:
                self.port = self.server.servers[0].sockets[0].getsockname()[1]
            self._ready.set()
            await serving

        asyncio.run(main())

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive(), "the server did not stop"


class SmallWorld(Served):
    """The small world, served; `publish` shows a snapshot."""

    def __init__(self) -> None:
        self.live = MemoryLive()
        super().__init__(lambda: create_app(catalogue(), self.live, OpenAccess(), windows=windows()))

    def publish(self, snapshot: Snapshot) -> None:
        self.loop.call_soon_threadsafe(self.live.publish, snapshot)


@pytest.fixture
def site() -> Iterator[SmallWorld]:
    site = SmallWorld()
    yield site
    site.stop()
