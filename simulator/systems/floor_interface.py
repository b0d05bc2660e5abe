"""The seat centres' own system over HTTP: how the floor stands now, what was done by the minute, and open orders."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.floor import Floor, as_record
from simulator.orders import Orders
from simulator.rhythm import local
from simulator.systems.http_door import Handler, behind, moment, refused, same
from simulator.troubles import Behaviour


class FloorInterface:
    """`GET /floor/v2/centres|provinces|work|orders`, header `X-Floor-Key`; the last two take `from` and `to`."""

    def __init__(self, floor: Floor, orders: Orders, behaviour: Behaviour, key: str) -> None:
        self._floor, self._orders, self._key = floor, orders, key
        self._behaviour = behaviour

    def routes(self) -> list[Route]:
        """The interface's routes."""
        answers = {"centres": self._centres, "provinces": self._provinces, "work": self._work, "orders": self._due}
        return [Route(f"/floor/v2/{name}", self._guarded(answer)) for name, answer in answers.items()]

    def _guarded(self, answer: Any) -> Handler:
        async def serve(request: Request) -> dict[str, Any] | Response:
            if not same(request.headers.get("x-floor-key"), self._key):
                return refused()
            return {"code": 0, "items": answer(request)}

        return behind(self._behaviour, serve)

    def _centres(self, _: Request) -> list[dict[str, Any]]:
        return [{"centre": code, **as_record(levels)} for code, levels in self._floor.levels().items()]

    def _provinces(self, _: Request) -> list[dict[str, Any]]:
        return [
            {"province": code, "users": self._orders.users(code), "backlog": open_now}
            for code, open_now in self._orders.backlog.items()
        ]

    def _work(self, request: Request) -> list[dict[str, Any]]:
        return [
            {"minute": local(minute).isoformat(), "centre": code, **as_record(work)}
            for minute in _between(self._floor.work, request)
            for code, work in self._floor.work[minute].items()
        ]

    def _due(self, request: Request) -> list[dict[str, Any]]:
        return [
            {
                "minute": local(minute).isoformat(),
                "province": code,
                "due": due.due,
                "closed_in_limit": due.closed_in_limit,
                "complaints_due": due.complaints_due,
                "complaints_closed_in_limit": due.complaints_closed_in_limit,
            }
            for minute in _between(self._orders.due, request)
            for code, due in self._orders.due[minute].items()
        ]


def _between(minutes: dict[int, Any], request: Request) -> list[int]:
    start, end = moment(request, "from"), moment(request, "to")
    return [minute for minute in sorted(minutes) if start <= minute < end]
