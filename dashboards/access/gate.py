"""The outermost layer of the web process: who asks is settled, and every answer carries the security headers."""

from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access.executor import Executor, QueueFull
from dashboards.access.problems import INTERFACE, unauthorised
from dashboards.access.routes import VIEWER, come_back
from dashboards.access.viewers import Access


class Gate:
    """Lets nobody past who is not known, except to the open routes."""

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        executor: Executor,
        open_routes: Sequence[BaseRoute],
        script_hashes: Sequence[str],
    ) -> None:
        """`executor`: where it is found out who asks."""
        self._app = app
        self._access, self._executor = access, executor
        self._open_routes = open_routes
        self._policy = content_policy(script_hashes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, self._guarded(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_open(scope):
            try:
                viewer = await self._executor.run(self._access.viewer, HTTPConnection(scope))
            except QueueFull as full:
                refusal = await come_back(Request(scope), full)
                await refusal(scope, receive, send)
                return
            if viewer is None:
                await self._turned_away(scope)(scope, receive, send)
                return
            VIEWER.set(viewer)
        await self._app(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        """Whether an open route has this path, with whatever method: it says itself which it takes."""
        return any(route.matches(scope)[0] is not Match.NONE for route in self._open_routes)

    def _turned_away(self, scope: Scope) -> Response:
        """To the sign-in page and back for a person, a plain refusal for a program."""
        headers = HTTPConnection(scope).headers
        person = "text/html" in headers.get("accept", "") and "authorization" not in headers
        if scope["method"] == "GET" and person and self._access.entrance:
            back = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
            return RedirectResponse(f"{self._access.entrance}?{urlencode({'next': back})}", status_code=303)
        if scope["path"].startswith(INTERFACE):
            return unauthorised()
        return PlainTextResponse("sign in first", status_code=401)

    def _guarded(self, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = self._policy
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return guarded


def content_policy(script_hashes: Sequence[str]) -> str:
    """Nothing from outside, no inline script but those hashed here; styles inline, because drawers set them."""
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(("'self'", *script_hashes)),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())
