"""The nation and its channel systems put together: one clock moves both.

1. `advance` lets the nation live until a moment; each change of a contact is told to the systems of its channel.
2. `flush` lets the systems bring what is due into their files, tables and spools.

Nothing here looks at a real clock; `serving.py` does.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from starlette.routing import BaseRoute

from simulator.contacts import Contact
from simulator.floor import Floor
from simulator.habits import habits
from simulator.journeys import Journeys
from simulator.ledger import MINUTE, Ledger
from simulator.nation import Nation
from simulator.orders import Orders
from simulator.shared_secrets import Secrets
from simulator.staffing import Rosters
from simulator.systems.chat_interfaces import Conversations, ImInterface, WeiboInterface
from simulator.systems.contact_files import ContactFile
from simulator.systems.databases import ContactTable
from simulator.systems.figure_interfaces import (
    KNOWLEDGE,
    SERVICE,
    KnowledgeInterface,
    MinuteFigures,
    WechatInterface,
)
from simulator.systems.floor_interface import FloorInterface
from simulator.systems.pushed_figures import Body, PushedFigures, app_figures, shop_figures
from simulator.systems.web_server import WebServer
from simulator.troubles import POSSIBLE, Behaviour
from simulator.world import World

COUNTED = ("wechat", "knowledge", "app", "shops")
"""Channels whose systems tell counts: they keep books of their own."""
PUSH_EVERY_S = 5
KEEP_S = 7200


@dataclass(frozen=True)
class Plan:
    """What a simulated nation is made of."""

    nation: Nation
    home: Path
    """Data folder; everything is written under `demo` in it."""
    secrets: Secrets
    start: datetime
    seed: int = 7
    scale: float = 1.0
    databases: dict[str, str] | None = None
    """SQLAlchemy URLs of `sms` and `email`; None: SQLite files."""


class System(Protocol):
    """A channel system that listens to the nation."""

    def note(self, contact: Contact, now: int) -> None:
        """Take note of a contact's change."""
        ...


class Writing(Protocol):
    """A channel system that writes files or tables."""

    def flush(self, now: int) -> None:
        """Write what is due."""
        ...


class Simulation:
    """A nation whose systems can be read and made to misbehave."""

    def __init__(self, plan: Plan) -> None:
        """Build everything under `plan.home`; what an earlier nation left there is replaced."""
        self.plan = plan
        self.world = World(plan.nation, habits(), seed=plan.seed, start=plan.start, scale=plan.scale)
        self.behaviours = {system: Behaviour(system, plan.nation) for system in POSSIBLE}
        self._journeys = Journeys(self.world)
        self._rosters = Rosters(self.world)
        self.floor = Floor(self.world, KEEP_S)
        self.orders = Orders(self.world, self._rosters.presence, KEEP_S)
        self.books = Ledger(COUNTED, KEEP_S)
        self._build_systems(plan)
        self._systems = self._listening()
        self.world.listeners.append(self._tell)
        self._tidied = self._pushed = 0
        self._lived = lived_file(plan.home)
        self._lived.parent.mkdir(parents=True, exist_ok=True)
        processes = (
            self._rosters.keep(),
            self.world.needs(self._journeys.begin),
            self.floor.watch(),
            self.orders.work(),
            self.web.look_around(),
        )
        for process in processes:
            self.world.env.process(process)

    def advance(self, until: float) -> None:
        """Live until a moment, seconds since 1970."""
        self.world.advance(until)

    def flush(self) -> dict[str, list[Body]]:
        """Let the systems write what is due; gives the bodies that channels want to push now."""
        now = self.world.now
        writing: tuple[Writing, ...] = (*self.files, *self.tables, self.web)
        for system in writing:
            system.flush(now)
        if now - self._tidied >= MINUTE:
            self._tidied = now
            self._tidy(now)
        if now - self._pushed < PUSH_EVERY_S:
            return {}
        self._pushed = now
        self._lived.write_text(str(now), encoding="utf-8")
        return {figures.channel: figures.bodies(now) for figures in self.pushing}

    def warm_up(self, until: datetime) -> None:
        """Live fast until a moment, a minute at a time; what was to be pushed meanwhile is pushed afterwards, once."""
        end = int(until.timestamp())
        self._pushed = end
        self._lived.write_text(str(end), encoding="utf-8")
        while self.world.env.now < end:
            self.advance(min(self.world.env.now + MINUTE, end))
            self.flush()

    def begin_incident(self, province: str, factor: float) -> None:
        """Multiply a province's needs; raises ValueError for an unknown province or a factor that is none."""
        self.world.begin_incident(province, factor, self._journeys.begin)

    def end_incident(self, province: str) -> None:
        """Let a province be as usual again."""
        self.world.end_incident(province)

    def routes(self) -> list[BaseRoute]:
        """Routes of every HTTP interface."""
        return [route for interface in self._interfaces for route in interface.routes()]

    def close(self) -> None:
        """Write what is left and let go of files and databases."""
        self._pushed = 0
        self.flush()
        for table in self.tables:
            table.close()

    def _build_systems(self, plan: Plan) -> None:
        demo, wrong, secrets = plan.home / "demo", self.behaviours, plan.secrets
        urls = plan.databases or {}
        self.files = [ContactFile(name, demo / name, wrong[name]) for name in ("hotline", "ivr")]
        self.tables = [
            ContactTable(name, urls.get(name) or f"sqlite:///{demo / name / 'contacts.db'}", wrong[name], plan.start)
            for name in ("sms", "email")
        ]
        self.web = WebServer(demo / "webhall", self.world, wrong["webhall"], KEEP_S)
        self.chats = [Conversations(name, wrong[name], KEEP_S) for name in ("im", "weibo")]
        self.figures = {"wechat": self._figures("wechat", SERVICE), "knowledge": self._figures("knowledge", KNOWLEDGE)}
        self.pushing: list[PushedFigures] = [
            app_figures(self.books, wrong["app"]),
            shop_figures(self.books, wrong["shops"], plan.nation.provinces),
        ]
        self._interfaces = (
            FloorInterface(self.floor, self.orders, wrong["floor"], secrets.floor_key),
            ImInterface(self.chats[0], secrets.im_token),
            WeiboInterface(self.chats[1], secrets.weibo_token),
            WechatInterface(self.figures["wechat"], secrets.wechat_appid, secrets.wechat_secret),
            KnowledgeInterface(self.figures["knowledge"], secrets.knowledge_key),
        )

    def _figures(self, channel: str, sums: tuple[str, ...]) -> MinuteFigures:
        return MinuteFigures(
            channel, self.books, self.behaviours[channel], self.plan.nation, sums, lambda: self.world.now
        )

    def _listening(self) -> dict[str, System]:
        files = {file.channel: file for file in self.files}
        tables = {table.channel: table for table in self.tables}
        chats = {chat.channel: chat for chat in self.chats}
        pushing = {figures.channel: figures for figures in self.pushing}
        return {"webhall": self.web, **files, **tables, **chats, **pushing}

    def _tell(self, contact: Contact) -> None:
        if contact.channel in COUNTED:
            for told in self.behaviours[contact.channel].as_told(contact):
                self.books.note(told)
        system = self._systems.get(contact.channel)
        if system is not None:
            system.note(contact, self.world.now)
        self.orders.note(contact)

    def _tidy(self, now: int) -> None:
        """Forget what nobody asks for any more."""
        self.books.forget(now)
        self.web.forget(now)
        for chat in self.chats:
            chat.forget(now)
        for figures in self.figures.values():
            figures.forget(now - KEEP_S)
        for pushed in self.pushing:
            pushed.forget(now - KEEP_S)


def starting(home: Path, now: datetime, warm_up_minutes: int) -> datetime:
    """When a nation begins that shall be warm now: on a minute, and never in the time of an earlier run."""
    wanted = (now - timedelta(minutes=warm_up_minutes)).replace(second=0, microsecond=0)
    file = lived_file(home)
    if not file.exists():
        return wanted
    lived = datetime.fromtimestamp(int(file.read_text(encoding="utf-8")), UTC)
    following = lived.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return max(wanted, following)


def lived_file(home: Path) -> Path:
    """Until when a nation has lived under a data folder, in seconds since 1970.

    The next one begins after it: two nations in one hour would be counted as one twice as large.
    """
    return home / "demo" / "lived_until"
