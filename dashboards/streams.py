"""`/live/<topic>?…`: the event stream of one view, gzip made of shared blocks (`dashboards/push.py`)."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from dashboards.frames import GZIP_HEADER, Block, event
from dashboards.pages import Pages
from dashboards.push import Crowded, Hub, Subscription
from dashboards.static import version
from dashboards.viewers import Access
from dashboards.views import UnknownView, View

ASK_AGAIN_S = 60.0
"""How long a stream goes on before the door is asked again whether its viewer still may see it."""
COME_BACK_S = 10


class Streams:
    """Opens streams for those who may see their view."""

    def __init__(self, hub: Hub, access: Access, pages: Pages) -> None:
        self._hub = hub
        self._access = access
        self._pages = pages

    async def answer(self, request: Request) -> Response:
        """200 with events; 401 nobody known, 403 not his, 404 no such view, 503 with Retry-After when full.

        HEAD gives the same answer without opening a stream: an EventSource cannot tell why it was refused.
        """
        try:
            view = self._pages.view(request.path_params["topic"], request.url.query)
        except UnknownView as error:
            return PlainTextResponse(str(error), 404)
        refusal = await self._refusal(request, view)
        if refusal is not None:
            return PlainTextResponse("this view is not open to you", refusal)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        try:
            subscription = self._hub.subscribe(view)
        except Crowded as error:
            return PlainTextResponse(str(error), 503, {"Retry-After": str(COME_BACK_S)})
        return self._stream(request, subscription)

    async def _refusal(self, request: Request, view: View) -> int | None:
        viewer = await run_in_threadpool(self._access.viewer, request)
        if viewer is None:
            return 401
        return None if await run_in_threadpool(self._access.may_see, viewer, view.topic) else 403

    def _stream(self, request: Request, subscription: Subscription) -> Response:
        packed = "gzip" in request.headers.get("accept-encoding", "")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Accept-Encoding"}
        if packed:
            headers["Content-Encoding"] = "gzip"
        blocks = self._blocks(request, subscription)
        return StreamingResponse(_bytes(blocks, packed), media_type="text/event-stream", headers=headers)

    async def _blocks(self, request: Request, subscription: Subscription) -> AsyncIterator[Block]:
        """Hello, then what the hub gives, until the client goes or the door says no."""
        asked = time.monotonic()
        try:
            yield event("hello", {"now": datetime.now(UTC).isoformat(), "version": version()})
            while (block := await subscription.next()) is not None:
                yield block
                if time.monotonic() - asked > ASK_AGAIN_S:
                    asked = time.monotonic()
                    if await self._refusal(request, subscription.room.view) is not None:
                        return
        finally:
            self._hub.leave(subscription)


async def _bytes(blocks: AsyncIterator[Block], packed: bool) -> AsyncIterator[bytes]:
    if packed:
        yield GZIP_HEADER
    async for block in blocks:
        yield block.packed if packed else block.plain
