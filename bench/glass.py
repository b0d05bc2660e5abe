"""From a push to the glass: what a channel system sends, until a subscribed page shows it.

The whole product runs (`app.py`): push door, stream on disk, drain, store, audit, snapshot, frames. The page tells by
itself when the text of its tile has changed; sender and browser read the clock of one machine.
"""

import random
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Browser

from bench.browsing import SCREEN, browsing, plain_dash
from bench.measurement import Measurement, quantile
from config.settings import ROOT
from tests.service.real_product import Product

TRIES = 100
FIRST = 101
"""First of the values that are sent, one up each time; small enough to be written without separators."""
PAUSE_S = (0.2, 1.2)
"""Between two tries, at random, so that they fall into every phase of whoever has a rhythm."""
WATCH = """selector => {
  window.seen = {};
  const look = () => {
    const text = document.querySelector(selector)?.textContent.trim();
    window.seen[text] ??= performance.timeOrigin + performance.now();
  };
  new MutationObserver(look).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""
Send = Callable[[int], None]


def measure(tries: int = TRIES) -> Iterator[Measurement]:
    """Half and 95 % of the tries, beside Dash's own way to show a change."""
    with browsing() as browser:
        ours = _ours(browser, tries)
        peer = _peers(browser, tries)
    note = f"{tries} tries, POST /ingest/v1 to the changed text of a tile in Chromium"
    for share in (0.5, 0.95):
        name = f"push to glass, p{share * 100:.0f}"
        yield Measurement(
            name, "ms", quantile(ours, share), quantile(peer, share), "Dash with dcc.Interval of 1 s", note
        )


def _ours(browser: Browser, tries: int) -> list[float]:
    """Milliseconds of each try on the real product."""
    token = secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory() as folder, httpx.Client(trust_env=False) as client:
        config = str(ROOT / "bench" / "desk")
        product = Product(Path(folder) / "home", demo="0", config_dir=config, token_desk=token)
        try:
            send = _pusher(client, f"{product.url}/ingest/v1/desk", token)
            page = f"{product.url}/flow?lang=en"
            return _delays(browser, page, "#tile-contacts [data-part=value]", send, tries)
        finally:
            product.process.terminate()
            product.process.wait()


def _peers(browser: Browser, tries: int) -> list[float]:
    with plain_dash() as address, httpx.Client(trust_env=False) as client:
        return _delays(browser, address, "#value", lambda value: _check(client.post(f"{address}/value/{value}")), tries)


def _pusher(client: httpx.Client, door: str, token: str) -> Send:
    """Sends a value as the newest version of one minute's count."""
    start = (datetime.now(UTC) - timedelta(minutes=2)).replace(second=0, microsecond=0).isoformat()

    def send(value: int) -> None:
        row = {"measure": "contacts", "region": "440100", "start": start, "value": value}
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"try-{value}"}
        _check(client.post(door, json={"observations": [row]}, headers=headers))

    return send


def _check(answer: httpx.Response) -> None:
    answer.raise_for_status()


def _delays(browser: Browser, address: str, selector: str, send: Send, tries: int) -> list[float]:
    """Milliseconds from each sending to the first time that the page shows what was sent."""
    page = browser.new_page(viewport=SCREEN)  # type: ignore[arg-type]  # a plain dictionary of two numbers
    page.goto(address, wait_until="domcontentloaded")
    page.wait_for_selector(selector, state="attached")
    page.evaluate(WATCH, selector)
    delays = []
    for value in range(FIRST, FIRST + tries + 1):
        began = time.time()
        send(value)
        shown = page.wait_for_function("text => window.seen[text]", arg=str(value)).json_value()
        delays.append(shown - began * 1000)
        time.sleep(random.uniform(*PAUSE_S))  # noqa: S311 - no secret
    page.close()
    return delays[1:]
