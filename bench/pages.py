"""What a page costs: bytes on the wire, time to its first painted figures, requests to other hosts.

Cold is a browser that has never been here, warm is its second visit; `slow` is cold over a line of an office far away
(Chromium's own throttle). The figures are those of a believable nation, in
a real Valkey behind the real server; the peer is the same figures as a plain Dash page.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext

from bench.browsing import SCREEN, browsing, plain_dash
from bench.measurement import Measurement
from bench.nation import PATHS, served_nation

PEER = "plain Dash: ten indicators, a Sankey diagram and a map as dcc.Graph"
OURS_SHOWN = """document.documentElement.dataset.link === "live" && document.querySelector("#data-time")?.textContent"""
PEERS_SHOWN = """document.querySelector(".indicatorlayer text")"""
PAINTED = """() => new Durability(done => {
  const look = () => SHOWN
    ? requestAnimationFrame(() => setTimeout(() => done(performance.now()))) : setTimeout(look, 2);
  look();
})"""
SLOW = {"offline": False, "latency": 40, "downloadThroughput": 10e6 / 8, "uploadThroughput": 2e6 / 8}
"""Milliseconds, and bytes a second: 10 Mbit/s down, 2 up."""
STATES = ("cold", "warm", "slow")
SETTLED_MS = 1500
"""What is loaded after the first figures counts too."""


@dataclass(frozen=True)
class Visit:
    """One visit of a page."""

    ms: float
    """From the start of the navigation to the first painted figures."""
    bytes: int
    requests: int
    foreign: int
    """Requests to other hosts."""


def measure() -> Iterator[Measurement]:
    """Every window beside the peer's page."""
    with browsing() as browser:
        with plain_dash() as plain:
            peer = _visits(browser, plain.url, "/", PEERS_SHOWN)
        with served_nation() as nation:
            ours = {path: _visits(browser, nation.url, f"/{path}", OURS_SHOWN) for path in PATHS}
    for path, visits in ours.items():
        for state, own, other in zip(STATES, visits, peer, strict=True):
            note = f"{own.requests} requests, the peer's {other.requests}"
            yield Measurement(f"{path} {state}: bytes", "B", own.bytes, other.bytes, PEER, note)
            yield Measurement(f"{path} {state}: first figures", "ms", round(own.ms), round(other.ms), PEER)
    foreign = sum(visit.foreign for visits in ours.values() for visit in visits)
    yield Measurement("requests to other hosts", "n", foreign, sum(visit.foreign for visit in peer), PEER)


def _visits(browser: Browser, site: str, path: str, shown: str) -> list[Visit]:
    """A first and a second visit by a browser without memory, and a first one over a slow line."""
    visits = []
    for state in STATES:
        if state != "warm":
            context = browser.new_context(viewport=SCREEN)  # type: ignore[arg-type]  # a dictionary of two numbers
        visits.append(_visit(context, site, path, shown, slow=state == "slow"))
        if state != "cold":
            context.close()
    return visits


def _visit(context: BrowserContext, site: str, path: str, shown: str, slow: bool) -> Visit:
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    if slow:
        session.send("Network.emulateNetworkConditions", SLOW)
    asked: list[str] = []
    sizes: Counter[str] = Counter()
    session.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    session.on("Network.dataReceived", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    # Headers included; a stream does not finish, and stands with what it has brought.
    session.on(
        "Network.loadingFinished", lambda event: sizes.__setitem__(event["requestId"], event["encodedDataLength"])
    )
    page.goto(f"{site}{path}", wait_until="domcontentloaded")
    ms = page.evaluate(PAINTED.replace("SHOWN", shown))
    page.wait_for_timeout(SETTLED_MS)
    page.close()
    foreign = [address for address in asked if not address.startswith((site, "data:"))]
    return Visit(ms, round(sizes.total()), len(asked), len(foreign))
