"""Every executor of the web process is hung in turn, and everything that does not need it is done meanwhile.

By events alone: what hangs does so until all the rest is done.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from access.executor import Executor
from analysis.questions.faults import CannotAnswer
from analysis.questions.transport import TERMS, Terms
from collectors.push.endpoint import PushEndpoint
from collectors.receiving import Intake
from config.catalogue import NATION
from config.loading import load
from dashboards.access.routes import Open
from dashboards.access.sign_in import SignInAccess
from dashboards.executors import Executors
from dashboards.files import assets_of
from dashboards.site.application import Site, create_app
from tests.support.hanging import SAFETY_S, hanging, settled
from tests.support.live_world import MemoryLive, catalogue, snapshot, view, windows
from tests.support.push_world import FOLDER, NOW, TOKENS, body, collectors, routes, row

ORIGIN = "http://testserver"
QUERY = "/api/v1/query?metric=offered&from=2026-11-21T00:00:00Z&to=2026-11-21T01:00:00Z"
NAMES = (*(field.name for field in fields(Executors)), "parse", "append")


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFLOOR_TOKEN_DESK", TOKENS["desk"])


class OneUser:
    """A store of users that knows one."""

    user = SimpleNamespace(name="Li Na", role="executive", region=NATION, created_at=datetime(2026, 1, 1, tzinfo=UTC))

    def verify(self, name: str, password: str) -> Any:
        return self.user

    def find(self, name: str) -> Any:
        return self.user

    def note(self, at: datetime, who: str, what: str, detail: str = "") -> None:
        return None


class NoFigures:
    """A transport to somebody who has none."""

    said = "there are no figures"

    def ask(self, question: Any, terms: Terms = TERMS) -> Any:
        raise CannotAnswer(self.said)


@dataclass
class World:
    """A whole site without a server, and somebody who has signed in."""

    site: Site
    live: MemoryLive
    client: httpx.AsyncClient
    executors: dict[str, Executor]

    async def page(self) -> None:
        assert (await self.client.get("/hq")).status_code == 200

    async def file(self) -> None:
        assets = assets_of(catalogue().maps)
        assert (await self.client.get(assets.url("live.js"), headers={"accept-encoding": ""})).status_code == 200

    async def healthy(self) -> None:
        assert (await self.client.get("/health")).status_code == 200

    async def push(self, key: str = "k") -> httpx.Response:
        headers = {"Authorization": f"Bearer {TOKENS['desk']}", "Idempotency-Key": key}
        sent = headers | {"Content-Type": "application/json"}
        return await self.client.post("/ingest/v1/desk", content=body(row()), headers=sent)

    async def pushed(self) -> None:
        assert (await self.push()).status_code == 202

    async def sign_in(self) -> None:
        form = {"name": "Li Na", "password": "a long enough word"}
        assert (await self.client.post("/sign-in", data=form, headers={"origin": ORIGIN})).status_code == 303

    async def stream(self) -> None:
        assert (await self.client.head("/live/hq")).status_code == 200

    async def first_frame(self) -> None:
        screen = self.site.hub.subscribe(view("/hq"))
        assert await screen.next() is not None
        self.site.hub.leave(screen)

    async def new_snapshot(self) -> None:
        reads = self.live.reads
        self.live.publish(snapshot(2 + reads))
        while self.live.reads == reads:
            await asyncio.sleep(0)

    async def question(self) -> None:
        answer = await self.client.get(QUERY)
        assert (answer.status_code, answer.json()["detail"]) == (400, NoFigures.said)

    async def listed(self) -> None:
        assert (await self.client.get("/api/v1/metrics")).status_code == 200


ACTS: dict[Callable[[World], Awaitable[None]], set[str]] = {
    World.page: {"access", "pages"},
    World.file: {"files"},
    World.healthy: {"health"},
    World.pushed: {"parse", "append"},
    World.sign_in: {"passwords", "access"},
    World.stream: {"access"},
    World.first_frame: {"frames"},
    World.new_snapshot: {"snapshots"},
    World.question: {"access", "questions"},
    World.listed: {"access", "lists"},
}
"""What a web process does, and whose threads it needs."""


@asynccontextmanager
async def world(executors: Executors | None = None) -> AsyncIterator[World]:
    live, own = MemoryLive(), executors or Executors()
    live.newest = snapshot(1)
    access = SignInAccess(catalogue(), OneUser(), b"a key of the tests", own)
    taken = SimpleNamespace(id="batch", duplicate=False)
    intake = Intake(lambda *_: taken, lambda *_: None, {}, lambda: NOW)
    endpoint = PushEndpoint(collectors(load(FOLDER)), intake)
    addresses = [
        *access.addresses(),
        *(Open(route.path, route.endpoint, "has a token", ("POST",)) for route in routes(endpoint)),
    ]
    site = create_app(catalogue(), live, access, addresses, windows=windows(), executors=own, questions=NoFigures())
    all_executors = {field.name: getattr(own, field.name) for field in fields(Executors)}
    all_executors |= {"parse": endpoint.parsing, "append": endpoint.writing}
    hearing = asyncio.create_task(site.hub.run())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url=ORIGIN) as client:
        made = World(site, live, client, all_executors)
        await made.sign_in()
        await made.first_frame()
        yield made
    hearing.cancel()
    with suppress(asyncio.CancelledError):
        await hearing


def test_every_executor_is_needed_by_something_that_is_looked_at() -> None:
    assert set().union(*ACTS.values()) == set(NAMES)


@pytest.mark.parametrize("hung", NAMES)
async def test_what_hangs_delays_nothing_else(hung: str) -> None:
    async with world() as made:
        async with hanging(made.executors[hung]):
            stuck = [act for act in ACTS if hung in ACTS[act] and hung != "health"]
            behind = [asyncio.ensure_future(act(made)) for act in stuck]
            for act, needed in ACTS.items():
                if hung not in needed:
                    await asyncio.wait_for(act(made), SAFETY_S)
            assert not any(task.done() for task in behind)
        await asyncio.wait_for(asyncio.gather(*behind), SAFETY_S)


@pytest.mark.parametrize("purpose", ["pages", "access", "files", "passwords", "questions", "lists"])
async def test_a_full_queue_is_told_to_who_comes_next(purpose: str) -> None:
    async with world(replace(Executors(), **{purpose: Executor(purpose, 1, 0)})) as made:
        asked = {
            "pages": lambda: made.client.get("/hq"),
            "access": lambda: made.client.get("/hq"),
            "files": lambda: made.client.get(assets_of(catalogue().maps).url("live.js")),
            "passwords": lambda: made.client.post(
                "/sign-in", data={"name": "Li Na", "password": "a long enough word"}, headers={"origin": ORIGIN}
            ),
            "questions": lambda: made.client.get(QUERY),
            "lists": lambda: made.client.get("/api/v1/metrics"),
        }
        async with hanging(made.executors[purpose]):
            answer = await asked[purpose]()
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            assert f"{purpose}: 1 at once" in answer.text


async def test_the_content_of_a_page_is_refused_like_its_index() -> None:
    async with world(replace(Executors(), pages=Executor("pages", 1, 0))) as made:
        inputs = [
            {"id": "address", "property": name, "value": value} for name, value in (("pathname", "/hq"), ("search", ""))
        ]
        asked = {
            "output": "page.children",
            "outputs": {"id": "page", "property": "children"},
            "changedPropIds": ["address.pathname"],
            "inputs": inputs,
        }
        async with hanging(made.executors["pages"]):
            answer = await made.client.post("/_dash-update-component", json=asked)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert (await made.client.post("/_dash-update-component", json=asked)).status_code == 200


@pytest.mark.parametrize("purpose", ["parse", "append"])
async def test_a_sender_is_told_to_come_back_when_too_many_bodies_wait(purpose: str) -> None:
    async with world() as made:
        executor = made.executors[purpose]
        async with hanging(executor):
            waiting = [asyncio.create_task(executor.run(str)) for _ in range(executor.waiting)]
            await settled()
            answer = await asyncio.wait_for(made.push("another"), SAFETY_S)
            assert (answer.status_code, answer.json()["error"]) == (503, "busy")
            assert answer.headers["Retry-After"] == "5"
        await asyncio.gather(*waiting)
        assert (await made.push("another")).status_code == 202


async def test_who_was_refused_a_look_at_his_password_has_not_lost_a_try() -> None:
    async with world(replace(Executors(), passwords=Executor("passwords", 1, 0))) as made:
        form = {"name": "Li Na", "password": "a long enough word"}
        async with hanging(made.executors["passwords"]):
            answers = [await made.client.post("/sign-in", data=form, headers={"origin": ORIGIN}) for _ in range(50)]
        assert {answer.status_code for answer in answers} == {503}
        await made.sign_in()


async def test_an_append_that_hangs_holds_up_neither_pages_nor_health() -> None:
    async with world() as made, hanging(made.executors["append"]):
        sender = asyncio.create_task(made.push())
        await asyncio.wait_for(made.page(), SAFETY_S)
        answer = await asyncio.wait_for(made.client.get("/health"), SAFETY_S)
        assert json.loads(answer.text)["status"] == "ok"
        assert not sender.done()
