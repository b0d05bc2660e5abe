"""How a list is answered.

1. The gate has said who asks, the route has asked the policy about the action and the region (`dashboards/access`).
2. Format, parameters and region are read; each that is wrong is a problem that says what there is.
3. What has not changed since the asker's last answer is not made again (ETag, 304).
4. Rows are chosen, cut into a page and written, in a thread, few requests at once. Who asks a question of facts and
   goes away stops it.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from email.utils import format_datetime
from threading import Event
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from access.executor import QueueFull
from access.policy import Viewer
from analysis.questions.answer import Answer
from analysis.questions.faults import CannotAnswer, Unavailable
from analysis.questions.question import Question
from analysis.questions.transport import Terms, Transport
from config.catalogue import Catalogue
from dashboards.access.problems import Problem
from dashboards.access.routes import VIEWER
from dashboards.api.formats import Format, chosen
from dashboards.api.paging import Page, page_of
from dashboards.api.parameters import Parameters, read
from dashboards.api.resources import Ask, Found, Resource, Sight
from dashboards.api.tables import Table
from dashboards.executors import COME_BACK_S, Executors
from metrics.readings import Snapshot

log = logging.getLogger(__name__)
Newest = Callable[[], Snapshot | None]
PATIENCE_S = 60.0
"""How long a request waits for facts."""
HEADERS = {"Vary": "Accept, Accept-Encoding, Authorization, Cookie", "Cache-Control": "private, no-cache"}


def region_of(catalogue: Catalogue, request: Request, viewer: Viewer) -> str:
    """The region that a request is about: the one that it names, or else the viewer's own.

    One that does not exist is nobody's secret: the answer says so.
    """
    named = request.query_params.get("region", "")
    return named if named in catalogue.regions else viewer.region


class Answering:
    """Answers a list's requests."""

    def __init__(
        self,
        catalogue: Catalogue,
        newest: Newest,
        resource: Resource,
        executors: Executors,
        questions: Transport | None,
    ) -> None:
        self._catalogue, self._newest = catalogue, newest
        self._resource, self._questions = resource, questions
        self._executor = executors.questions if resource.questions else executors.lists

    async def answer(self, request: Request) -> Response:
        """200 with rows, 304 when nothing has changed, or a problem."""
        try:
            return await self._answer(request)
        except Problem as problem:
            return problem.response()
        except QueueFull as full:
            return _come_back(str(full)).response()
        except Exception:
            log.exception("%s could not be answered", request.url.path)
            return Problem(500, "the server failed; its log has the reason").response()

    async def _answer(self, request: Request) -> Response:
        written = chosen(request.headers.get("accept", ""))
        asked = read(self._resource.parameters, request.query_params)
        named = getattr(asked, "region", "")
        if named and named not in self._catalogue.regions:
            raise Problem(400, "region: there is no such code; see regions", parameter="region")
        viewer, gone = VIEWER.get(), Event()
        scope = region_of(self._catalogue, request, viewer)
        sight = Sight(self._catalogue, self._newest(), scope, self._ask(viewer, gone))
        tag = self._live_tag(sight, request, written)
        if tag and _is_known(request, tag):
            return _unchanged(tag)
        async with _watched(request, gone):
            body, cursor = await self._executor.run(self._written, sight, asked, written)
        tag = tag or _tag(hashlib.sha256(body).hexdigest())
        if _is_known(request, tag):
            return _unchanged(tag)
        headers = {**HEADERS, "ETag": tag}
        if cursor:
            headers["Link"] = f'<{next_page(request, cursor)}>; rel="next"'
        if self._resource.live:
            headers["Last-Modified"] = format_datetime(sight.snapshot.at, usegmt=True)
        return Response(body, headers=headers, media_type=written.media_type)

    def _ask(self, viewer: Viewer, gone: Event) -> Ask:
        """How a list asks facts for a viewer; what cannot be answered is a problem."""

        def ask(question: Question) -> Answer:
            if self._questions is None:
                raise _come_back("questions are not answered here")
            try:
                return self._questions.ask(question, Terms(viewer.region, patience_s=PATIENCE_S, cancelled=gone.is_set))
            except Unavailable as error:
                raise _come_back(str(error), code=error.code) from error

        return ask

    def _live_tag(self, sight: Sight, request: Request, written: Format) -> str:
        """What a list off the newest snapshot is known by before it is made: its generation; '' for other lists."""
        if not self._resource.live:
            return ""
        generation = str(sight.snapshot.generation)
        return _tag(generation, sight.scope, request.url.path, request.url.query, written.media_type)

    def _written(self, sight: Sight, asked: Parameters, written: Format) -> tuple[bytes, str]:
        """The body of one page, and the cursor of the next."""
        try:
            found = self._resource.read(sight, asked)
        except CannotAnswer as error:
            raise Problem(403 if error.code == "scope" else 400, str(error), code=error.code) from error
        page = self._page(found, asked)
        about = {**found.about, "next": page.cursor or None}
        return written.write(Table(self._resource.columns, page.frame), about), page.cursor

    def _page(self, found: Found, asked: Parameters) -> Page:
        if found.next is not None:
            return Page(found.frame, found.next)
        return page_of(found.frame, self._resource.key, asked.cursor, asked.limit)


@asynccontextmanager
async def _watched(request: Request, gone: Event) -> AsyncIterator[None]:
    """Say when whoever asked has gone, until it is left."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone.set()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


def _come_back(detail: str, **members: str) -> Problem:
    return Problem(503, detail, {"Retry-After": str(COME_BACK_S)}, **members)


def next_page(request: Request, cursor: str) -> str:
    """The address of the page that begins after a cursor, as a path of this server."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{request.url.path}?{urlencode([*kept, ('cursor', cursor)])}"


def _unchanged(tag: str) -> Response:
    return Response(status_code=304, headers={**HEADERS, "ETag": tag})


def _tag(*parts: str) -> str:
    """A weak ETag: the same for the same content, however it is compressed on its way."""
    return f'W/"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"'


def _is_known(request: Request, tag: str) -> bool:
    given = [part.strip() for part in request.headers.get("if-none-match", "").split(",")]
    return tag in given or "*" in given
