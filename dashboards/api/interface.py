"""The addresses of the interface for other systems: its lists, its OpenAPI document, and the page that explains it."""

from collections.abc import Sequence
from functools import partial

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import request_response
from starlette.types import ASGIApp

from access.policy import Viewer
from analysis.questions.transport import Transport
from config.actions import Action
from config.catalogue import Catalogue
from dashboards.access.problems import INTERFACE, Problem
from dashboards.access.routes import Guarded
from dashboards.api import dictionary, figures, newest
from dashboards.api.answering import Answering, Newest, region_of
from dashboards.api.openapi import ROOT_PATH, document
from dashboards.api.page import page
from dashboards.api.resources import Resource
from dashboards.executors import Executors
from dashboards.views import LANGUAGES

RESOURCES: tuple[Resource, ...] = (*figures.RESOURCES, *newest.RESOURCES, *dictionary.RESOURCES)
SMALLEST_PACKED = 1000
"""Bytes of an answer from which on it is compressed."""


def refused(viewer: Viewer, action: Action, scope: str) -> Response:
    """The problem of somebody who may not: what he may not, where, and as whom; never what it would have been."""
    detail = f"{action} of {scope} is not open to {viewer.role} of {viewer.region}"
    return Problem(403, detail, action=action.value, region=scope).response()


class Interface:
    """All addresses below `/api/`."""

    def __init__(self, catalogue: Catalogue, latest: Newest, executors: Executors, questions: Transport | None) -> None:
        """`latest` gives the newest snapshot, None before the first; without `questions` none are answered."""
        self._catalogue, self._latest = catalogue, latest
        self._executors, self._questions = executors, questions

    def addresses(self) -> Sequence[Guarded]:
        """The lists, the document, its page, and a refusal of everything else."""
        scope = partial(region_of, self._catalogue)
        lists = (
            Guarded(f"{ROOT_PATH}/{resource.name}", self._list(resource), resource.action, scope=scope, refusal=refused)
            for resource in RESOURCES
        )
        see = Action.SEE_CATALOGUE
        return (
            *lists,
            Guarded(f"{ROOT_PATH}/openapi.json", _packed(self._document), see, refusal=refused),
            Guarded(ROOT_PATH, _packed(self._page), see, refusal=refused),
            Guarded(f"{ROOT_PATH}/", _packed(self._page), see, refusal=refused),
            Guarded(f"{INTERFACE}{{path:path}}", _nothing, see, refusal=refused),
        )

    def _list(self, resource: Resource) -> ASGIApp:
        return _packed(Answering(self._catalogue, self._latest, resource, self._executors, self._questions).answer)

    async def _document(self, request: Request) -> Response:
        language = _language(request, "en")
        if language is None:
            return _no_language()
        return JSONResponse(await self._executors.lists.run(document, RESOURCES, self._catalogue, language))

    async def _page(self, request: Request) -> Response:
        language = _language(request, "zh")
        if language is None:
            return _no_language()
        described = await self._executors.lists.run(document, RESOURCES, self._catalogue, language)
        return HTMLResponse(page(described, self._catalogue, language))


def _packed(endpoint: object) -> ASGIApp:
    return GZipMiddleware(request_response(endpoint), SMALLEST_PACKED)  # type: ignore[arg-type]  # request to response


def _language(request: Request, default: str) -> str | None:
    asked = request.query_params.get("lang", default)
    return asked if asked in LANGUAGES else None


def _no_language() -> Response:
    detail = f"lang: there are {', '.join(LANGUAGES)}"
    return Problem(400, detail, parameter="lang", available=list(LANGUAGES)).response()


async def _nothing(request: Request) -> Response:
    there = [f"{ROOT_PATH}/{resource.name}" for resource in RESOURCES]
    detail = f"there is nothing here; there are {', '.join(there)}, and {ROOT_PATH}/ explains them"
    return Problem(404, detail, available=there).response()
