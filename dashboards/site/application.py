"""The web process as one ASGI application: the gate, streams, files, health, and pages by Dash.

Dash answers every unknown address with 200 and its index; here it is asked last, for pages only. Every address is
guarded by an action of the policy, or open with its reason (`dashboards/access/routes.py`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from access.executor import Executor, QueueFull
from access.policy import Policy
from analysis.questions.transport import Transport
from config.actions import Action
from config.catalogue import Catalogue
from dashboards.access.gate import Gate
from dashboards.access.problems import not_allowed
from dashboards.access.routes import VIEWER, Guarded, Open, come_back
from dashboards.access.viewers import Access
from dashboards.api.interface import Interface
from dashboards.executors import Executors
from dashboards.files import assets_of, dash_asset
from dashboards.live.event_streams import Streams
from dashboards.live.hub import Hub, Limits, Live
from dashboards.site.dash_pages import DashPages
from dashboards.site.pages import Pages
from dashboards.site.registry import all_windows
from dashboards.site.store_health import StoreHealth
from dashboards.window import Window

OLD_S = 90.0
"""Age of the newest snapshot (s) from which this process no longer counts as healthy."""
PROGRAM = "the program's files, the same for everybody; they hold no figure"


@dataclass(frozen=True)
class Site:
    """The application, and the hub whose streams must end before a server can stop."""

    app: ASGIApp
    hub: Hub
    addresses: tuple[Guarded | Open, ...]
    """All that can be asked for, in the order in which it is looked for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI."""
        await self.app(scope, receive, send)


def create_app(
    catalogue: Catalogue,
    live: Live,
    access: Access,
    addresses: Sequence[Guarded | Open] = (),
    limits: Limits | None = None,
    windows: Mapping[str, Window] | None = None,
    executors: Executors | None = None,
    questions: Transport | None = None,
) -> Site:
    """The application for uvicorn (`dashboards/site/server.py`).

    `addresses` are further ones (sign-in, the push endpoint). `windows` are all there are, unless named;
    `executors` are its own, unless named; without `questions` the interface answers none. One application a
    process: Dash keeps it globally.
    """
    policy, executors = Policy(catalogue), executors or Executors()
    pages = Pages(catalogue, access, all_windows() if windows is None else windows)
    hub = Hub(live, pages, executors, limits)
    assets = assets_of(catalogue.maps)
    streams = Streams(hub, access, executors.access, policy, pages.view, assets.version)
    dash_pages = DashPages(catalogue, policy, pages, executors.pages)
    every = (
        Guarded("/", _home(pages, executors.pages), Action.OPEN_PAGES),
        Guarded("/live/{topic:path}", streams.answer, Action.FOLLOW_LIVE),
        Open(
            "/health",
            _health(hub, StoreHealth(live, executors.health)),
            "what watches the process asks it; it holds no figure",
        ),
        Open("/assets/{version}/{name:path}", partial(assets.answer, executors.files), PROGRAM),
        Open("/_dash-component-suites/dash/{name:path}", partial(dash_asset, executors.files), PROGRAM),
        *addresses,
        *Interface(catalogue, lambda: hub.snapshot, executors, questions).addresses(),
        *dash_pages.addresses(),
    )
    app = Starlette(
        routes=[address.route(policy) for address in every],
        lifespan=_running(hub),
        exception_handlers={QueueFull: come_back, 405: not_allowed},
    )
    open_routes = [address.route(policy) for address in every if isinstance(address, Open)]
    return Site(Gate(app, access, executors.access, open_routes, dash_pages.script_hashes), hub, every)


Endpoint = Callable[[Request], Awaitable[Response]]


def _home(pages: Pages, executor: Executor) -> Endpoint:
    async def home(request: Request) -> Response:
        return RedirectResponse(await executor.run(pages.home, VIEWER.get()))

    return home


def _health(hub: Hub, store: StoreHealth) -> Endpoint:
    """200 while figures come; 503 with the reason when the store or a fresh snapshot is missing."""

    async def health(request: Request) -> Response:
        store_fault = await store.fault()
        snapshot = hub.snapshot  # after the await, so that everything told is about one snapshot
        age = (datetime.now(UTC) - snapshot.at).total_seconds() if snapshot else None
        fault = store_fault or hub.trouble or _age_fault(age)
        told = {
            "status": "failing" if fault else "ok",
            "fault": fault,
            "generation": snapshot.generation if snapshot else None,
            "snapshot_age_s": None if age is None else round(age, 1),
            "streams": hub.streams,
        }
        return JSONResponse(told, status_code=503 if fault else 200)

    return health


def _age_fault(age: float | None) -> str | None:
    if age is None:
        return "there is no snapshot yet"
    return f"the newest snapshot is {age:.0f} s old, more than {OLD_S:.0f} s" if age > OLD_S else None


def _running(hub: Hub) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def running(app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(hub.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return running
