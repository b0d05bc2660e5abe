"""`/live/<topic>?…`: the event stream of one view, gzip made of shared blocks (`dashboards/live/hub.py`)."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from access.executor import Executor, QueueFull
from access.policy import Policy
from dashboards.access.viewers import Access
from dashboards.live.audiences import Straight, Subscription
from dashboards.live.connections import Connection, connection_of
from dashboards.live.frames import GZIP_HEADER, event
from dashboards.live.hub import Hub, TooManyStreams
from dashboards.views import UnknownView, View

ASK_AGAIN_S = 60.0
"""How long a stream goes on at most before access is asked again whether its viewer still may see it."""
LAST_WORDS_S = 5.0
"""How long a stream that is ended may take to send what it was sending."""
COME_BACK_S = 10


class Streams:
    """Opens streams for those who may see their view."""

    def __init__(
        self,
        hub: Hub,
        access: Access,
        executor: Executor,
        policy: Policy,
        parse: Callable[[str, str], View],
        version: str,
    ) -> None:
        """`parse`: the view of a path and a query; raises UnknownView. `version`: of the files that pages load.

        `executor`: where it is found out who asks.
        """
        self._hub = hub
        self._access, self._executor, self._policy = access, executor, policy
        self._parse = parse
        self._version = version

    async def answer(self, request: Request) -> Response:
        """200 with events; 401 nobody known, 403 not his, 404 no such view, 503 with Retry-After when full.

        HEAD gives the same answer without opening a stream: an EventSource cannot tell why it was refused.
        """
        try:
            view = self._parse(request.path_params["topic"], request.url.query)
        except UnknownView as error:
            return PlainTextResponse(str(error), 404)
        refusal = await self._refusal(request, view)
        if refusal is not None:
            return PlainTextResponse("this view is not open to you", refusal)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        try:
            subscription = self._hub.subscribe(view)
        except TooManyStreams as error:
            return PlainTextResponse(str(error), 503, {"Retry-After": str(COME_BACK_S)})
        return self._stream(request, subscription)

    async def _refusal(self, request: Request, view: View) -> int | None:
        viewer = await self._executor.run(self._access.viewer, request)
        if viewer is None:
            return 401
        return None if self._policy.may_follow(viewer, view.action, view.scope) else 403

    def _stream(self, request: Request, subscription: Subscription) -> Response:
        async def still_allowed() -> bool:
            try:
                return await self._refusal(request, subscription.audience.view) is None
            except QueueFull:  # nothing was heard against him; it is asked again within a minute
                return True

        packed = "gzip" in request.headers.get("accept-encoding", "")
        return EventStream(self._hub, subscription, packed, self._version, still_allowed)


class EventStream(Response):
    """Hello, then what the hub gives, until the client goes, the hub ends or access says no.

    Written against ASGI itself: Starlette's streaming response costs twice the CPU for each block and screen.
    """

    def __init__(
        self,
        hub: Hub,
        subscription: Subscription,
        packed: bool,
        version: str,
        still_allowed: Callable[[], Awaitable[bool]],
    ) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Accept-Encoding"}
        if packed:
            headers["Content-Encoding"] = "gzip"
        super().__init__(headers=headers, media_type="text/event-stream")
        del self.headers["content-length"]
        self._hub = hub
        self._subscription = subscription
        self._packed = packed
        self._version = version
        self._still_allowed = still_allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until one of the two ends has enough; the place in the audience is given back in any case."""
        sending = asyncio.create_task(self._send(send, connection_of(scope)))
        leaving = asyncio.create_task(_gone(receive))
        try:
            while not await _one_done(sending, leaving, ASK_AGAIN_S * random.uniform(0.5, 1)):  # noqa: S311 - no secret
                if not await self._still_allowed():
                    self._subscription.end()
                    await _one_done(sending, leaving, LAST_WORDS_S)
                    break
        finally:
            self._hub.leave(self._subscription)
            sending.cancel()
            leaving.cancel()
        if sending.done() and not sending.cancelled():
            sending.result()

    async def _send(self, send: Send, connection: Connection | None) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        opening = GZIP_HEADER if self._packed else b""
        hello = event("hello", {"now": datetime.now(UTC).isoformat(), "version": self._version})
        await send(_body(opening + (hello.packed if self._packed else hello.plain)))
        if connection is not None:
            connection.prepare()
            self._subscription.straight = _straight(connection, self._packed)
        while (block := await self._subscription.next()) is not None:
            await send(_body(block.packed if self._packed else block.plain))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _straight(connection: Connection, packed: bool) -> Straight:
    if packed:
        return lambda block: connection.take(block.packed_chunk)
    return lambda block: connection.take(block.plain_chunk)


async def _one_done(sending: asyncio.Task[None], leaving: asyncio.Task[None], patience_s: float) -> bool:
    done, _ = await asyncio.wait((sending, leaving), timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


def _body(data: bytes) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": True}


async def _gone(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
