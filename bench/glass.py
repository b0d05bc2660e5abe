"""Weight of a page, time to its first figures, and from publishing to the glass: `python -m bench.glass [TRIES]`.

A real Valkey, the real server and Chromium on this machine. "Shown" is the first frame applied and painted, counted
from the start of the navigation; the glass is counted from publishing in Python to the changed text in the page.
"""

import statistics
import sys
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from bench.nation import PATHS, Nation, served_nation
from tests.browser.conftest import FLAGS, chromium

SHOWN = """() => new Promise((resolve) => {
  const drawn = () => document.querySelector("#data-time")?.textContent;
  const look = () => document.documentElement.dataset.link === "live" && drawn()
    ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now()))) : setTimeout(look, 2);
  look();
})"""
WATCH = """() => {
  window.seen = [];
  const watched = document.documentElement;
  const see = () => window.seen.push([watched.dataset.at, Date.now()]);
  new MutationObserver(see).observe(watched, { attributeFilter: ["data-at"] });
}"""


def opened(context: Any, site: str, path: str) -> tuple[float, int, int, int]:
    """Milliseconds until a page shows figures, its requests, its bytes on the wire, and requests to other hosts."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    asked: list[str] = []
    sizes: list[float] = []
    session.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(f"{site}/{path}")
    shown = page.evaluate(SHOWN)
    page.wait_for_timeout(1000)
    foreign = [address for address in asked if not address.startswith((site, "data:"))]
    page.close()
    return shown, len(asked), round(sum(sizes)), len(foreign)


def weigh(browser: Browser, nation: Nation) -> None:
    """Each window cold and warm."""
    for path in PATHS:
        context = browser.new_context(viewport={"width": 1920, "height": 1080})
        for state in ("cold", "warm", "warm again"):
            shown, requests, size, foreign = opened(context, nation.url, path)
            told = f"shown after {shown:.0f} ms, {requests} requests, {size / 1e3:.0f} kB, {foreign} to others"
            print(f"{path} {state}: {told}")
        context.close()


def time_to_glass(browser: Browser, nation: Nation, tries: int) -> None:
    """Publish, and wait for the page to say so."""
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    page.goto(f"{nation.url}/hq")
    page.evaluate(SHOWN)
    page.evaluate(WATCH)
    delays = []
    for done in range(tries):
        at = nation.publisher.publish()
        page.wait_for_function("done => window.seen.length > done", arg=done)
        delays.append(page.evaluate("window.seen.at(-1)[1]") - at.timestamp() * 1000)
    delays.sort()
    print(f"glass, {tries} tries: p50 {statistics.median(delays):.0f} ms, p95 {delays[int(tries * 0.95) - 1]:.0f} ms")


def main(tries: int) -> None:
    """Measure everything."""
    with served_nation() as nation, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        weigh(browser, nation)
        time_to_glass(browser, nation, tries)
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
