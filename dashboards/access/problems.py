"""What is wrong with a request of the interface for other systems, as RFC 9457 writes it down.

A problem says what is wrong and what there is instead, never anything of what was asked for.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

INTERFACE = "/api/"
"""Below this path programs ask, and refusals are problems."""


class Problem(Exception):
    """A request that cannot be answered: status, what is wrong in a sentence, further members and headers."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        self.status, self.detail = status, detail
        self.headers, self.members = dict(headers or {}), members
        super().__init__(detail)

    def response(self) -> Response:
        """The answer; `type` is left out, which means that the status says it all."""
        body = {"title": HTTPStatus(self.status).phrase, "status": self.status, "detail": self.detail, **self.members}
        return JSONResponse(body, self.status, self.headers, "application/problem+json")


async def not_allowed(request: Request, error: Exception) -> Response:
    """A method that an address does not take, in words of the interface or in plain ones."""
    allowed = dict(getattr(error, "headers", None) or {})
    if not request.url.path.startswith(INTERFACE):
        return PlainTextResponse("this address does not take that method", 405, allowed)
    return Problem(405, f"this address takes {allowed.get('Allow', 'GET')}", allowed).response()


def unauthorised() -> Response:
    """Who asks the interface and is not known."""
    detail = "send a token as Authorization: Bearer …, one that has neither ended nor been revoked; or sign in"
    return Problem(401, detail, {"WWW-Authenticate": "Bearer"}).response()
