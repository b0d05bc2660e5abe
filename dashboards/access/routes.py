"""The two kinds of route that the site takes: one that asks the policy, and one that is open and says why.

There is no third kind, so an address cannot be added without deciding who may ask for it: `create_app` takes nothing
else, and a test asks every route of the application with a viewer who may nothing.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from access.policy import Policy, Viewer
from config.actions import Action
from dashboards.executors import COME_BACK_S

VIEWER: ContextVar[Viewer] = ContextVar("viewer")
"""Who asks, for the routes, pages and callbacks of this request; the gate sets it (`dashboards/access/gate.py`)."""

ScopeOf = Callable[[Request, Viewer], str]
"""The region that a request is about, as a code."""


def own_region(request: Request, viewer: Viewer) -> str:
    """A request that names no region is about the viewer's own."""
    return viewer.region


Refusal = Callable[[Viewer, Action, str], Response]
"""What somebody gets who may not do something in a region: nothing of what he asked for."""


def refused(viewer: Viewer, action: Action, scope: str) -> Response:
    """A plain refusal, the same for all."""
    return PlainTextResponse("this is not open to you", 403)


async def come_back(request: Request, full: Exception) -> Response:
    """What is answered where too many wait already; Starlette calls it for a QueueFull."""
    return PlainTextResponse(str(full), 503, {"Retry-After": str(COME_BACK_S)})


@dataclass(frozen=True)
class Guarded:
    """An address that answers whom the policy allows `action` in the region that `scope` names; others get 403."""

    path: str
    endpoint: Callable[..., Any]
    """A function from request to response, or an ASGI application."""
    action: Action
    methods: tuple[str, ...] = ("GET",)
    scope: ScopeOf = own_region
    refusal: Refusal = refused

    def route(self, policy: Policy) -> Route:
        """The route, with the policy asked before its endpoint."""
        ask = Middleware(_Ask, policy=policy, guarded=self)
        return Route(self.path, self.endpoint, methods=self.methods, middleware=[ask])


@dataclass(frozen=True)
class Open:
    """An address that anybody may ask for, and why that is right."""

    path: str
    endpoint: Callable[..., Any]
    reason: str
    methods: tuple[str, ...] = ("GET",)

    def route(self, policy: Policy) -> Route:
        """The route as it is."""
        return Route(self.path, self.endpoint, methods=self.methods)


class _Ask:
    """Asks the policy, then passes the request on."""

    def __init__(self, app: ASGIApp, policy: Policy, guarded: Guarded) -> None:
        self._app, self._policy, self._guarded = app, policy, guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        viewer, action = VIEWER.get(), self._guarded.action
        region = self._guarded.scope(Request(scope), viewer)
        if self._policy.may(viewer, action, region):
            await self._app(scope, receive, send)
        else:
            await self._guarded.refusal(viewer, action, region)(scope, receive, send)
