"""Finished counts over HTTP: WeChat's data cube with its expiring token, and the knowledge base's statistics."""

import secrets
import time
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from metrics.observations import decode_dimensions
from simulator.ledger import MINUTE, Ledger, Restated
from simulator.measures import PATH
from simulator.nation import Nation
from simulator.rhythm import local
from simulator.systems.http_door import BadQuestion, behind, doubled, moment, read_moment, refused, same
from simulator.troubles import MISSING, Behaviour, Trouble

LONGEST_S = 3600
TOKEN_S = 1200
SERVICE = (
    "repeats_24h", "served_without_agent", "manual_requests", "offered", "answered", "answered_15s", "answered_20s",
    "abandoned", "abandoned_20s", "short_abandoned", "flowed_out", "waiting", "wait_answered_s", "handled", "talk_s",
    "hold_s", "acw_s", "transferred", "resolvable", "resolved_first", "votes", "votes_4_5", "complaints", "sessions",
    "replied_15s", "session_s", "engaged_s",
)  # fmt: skip
Figures = Callable[[int, int], list[dict[str, Any]]]
KNOWLEDGE = ("repeats_24h", "served_without_agent")


class MinuteFigures:
    """A channel's counts by minute and province: groups of contacts, and sums of the service."""

    def __init__(
        self,
        channel: str,
        ledger: Ledger,
        behaviour: Behaviour,
        nation: Nation,
        sums: tuple[str, ...],
        clock: Callable[[], int],
    ) -> None:
        """`clock` tells the nation's present; of minutes before its first answer nothing is known."""
        self.behaviour, self._nation, self._sums, self._clock = behaviour, nation, sums, clock
        self._since = clock()
        self._groups = Restated(ledger, channel, "province", {"contacts": PATH})
        self._service = Restated(ledger, channel, "province", dict.fromkeys(sums, ()))

    def groups(self, start: int, end: int) -> list[dict[str, Any]]:
        """Contacts by path; a group once told stays, with zero if it has emptied."""
        found = []
        for minute in self._minutes(start, end):
            for (_, province, key), count in self._groups.minute(minute).items():
                found.append(
                    {
                        "ref_time": local(minute).isoformat(),
                        "province": province,
                        **decode_dimensions(key),
                        "count": count,
                    }
                )
        return doubled(found, self.behaviour)

    def service(self, start: int, end: int) -> list[dict[str, Any]]:
        """One record a minute and province, zeros included; what a broken system leaves out is not there."""
        left_out = MISSING if self.behaviour.has(Trouble.MISSING) else ""
        provinces = [province for province in self._nation.provinces if province != left_out]
        found = []
        for minute in self._minutes(start, end):
            sums = self._service.minute(minute)
            found += [
                {"ref_time": local(minute).isoformat(), "province": province}
                | {name: sums.get((name, province, ""), 0) for name in self._sums}
                for province in provinces
            ]
        return doubled(found, self.behaviour)

    def forget(self, before: int) -> None:
        """Drop what nobody asks for any more."""
        self._groups.forget(before)
        self._service.forget(before)

    def _minutes(self, start: int, end: int) -> range:
        if not 0 <= end - start <= LONGEST_S:
            raise BadQuestion(f"ask for at most {LONGEST_S} s, from before to after")
        finished = self._clock() - self.behaviour.delay()
        first = max(start, self._since)
        return range(first + -first % MINUTE, min(end, finished - finished % MINUTE), MINUTE)


class WechatInterface:
    """`/cgi-bin/token` and `POST /datacube/…`: a token for app id and secret; errors come with status 200."""

    def __init__(self, figures: MinuteFigures, app_id: str, secret: str) -> None:
        self._figures, self._app_id, self._secret = figures, app_id, secret
        self._tokens: dict[str, float] = {}

    def routes(self) -> list[Route]:
        """The interface's routes."""
        behaviour = self._figures.behaviour
        return [
            Route("/cgi-bin/token", behind(behaviour, self._token)),
            Route("/datacube/getcontactminute", behind(behaviour, self._contacts), methods=["POST"]),
            Route("/datacube/getserviceminute", behind(behaviour, self._service), methods=["POST"]),
        ]

    async def _token(self, request: Request) -> dict[str, Any]:
        asked = request.query_params
        if not same(asked.get("appid"), self._app_id):
            return {"errcode": 40013, "errmsg": "invalid appid"}
        if not same(asked.get("secret"), self._secret):
            return {"errcode": 40125, "errmsg": "invalid appsecret"}
        now = time.monotonic()
        self._tokens = {token: until for token, until in self._tokens.items() if until > now}
        token = secrets.token_urlsafe(24)
        self._tokens[token] = now + TOKEN_S
        return {"access_token": token, "expires_in": TOKEN_S}

    async def _contacts(self, request: Request) -> dict[str, Any]:
        return await self._answer(request, self._figures.groups)

    async def _service(self, request: Request) -> dict[str, Any]:
        return await self._answer(request, self._figures.service)

    async def _answer(self, request: Request, figures: Figures) -> dict[str, Any]:
        if self._tokens.get(request.query_params.get("access_token", ""), 0.0) < time.monotonic():
            return {"errcode": 40001, "errmsg": "invalid credential, access_token is invalid or not latest"}
        try:
            asked = await request.json()
            start, end = (read_moment(str(asked[name]), name) for name in ("begin_time", "end_time"))
        except (ValueError, TypeError, KeyError):
            return {"errcode": 61501, "errmsg": "date range error"}
        return {"list": figures(start, end)}


class KnowledgeInterface:
    """`GET /knowledge/v1/contacts|service?from&to`, header `X-Api-Key`."""

    def __init__(self, figures: MinuteFigures, key: str) -> None:
        self._figures, self._key = figures, key

    def routes(self) -> list[Route]:
        """The interface's routes."""
        return [Route("/knowledge/v1/{kind:str}", behind(self._figures.behaviour, self._list))]

    async def _list(self, request: Request) -> dict[str, Any] | Response:
        if not same(request.headers.get("x-api-key"), self._key):
            return refused()
        kinds = {"contacts": self._figures.groups, "service": self._figures.service}
        figures = kinds.get(request.path_params["kind"])
        if figures is None:
            raise BadQuestion(f"there are {', '.join(kinds)}")
        return {"code": 0, "items": figures(moment(request, "from"), moment(request, "to"))}
