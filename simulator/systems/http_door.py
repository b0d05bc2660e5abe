"""What the HTTP interfaces have in common: who may ask, and how an interface misbehaves."""

import hmac
from asyncio import sleep as pause
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from simulator.troubles import SLOW_S, Behaviour, Trouble

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
GARBAGE = '<html><body><h1>It works!</h1>{"code":0,"data":[[[</body>'


class BadQuestion(ValueError):
    """The caller asked for something that cannot be; the text says what."""


def behind(behaviour: Behaviour, handler: Callable[[Request], Awaitable[object]]) -> Handler:
    """Serve a handler's document as JSON unless the system is down, slow or talking nonsense."""

    async def serve(request: Request) -> Response:
        if behaviour.has(Trouble.DOWN):
            return PlainTextResponse("service unavailable", 503)
        if behaviour.has(Trouble.SLOW):
            await pause(SLOW_S)
        if behaviour.has(Trouble.GARBAGE):
            return HTMLResponse(GARBAGE)
        try:
            answer = await handler(request)
        except BadQuestion as wrong:
            return JSONResponse({"code": 400, "message": str(wrong)}, 400)
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    return serve


def same(given: str | None, secret: str) -> bool:
    """Compare a secret in constant time."""
    return hmac.compare_digest((given or "").encode(), secret.encode())


def refused() -> Response:
    """The answer to a caller without the right secret."""
    return JSONResponse({"code": 401, "message": "unauthorised"}, 401)


def moment(request: Request, name: str) -> int:
    """A time of the query, ISO with its zone, in seconds since 1970; raises BadQuestion."""
    written = request.query_params.get(name, "")
    return read_moment(written, name)


def read_moment(written: str, name: str) -> int:
    """An ISO time with its zone in seconds since 1970; raises BadQuestion."""
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise BadQuestion(f"{name} must be an ISO time, not {written!r}") from None
    if at.tzinfo is None:
        raise BadQuestion(f"{name} {written!r} has no time zone")
    return int(at.timestamp())


def number(request: Request, name: str, default: int) -> int:
    """A whole number of the query; raises BadQuestion."""
    written = request.query_params.get(name, str(default))
    if not written.isdecimal():
        raise BadQuestion(f"{name} must be a whole number, not {written!r}")
    return int(written)


def doubled(records: list[T], behaviour: Behaviour) -> list[T]:
    """The records, each twice while the system duplicates."""
    return [record for record in records for _ in range(1 + behaviour.has(Trouble.DUPLICATED))]
