"""The sign-in door: people with a name, a password and a region; a signed cookie carries the name.

1. A password is checked once, by the store, and slowly on purpose; tries are limited by name and address.
2. The cookie holds the name, signed and dated; who was disabled since is refused within seconds.
3. What somebody may see follows from his region: the nation's people see all, a province's people their province.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from itsdangerous import BadSignature, TimestampSigner
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config.catalogue import NATION, Catalogue
from dashboards.sign_in_page import sign_in_page
from dashboards.viewers import Viewer

COOKIE = "watchfloor"
SESSION_S = 12 * 3600
KNOWN_S = 15.0
"""How long the store's word on a name holds before it is asked again."""
TRIES, TRIES_S = 5, 300.0
"""Wrong passwords by one name or from one address before a pause, and the length of the pause."""
LONGEST_FORM = 4096


class Person(Protocol):
    """What the store knows of somebody."""

    @property
    def name(self) -> str:
        """The sign-in name."""
        ...

    @property
    def region(self) -> str:
        """Code of the region that he answers for."""
        ...


class People(Protocol):
    """Where people are kept (`store.state`)."""

    def verify(self, name: str, password: str) -> Person | None:
        """Whoever has this name and password and is not disabled."""
        ...

    def find(self, name: str) -> Person | None:
        """Whoever has this name and is not disabled."""
        ...


@dataclass
class Tries:
    """Counts wrong passwords, and forgets them after a while."""

    clock: Callable[[], float] = time.monotonic
    wrong: dict[str, list[float]] = field(default_factory=dict)

    def too_many(self, *names: str) -> bool:
        """Whether one of these has used up its tries."""
        since = self.clock() - TRIES_S
        self.wrong = {name: kept for name, times in self.wrong.items() if (kept := [at for at in times if at > since])}
        return any(len(self.wrong.get(name, ())) >= TRIES for name in names)

    def note(self, *names: str) -> None:
        """One more wrong password."""
        for name in names:
            self.wrong.setdefault(name, []).append(self.clock())


class LoginAccess:
    """People who sign in; implements `dashboards.viewers.Access`."""

    entrance = "/sign-in"

    def __init__(self, catalogue: Catalogue, people: People, key: bytes) -> None:
        self._catalogue, self._people = catalogue, people
        self._signer = TimestampSigner(key, salt="watchfloor.session")
        self._tries = Tries()
        self._known: dict[str, tuple[float, Viewer | None]] = {}

    def viewer(self, request: HTTPConnection) -> Viewer | None:
        """Who holds a valid cookie, if he is still known."""
        try:
            name = self._signer.unsign(request.cookies.get(COOKIE, ""), max_age=SESSION_S).decode()
        except BadSignature:
            return None
        at, viewer = self._known.get(name, (0.0, None))
        if time.monotonic() - at > KNOWN_S:
            person = self._people.find(name)
            viewer = Viewer(person.name, person.region) if person else None
            self._known[name] = (time.monotonic(), viewer)
        return viewer

    def may_see(self, viewer: Viewer, topic: str) -> bool:
        """The nation's people everything; others what lies inside their region."""
        _, _, scope = topic.partition("/")
        return viewer.region == NATION or (scope or NATION) in self._catalogue.below(viewer.region)

    def routes(self) -> list[BaseRoute]:
        """Sign-in page, its answer, and signing out."""
        return [
            Route(self.entrance, self._page, methods=["GET"]),
            Route(self.entrance, self._answer, methods=["POST"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
        ]

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(sign_in_page(self._catalogue, request.query_params.get("next", ""), failed=""))

    async def _answer(self, request: Request) -> Response:
        if not _same_origin(request) or int(request.headers.get("content-length") or LONGEST_FORM + 1) > LONGEST_FORM:
            return HTMLResponse(sign_in_page(self._catalogue, "", failed="sign_in.refused"), 400)
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), max_num_fields=4))
        name, password, back = (form.get(field, "") for field in ("name", "password", "next"))
        address = request.client.host if request.client else ""
        if self._tries.too_many(f"name {name}", f"address {address}"):
            return HTMLResponse(sign_in_page(self._catalogue, back, failed="sign_in.too_many"), 429)
        person = await run_in_threadpool(self._people.verify, name, password)
        if person is None:
            self._tries.note(f"name {name}", f"address {address}")
            return HTMLResponse(sign_in_page(self._catalogue, back, failed="sign_in.wrong"), 403)
        response = RedirectResponse(_inside(back), status_code=303)
        cookie = self._signer.sign(person.name).decode()
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, cookie, max_age=SESSION_S, httponly=True, samesite="lax", secure=secure)
        return response

    async def _sign_out(self, request: Request) -> Response:
        response = RedirectResponse(self.entrance, status_code=303)
        if _same_origin(request):
            response.delete_cookie(COOKIE)
        return response


def _same_origin(request: Request) -> bool:
    """A form sent from a page of ours; browsers name the origin of every POST."""
    return urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host", "-")


def _inside(address: str) -> str:
    """An address of ours to go back to, never one of another host."""
    parts = urlsplit(address)
    safe = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return address if safe else "/"
