"""The web hall's server: a combined log with the visitor's city and the time each request took."""

from collections import defaultdict
from pathlib import Path

from simulator.contacts import Contact
from simulator.ledger import MINUTE
from simulator.rhythm import local
from simulator.systems.growing_file import GrowingFile
from simulator.systems.outbox import Outbox
from simulator.troubles import Behaviour, Trouble
from simulator.world import Process, World

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 15) Chrome/131.0 Mobile",
)
ONLY_LOOKING = 0.4
"""Visitors who look around and leave, as a part of those who get something done."""
FAILS, NOT_FOUND = 0.004, 0.012
LATENCY_S = 0.22
SUBMITTED = 302
GARBAGE = "kernel: [87612.1] nginx invoked oom-killer"


class WebServer:
    """Writes the access log; `book` counts what it wrote by measure, city and minute."""

    def __init__(self, folder: Path, world: World, behaviour: Behaviour, keep_s: int = 7200) -> None:
        self._world, self.behaviour, self._keep_s = world, behaviour, keep_s
        self._file = GrowingFile(folder, "access", ".log")
        self._chance = world.chance("web hall")
        self._outbox: Outbox[str] = Outbox()
        self._visitors = 0
        self.book: dict[tuple[str, str, int], float] = defaultdict(float)

    def note(self, contact: Contact, now: int) -> None:
        """Listen to the world: a visitor who got something done."""
        if contact.channel != "webhall":
            return
        for told in self.behaviour.as_told(contact):
            visitor, city, page = self._visitor(told.need.city.code), told.need.city.code, f"/hall/{told.need.service}"
            self._request(visitor, city, "GET", "/", now, told.began)
            self._request(visitor, city, "GET", page, now, told.began)
            self._request(visitor, city, "POST", f"{page}/submit", now, told.began, SUBMITTED)
            self._browse(visitor, city, f"{page}/receipt", now)

    def look_around(self) -> Process:
        """Process: visitors who only look."""
        share = self._world.habits.channels["webhall"].preference * ONLY_LOOKING
        while True:
            yield self._world.env.timeout(self._chance.gap(self._world.needs_per_second(self._world.env.now) * share))
            city = self._world.nation.somewhere(self._chance).code
            self._browse(self._visitor(city), city, "/offers", self._world.now)

    def flush(self, now: int) -> None:
        """Bring what is due into the log."""
        self._file.hide(self.behaviour.has(Trouble.DOWN))
        lines = self._outbox.take(now)
        if self.behaviour.has(Trouble.GARBAGE):
            lines = [text for line in lines for text in (line, GARBAGE)]
        self._file.write(lines, now)

    def forget(self, now: int) -> None:
        """Close the books of minutes that are long over."""
        for key in [key for key in self.book if key[2] < now - self._keep_s]:
            del self.book[key]

    def _browse(self, visitor: str, city: str, page: str, now: int) -> None:
        """One to four pages, some seconds apart."""
        at = now
        for _ in range(1 + self._chance.binomial(3, 0.4)):
            self._request(visitor, city, "GET", page, at, self.behaviour.clock(at))
            at += self._chance.duration(7)

    def _request(self, visitor: str, city: str, method: str, page: str, due: int, clock: int, status: int = 0) -> None:
        """One line of the log, written when it is due, at what the server's clock shows then."""
        answered = status or (503 if self._chance.happens(FAILS) else 404 if self._chance.happens(NOT_FOUND) else 200)
        latency = self._chance.duration(LATENCY_S * 1000, 0.8) / 1000
        address, agent = visitor.split(" ", 1)
        line = (
            f'{address} - - [{local(clock):%d/%b/%Y:%H:%M:%S %z}] "{method} {page} HTTP/1.1" {answered} '
            f'{2000 + len(page) * 97} "-" "{agent}" {city} {latency:.3f}'
        )
        for _ in range(1 + self.behaviour.has(Trouble.DUPLICATED)):
            self._outbox.put(due + self.behaviour.delay(), line)
        self._count(city, clock - clock % MINUTE, answered, latency)

    def _count(self, city: str, minute: int, answered: int, latency: float) -> None:
        counted = {
            "web_requests": 1.0,
            "web_errors": float(answered >= 500),
            "web_client_errors": float(400 <= answered < 500),
            "web_latency_s": latency,
            "web_latency_requests": 1.0,
        }
        for measure, value in counted.items():
            self.book[measure, city, minute] += value

    def _visitor(self, city: str) -> str:
        """Address and agent of somebody who was not here in the last days; counts the visit."""
        self._visitors += 1
        number = self._visitors % 2**24
        clock = self.behaviour.clock(self._world.now)
        self.book["web_visits", city, clock - clock % MINUTE] += 1
        return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255} {AGENTS[number % len(AGENTS)]}"
