"""A simulated nation for tests, and the product's own collectors reading it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from collectors import Ask, Collector, build
from config.catalogue import Catalogue, Channel, Source
from config.settings import Settings
from metrics.observations import Interval, Parsed, SourceFault
from simulator.contacts import Contact
from simulator.ledger import MINUTE, Ledger
from simulator.nation import Nation
from simulator.shared_secrets import SECRET_NAMES, Secrets
from simulator.simulation import Plan, Simulation
from simulator.systems.pushed_figures import Body
from simulator.world import KEY_LETTERS
from tests.support.installation import installation

SECRETS = Secrets(**{field: f"secret-{field}" for field in SECRET_NAMES})
ENVIRONMENT = {name: f"secret-{field}" for field, name in SECRET_NAMES.items()}
MARKS = ("wait_band=", "customer_mark=")
Figures = dict[tuple[str, str, str, int], float]
"""(measure, region, dimension key, start) -> value; zeros left out."""


def beginning() -> datetime:
    """The last ten o'clock in China that is hours ago: a busy hour, all of it past when collectors look."""
    now = datetime.now(UTC)
    ten = now.replace(hour=2, minute=0, second=0, microsecond=0)
    return ten if now - ten > timedelta(hours=3) else ten - timedelta(days=1)


class Watched:
    """A simulation whose every contact is in an independent ledger as well."""

    def __init__(self, nation: Nation, home: Path, scale: float = 0.12, seed: int = 7) -> None:
        self.start = beginning()
        self.simulation = Simulation(Plan(nation, home, SECRETS, self.start, seed, scale))
        self.ledger = Ledger(KEY_LETTERS, keep_s=10**9)
        self.simulation.world.listeners.append(self.ledger.note)
        self.contacts: dict[str, Contact] = {}
        self.simulation.world.listeners.append(self._keep)
        self.pushed: defaultdict[str, list[Body]] = defaultdict(list)

    def live(self, minutes: float) -> None:
        """Let it live on, writing what is due every few seconds."""
        until = self.simulation.world.env.now + minutes * 60
        while self.simulation.world.env.now < until:
            self.simulation.advance(min(self.simulation.world.env.now + 10, until))
            for channel, bodies in self.simulation.flush().items():
                self.pushed[channel] += bodies

    @property
    def now(self) -> datetime:
        """The nation's present."""
        return datetime.fromtimestamp(self.simulation.world.env.now, UTC)

    def minutes(self) -> range:
        """Starts of the minutes that are over."""
        now = self.simulation.world.now
        return range(int(self.start.timestamp()), now - now % MINUTE, MINUTE)

    def expected(self, channel: Channel, source: Source) -> Figures:
        """What a source should have delivered of the minutes that are over, by the ledger."""
        found: Figures = {}
        for delivery in source.delivers:
            wanted = {delivery.measure: delivery.dimensions}
            for minute in self.minutes():
                counted = self.ledger.count(channel.id, minute, str(delivery.grain), wanted)
                found |= {(*row, minute): float(value) for row, value in counted.items() if value}
        return found

    def _keep(self, contact: Contact) -> None:
        self.contacts[contact.key] = contact


def source_of(catalogue: Catalogue, channel: str, source: str = "") -> tuple[Channel, Source]:
    """A channel and one of its sources, the first if none is named."""
    found = catalogue.channels[channel]
    return found, next(one for one in found.sources if source in ("", one.id))


def collector_of(catalogue: Catalogue, channel: str, source: str = "") -> Any:
    """The product's own collector of a source, its files below the data folder."""
    return build(catalogue, *source_of(catalogue, channel, source), installation(b"k" * 32, Settings().home_dir))


def read_all(collector: Collector, watched: Watched, cursor: Mapping[str, object] | None = None) -> list[Parsed]:
    """Everything that a source has now, read as the turn does it."""
    state, parsed = dict(cursor or {}), []
    while True:
        end = watched.now.replace(second=0, microsecond=0)
        payload = collector.fetch(Ask(Interval(watched.start, end), state, datetime.now(UTC)))
        parsed.append(collector.parse(payload))
        state = dict(parsed[-1].cursor)
        if not payload.more:
            return parsed


def fault_of(collector: Collector, watched: Watched) -> SourceFault | None:
    """The fault that reading a source ends in, if any."""
    try:
        read_all(collector, watched)
    except SourceFault as fault:
        return fault
    return None


def rejects_of(parsed: list[Parsed]) -> list[str]:
    """Codes of everything that could not be counted."""
    return [reject.code for one in parsed for reject in one.rejects]


def figures_of(parsed: list[Parsed], minutes: range) -> Figures:
    """Sums of what was parsed over the minutes that are over; a contact's later rows replace its earlier ones."""
    observations = [one.observations for one in parsed if one.observations is not None]
    contributions = [one.contributions for one in parsed if one.contributions is not None]
    found: Figures = defaultdict(float)
    for table in observations:
        found |= dict(_rows(table))
    latest: dict[str, pd.DataFrame] = {}
    for table in contributions:
        latest |= dict(iter(table.groupby("contact", observed=True)))
    for key, value in _rows(pd.concat(latest.values())) if latest else ():
        found[key] += value
    return {key: value for key, value in _unmarked(found).items() if value and key[3] in minutes}


def _unmarked(figures: Figures) -> Figures:
    """Figures by mark as those of all marks: the nation knows waits and people, not what collectors call them."""
    found: Figures = defaultdict(float)
    for (measure, region, dimension, start), value in figures.items():
        found[measure, region, "" if dimension.startswith(MARKS) else dimension, start] += value
    return found


def _rows(table: pd.DataFrame) -> Iterator[tuple[tuple[str, str, str, int], float]]:
    starts = table["start"].astype("int64")
    columns = (table["measure"].astype(str), table["region"].astype(str), table["dimension"].astype(str), starts)
    for *key, value in zip(*columns, table["value"], strict=True):
        yield (key[0], key[1], key[2], int(key[3])), float(value)
