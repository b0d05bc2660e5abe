"""From a source's batch to the glass: what a channel system sends, until a subscribed page has painted it.

The whole product runs (`app.py`): push endpoint, stream on disk, store, audit, snapshot, frames. Each try changes
one count, and with it a tile, its trend and the flow diagram of a page in Chromium. Two beginnings: the sending, and
the answer 202, when the batch is on disk. The peer is a Perspective page whose table follows PostgreSQL by LISTEN and
NOTIFY; its batch is accepted when it is committed, nothing doubts it, and it has no charts.
"""

import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import psycopg
from playwright.sync_api import Browser

from bench.browsing import SCREEN, browsing
from bench.frame_log import FrameLog, Logged
from bench.measurement import Measurement
from bench.perspective_peer import TABLE, perspective_page
from config.settings import ROOT
from tests.support.real_product import Product

TRIES, PEERS_TRIES = 60, 30
PAUSE_S = (0.35, 0.75)
"""Between two tries, at random, so that they fall into every phase of a rhythm; charts are drawn by then, and the
pause that the publisher makes after a snapshot is over."""
TOPIC = "flow?time=15min&metric=service_level_20s&lang=en"
TILE = "tile-contacts"
STAGES = ("entry", "service_type", "handling", "outcome")
PATHS = tuple(
    product(
        ("bot", "human_queue"),
        ("billing", "payment", "package", "broadband_fault", "complaint"),
        ("first_line", "expert", "field_order"),
        ("resolved_first", "transferred", "ticket_open"),
    )
)
PEER = "perspective-python page fed by PostgreSQL NOTIFY, without audit"
OURS = ("document.body", f"document.querySelector('#{TILE} [data-part=value]')")
GRID = "document.querySelector('perspective-viewer-datagrid')?.shadowRoot"
PEERS = (GRID, f"{GRID}?.querySelectorAll('td')[1]")
STAMPS = """() => {
  const stamps = (window.stamps = { texts: {}, charts: {} });
  let value = "";
  const painted = (kind, key) =>
    requestAnimationFrame(() => setTimeout(() => (stamps[kind][key] = performance.timeOrigin + performance.now())));
  const chart = ({ target }) => (target.nodeType === 1 ? target : target.parentElement)?.closest("[data-chart]");
  new MutationObserver((changes) => {
    const text = TEXT?.textContent.trim();
    if (text !== value) painted("texts", (value = text));
    if (changes.some(chart)) painted("charts", value);
  }).observe(ROOT, { childList: true, characterData: true, attributes: true, subtree: true });
}"""
"""Stamps the end of the frame in which a text, and the last piece of a chart that goes with it, were painted (ms)."""


@dataclass(frozen=True)
class Try:
    """Instants of one try, in seconds since 1970."""

    value: str
    sent: float
    accepted: float
    text: float
    charts: float


Send = Callable[[int], None]


def measure() -> Iterator[Measurement]:
    """Half and 95 % of the tries, beside the peer's."""
    with browsing() as browser:
        ours, frames = _ours(browser, TRIES)
        peers = _peers(browser, PEERS_TRIES)
    note = f"{TRIES} tries, the peer's {PEERS_TRIES}; medians of the stages in ms: {_stages(ours, frames)}"
    shown: dict[str, Callable[[Try], float]] = {"tile": lambda one: one.text, "charts": lambda one: one.charts}
    begins: dict[str, Callable[[Try], float]] = {"accepted": lambda one: one.accepted, "sent": lambda one: one.sent}
    for what, end in shown.items():
        for since, begin in begins.items():
            for share in (0.5, 0.95):
                own = _quantile([end(one) - begin(one) for one in ours], share)
                peer = _quantile([one.text - begin(one) for one in peers], share)
                yield Measurement(f"glass, {what}, since {since}, p{share * 100:.0f}", "s", own, peer, PEER, note)
                note = ""


def _quantile(values: Sequence[float], share: float) -> float:
    return round(sorted(values)[min(len(values) - 1, int(len(values) * share))], 3)


def _stages(tries: list[Try], frames: dict[str, Logged]) -> str:
    """Where the time goes; a frame tells when its snapshot was begun and when it was made itself."""
    known = [(one, frames[one.value]) for one in tries if one.value in frames]
    stages = {
        "sent to accepted": [one.accepted - one.sent for one, _ in known],
        "to the snapshot's beginning (stream consumer, store, audit, board)": [
            frame.at - one.accepted for one, frame in known
        ],
        "to the frame (snapshot, Valkey, reading, panels)": [frame.made - frame.at for _, frame in known],
        "to a socket": [frame.came - frame.made for _, frame in known],
        "to the painted tile": [one.text - frame.came for one, frame in known],
        "to the painted charts": [one.charts - one.text for one, _ in known],
    }
    return ", ".join(f"{name} {statistics.median(took) * 1000:.0f}" for name, took in stages.items())


def _ours(browser: Browser, tries: int) -> tuple[list[Try], dict[str, Logged]]:
    token = secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory() as folder, httpx.Client(trust_env=False) as client:
        config = str(ROOT / "bench" / "desk")
        product = Product(Path(folder) / "home", demo="0", config_dir=config, token_desk=token)
        log = FrameLog(f"{product.url}/live/{TOPIC}", TILE)
        try:
            send = _pusher(client, f"{product.url}/ingest/v1/desk", token)
            return _tries(browser, f"{product.url}/{TOPIC}", OURS, send, len(PATHS), tries), log.frames
        finally:
            product.process.terminate()
            product.process.wait()


def _peers(browser: Browser, tries: int) -> list[Try]:
    with perspective_page() as (address, database), psycopg.connect(database, autocommit=True) as owner:

        def send(value: int) -> None:
            owner.execute(f"UPDATE {TABLE} SET value = %s WHERE id = 1", (value,))

        return _tries(browser, address, PEERS, send, 1, tries)


def _pusher(client: httpx.Client, push_url: str, token: str) -> Send:
    """Makes a value the total of one minute's counts, all paths but the first being one contact each."""
    start = (datetime.now(UTC) - timedelta(minutes=2)).replace(second=0, microsecond=0).isoformat()

    def send(value: int) -> None:
        later = [1] * (len(PATHS) - 1)
        counts = [value - sum(later), *(later if value == len(PATHS) else [])]
        rows = [_row(start, path, count) for path, count in zip(PATHS, counts, strict=False)]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"try-{value}"}
        client.post(push_url, json={"observations": rows}, headers=headers).raise_for_status()

    return send


def _row(start: str, path: tuple[str, ...], count: int) -> dict[str, Any]:
    told = dict(zip(STAGES, path, strict=True))
    return {"measure": "contacts", "region": "440100", "start": start, "value": count, "dimensions": told}


def _tries(browser: Browser, address: str, watched: tuple[str, str], send: Send, first: int, tries: int) -> list[Try]:
    """Send one value after the other, each when the page shows the last; the first only warms up."""
    root, text = watched
    page = browser.new_page(viewport=SCREEN)  # type: ignore[arg-type]  # a plain dictionary of two numbers
    page.goto(address, wait_until="domcontentloaded")
    page.wait_for_function(f"() => {text}")
    page.evaluate(STAMPS.replace("TEXT", text).replace("ROOT", root))
    made = []
    for value in range(first, first + tries + 1):
        sent = time.time()
        send(value)
        accepted = time.time()
        page.wait_for_function("text => window.stamps.texts[text]", arg=str(value))
        time.sleep(random.uniform(*PAUSE_S))  # noqa: S311 - no secret
        stamps = page.evaluate("text => [stamps.texts[text], stamps.charts[text] ?? 0]", str(value))
        made.append(Try(str(value), sent, accepted, *(stamp / 1000 for stamp in stamps)))
    page.close()
    return made[1:]
