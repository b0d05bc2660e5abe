"""Conversations over HTTP: the IM platform (bearer token, pages) and the Weibo desk (token in the query, cursor).

Both are asked for what has changed in a stretch of time, and tell each conversation as it stands.
"""

import json
from bisect import bisect_left, insort
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.contacts import Contact
from simulator.measures import SHORT_S
from simulator.records import Record, as_row, record_of
from simulator.systems.http_door import BadQuestion, behind, doubled, moment, number, refused, same
from simulator.troubles import Behaviour

PRIVATE = ("customer", "agent")
PAGE, LARGEST_PAGE = 200, 1000


class Conversations:
    """Changes of one channel's conversations, by the second in which the platform tells of them."""

    def __init__(self, channel: str, behaviour: Behaviour, keep_s: int = 7200) -> None:
        self.channel, self.behaviour, self._keep_s = channel, behaviour, keep_s
        self._changes: list[tuple[int, int, Record]] = []
        self._count = 0

    def note(self, contact: Contact, now: int) -> None:
        """Listen to the world."""
        if contact.channel == self.channel:
            for told in self.behaviour.as_told(contact):
                self._count += 1
                insort(self._changes, (now + self.behaviour.delay(), self._count, record_of(told)))

    def forget(self, now: int) -> None:
        """Drop what nobody asks for any more."""
        del self._changes[: bisect_left(self._changes, (now - self._keep_s, 0))]

    def changed(self, start: int, end: int) -> list[dict[str, Any]]:
        """Conversations that changed in [start, end), each once, as it stood at the last of its changes."""
        first, last = bisect_left(self._changes, (start, 0)), bisect_left(self._changes, (end, 0))
        latest = {record.contact_id: record for _, _, record in self._changes[first:last]}
        return doubled([_document(record) for record in latest.values()], self.behaviour)


class ImInterface:
    """`GET /im/v1/conversations?changed_from&changed_to&page&size`, `Authorization: Bearer …`."""

    def __init__(self, conversations: Conversations, token: str) -> None:
        self._conversations, self._token = conversations, token

    def routes(self) -> list[Route]:
        """The interface's routes."""
        return [Route("/im/v1/conversations", behind(self._conversations.behaviour, self._list))]

    async def _list(self, request: Request) -> dict[str, Any] | Response:
        if not same(request.headers.get("authorization"), f"Bearer {self._token}"):
            return refused()
        page, size = number(request, "page", 1), min(number(request, "size", PAGE), LARGEST_PAGE)
        found = self._conversations.changed(moment(request, "changed_from"), moment(request, "changed_to"))
        items = found[(page - 1) * size : page * size]
        return {"code": 0, "data": {"total": len(found), "page": page, "items": items}}


class WeiboInterface:
    """`GET /weibo/2/sessions.json?access_token&since&until&cursor`; an empty `next_cursor` ends the list."""

    def __init__(self, conversations: Conversations, token: str) -> None:
        self._conversations, self._token = conversations, token

    def routes(self) -> list[Route]:
        """The interface's routes."""
        return [Route("/weibo/2/sessions.json", behind(self._conversations.behaviour, self._list))]

    async def _list(self, request: Request) -> dict[str, Any] | Response:
        if not same(request.query_params.get("access_token"), self._token):
            return refused()
        found = self._conversations.changed(moment(request, "since"), moment(request, "until"))
        at = _place(request.query_params.get("cursor", ""))
        following = at + PAGE
        return {
            "sessions": found[at:following],
            "next_cursor": json.dumps({"at": following}) if following < len(found) else "",
        }


def _place(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(json.loads(cursor)["at"])
    except (ValueError, TypeError, KeyError):
        raise BadQuestion(f"unknown cursor {cursor[:50]!r}") from None


def _document(record: Record) -> dict[str, Any]:
    """A conversation as the platforms show it: no customer, and the platform's own flags of its queue."""
    document = {name: value for name, value in as_row(record).items() if name not in PRIVATE}
    answered, left = record.answered_s, record.left_s
    abandoned = None if record.rerouted else left
    return document | {
        "waiting": bool(record.queued) and answered is None and left is None,
        "answered": answered is not None,
        "answered_in_15s": answered is not None and answered <= 15,
        "answered_in_20s": answered is not None and answered <= 20,
        "abandoned": abandoned is not None,
        "abandoned_in_20s": abandoned is not None and abandoned <= 20,
        "abandoned_at_once": abandoned is not None and abandoned <= SHORT_S,
        "rerouted": left is not None and bool(record.rerouted),
        "rated": record.vote is not None,
        "session_s": record.talk_s + record.hold_s + record.acw_s,
    }
