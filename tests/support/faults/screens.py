"""Screens that somebody looks at while things break: the live stream as a page follows it, and the page itself."""

import json
import random
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

import httpx
from playwright.sync_api import Error, Page, sync_playwright

from dashboards.site.header import LATE_S
from tests.support.browsers import FLAGS, chromium

SILENCE_S, FIRST_WAIT_S, LONGEST_WAIT_S = 35.0, 0.5, 15.0
"""As assets/live.js has them."""
REFUSALS = (401, 403, 404)
NEGATIVE = re.compile(r"(?<![\w.])[-−]\s?\d")
Shown = dict[str, dict[str, Any]]


class Watched(ABC):
    """What is told of any screen."""

    def __init__(self, address: str, topic: str) -> None:
        self.address, self.topic = address, topic
        self.reloads = 0
        self.fresh_at = 0.0
        """When (monotonic) it last got figures of a time that it had not shown before."""
        self.negative: list[str] = []
        """Ages below zero that were shown."""
        self._at = ""
        self._ended = Event()
        self._thread = Thread(target=self._watch, name=f"screen {topic}", daemon=True)

    @property
    @abstractmethod
    def marked(self) -> bool:
        """Whether whoever looks is told that this is not the newest."""

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join(60)

    @abstractmethod
    def _watch(self) -> None:
        """Look until ended."""

    def _shows(self, at: str | None) -> None:
        if at and at != self._at:
            self._at, self.fresh_at = at, time.monotonic()


class Screen(Watched):
    """A client of the live stream that does what assets/live.js does."""

    def __init__(self, address: str, topic: str) -> None:
        super().__init__(address, topic)
        self.shown: Shown = {}
        self._state, self._wait, self._sequence, self._skew_s = "opening", FIRST_WAIT_S, -1, 0.0
        self._version = ""

    @property
    def marked(self) -> bool:
        age = self.shown.get("data-age", {}).get("@data-at")
        late = age is not None and _now() + self._skew_s - datetime.fromisoformat(age).timestamp() > LATE_S
        return late or self._state != "live"

    def differs(self) -> list[str]:
        """Elements that it shows otherwise than a screen that is opened now."""
        headers = {"Accept-Encoding": "identity"}
        with httpx.stream("GET", f"{self.address}/live/{self.topic}", headers=headers, trust_env=False) as stream:
            fresh = next(event["set"] for name, event in _events(stream.iter_lines()) if name == "frame")
        mine, full = _said(self.shown), _said(fresh)
        return [name for name in {*mine, *full} if mine.get(name, {}) != full.get(name, {})]

    def _watch(self) -> None:
        patience = httpx.Timeout(SILENCE_S)
        with httpx.Client(timeout=patience, trust_env=False, headers={"Accept-Encoding": "identity"}) as client:
            while not self._ended.is_set():
                try:
                    self._follow(client)
                except (httpx.HTTPError, httpx.StreamError):
                    self._lose(client)

    def _follow(self, client: httpx.Client) -> None:
        """Until the link breaks, or something was missed: then it is opened again."""
        self._sequence = -1
        with client.stream("GET", f"{self.address}/live/{self.topic}") as stream:
            if stream.status_code != 200:
                raise httpx.StreamError(f"{stream.status_code}")
            for name, event in _events(stream.iter_lines()):
                if self._ended.is_set():
                    return
                self._skew_s = datetime.fromisoformat(event["now"]).timestamp() - _now()
                if name == "hello":
                    self.reloads += self._version not in ("", event["version"])
                    self._version = event["version"]
                elif name == "frame" and not self._take(event):
                    return
        raise httpx.StreamError("the stream has ended")

    def _take(self, frame: dict[str, Any]) -> bool:
        if not frame["full"] and frame["seq"] != self._sequence + 1:
            return False
        shown = {} if frame["full"] else {name: dict(parts) for name, parts in self.shown.items()}
        for element, parts in frame["set"].items():
            shown.setdefault(element, {}).update(parts)
        self.shown, self._sequence, self._wait, self._state = shown, frame["seq"], FIRST_WAIT_S, "live"
        self.negative += [f"{told}: {text}" for told, text in _ages(frame["set"]) if NEGATIVE.search(text)]
        self._shows(frame["at"])
        return True

    def _lose(self, client: httpx.Client) -> None:
        self._state = "lost"
        self._ended.wait(self._wait * random.uniform(0.5, 1.5))
        self._wait = min(self._wait * 2, LONGEST_WAIT_S)
        try:
            answer = client.head(f"{self.address}/live/{self.topic}", timeout=10)
            self.reloads += answer.status_code in REFUSALS
        except httpx.HTTPError:
            return


LOOK = """() => {
  const seen = (element) => Boolean(element?.checkVisibility() && element.textContent);
  const link = document.getElementById("link"), age = document.getElementById("data-age");
  return {
    at: document.documentElement.dataset.at ?? "",
    marked: (link?.dataset.state !== "live" || age?.hasAttribute("data-late")) && (seen(link) || seen(age)),
    origin: performance.timeOrigin,
    ages: [...document.querySelectorAll("[data-at][data-late-after]")].map((element) => element.textContent),
  };
}"""


class Glass(Watched):
    """The real page in Chromium; what is told of it is read from the DOM."""

    def __init__(self, address: str, topic: str) -> None:
        super().__init__(address, topic)
        self._marked = True

    @property
    def marked(self) -> bool:
        return self._marked

    def _watch(self) -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            page.goto(f"{self.address}/{self.topic}", wait_until="domcontentloaded")
            page.wait_for_selector("html[data-link=live]", timeout=60_000)
            origin = page.evaluate("performance.timeOrigin")
            while not self._ended.wait(0.2):
                origin = self._look(page, origin)
            browser.close()

    def _look(self, page: Page, origin: float) -> float:
        try:
            seen = page.evaluate(LOOK)
        except Error:  # the page was just left for another: the next look sees another origin
            return origin
        self.reloads += seen["origin"] != origin
        self.negative += [text for text in seen["ages"] if NEGATIVE.search(text)]
        self._marked = seen["marked"]
        self._shows(seen["at"])
        return float(seen["origin"])


def _said(shown: Shown) -> Shown:
    """Without what was taken off again."""
    return {name: {part: one for part, one in parts.items() if one is not None} for name, parts in shown.items()}


def _events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            yield name, json.loads(line[5:])


def _ages(elements: Shown) -> Iterator[tuple[str, str]]:
    """Where, and the text that says how old something is."""
    for name, parts in elements.items():
        for part in (".lag", ".last", ".age"):
            if isinstance(value := parts.get(part), str):
                yield f"{name} {part}", value


def _now() -> float:
    return datetime.now(UTC).timestamp()
