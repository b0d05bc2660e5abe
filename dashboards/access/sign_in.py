"""Signing in: users with a name, a password and a region; a signed cookie carries the name.

1. A password is checked by the store, slowly on purpose, and few at a time; wrong ones by one name, or from one
   address, lead to a pause.
2. The cookie holds the name and the day of the account, signed and dated; who was disabled, or given a new password
   since, is refused within seconds.
3. The account says his role and his region; the policy (`access/policy.py`) says what these allow.
"""

import asyncio
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from itsdangerous import BadSignature, TimestampSigner
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from access.executor import QueueFull
from access.policy import Viewer
from config.actions import Action
from config.catalogue import Catalogue
from dashboards.access.routes import Guarded, Open
from dashboards.access.sign_in_attempts import PAUSE_S, SignInAttempts
from dashboards.access.sign_in_page import sign_in_page
from dashboards.executors import Executors

COOKIE = "watchfloor"
SESSION_S = 12 * 3600
KNOWN_S = 15.0
"""How long the store's word on a name holds before it is asked again."""
LONGEST_FORM, MOST_FIELDS, FORM_S = 4096, 8, 10.0
LONGEST_NAME = 100
OWN_ADDRESS = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")
"""A path of ours: what browsers would take for another host, or tidy up into one, does not match."""


class User(Protocol):
    """What the store knows of somebody."""

    @property
    def name(self) -> str:
        """The sign-in name."""
        ...

    @property
    def role(self) -> str:
        """What he may do: a role of the catalogue."""
        ...

    @property
    def region(self) -> str:
        """Code of the region that he answers for."""
        ...

    @property
    def created_at(self) -> datetime:
        """When the account, or its newest password, was made."""
        ...


class Users(Protocol):
    """Where users are kept (`store.state`)."""

    def verify(self, name: str, password: str) -> User | None:
        """Whoever has this name and password and is not disabled."""
        ...

    def find(self, name: str) -> User | None:
        """Whoever has this name and is not disabled."""
        ...

    def note(self, at: datetime, who: str, what: str, detail: str = "") -> None:
        """Add a line to the audit trail."""
        ...


class SignInAccess:
    """People who sign in; implements `dashboards.access.viewers.Access`."""

    entrance = "/sign-in"

    def __init__(
        self,
        catalogue: Catalogue,
        users: Users,
        key: bytes,
        executors: Executors,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalogue, self._users, self._clock, self._executors = catalogue, users, clock, executors
        self._signer = TimestampSigner(key, salt="watchfloor.session")
        self._tries = SignInAttempts(clock)
        self._known: dict[str, tuple[float, Viewer | None]] = {}

    def viewer(self, request: HTTPConnection) -> Viewer | None:
        """Who holds a valid cookie, if he is still known under the same password."""
        try:
            session = self._signer.unsign(request.cookies.get(COOKIE, ""), max_age=SESSION_S).decode()
        except BadSignature:
            return None
        known = self._known.get(session)
        if known is None or self._clock() - known[0] > KNOWN_S:
            known = self._known[session] = (self._clock(), self._look_up(session))
        return known[1]

    def _look_up(self, session: str) -> Viewer | None:
        user = self._users.find(session.partition(" ")[2])
        if user is None or session_of(user) != session:
            return None
        if user.region not in self._catalogue.regions or user.role not in self._catalogue.roles:
            return None
        return Viewer(user.name, user.role, user.region)

    def addresses(self) -> list[Guarded | Open]:
        """Sign-in page, its answer, and signing out."""
        return [
            Open(self.entrance, self._page, "nobody is known yet"),
            Open(self.entrance, self._answer, "nobody is known yet; tries are counted", ("POST",)),
            Guarded("/sign-out", self._sign_out, Action.SIGN_OUT, ("POST",)),
        ]

    async def _page(self, request: Request) -> Response:
        return self._form(request.query_params.get("next", ""))

    async def _answer(self, request: Request) -> Response:
        form = await _form_of(request) if _same_origin(request) else None
        if form is None:
            return self._form("", "sign_in.refused", 400)
        name, password, back = (form.get(field, "") for field in ("name", "password", "next"))
        address = request.client.host if request.client else ""
        if not self._tries.take(name, address):
            return self._form(back, "sign_in.too_many", 429, {"Retry-After": f"{PAUSE_S:.0f}"})
        try:
            user = await self._check(name, password)
        except QueueFull:  # nobody has looked at his password
            self._tries.give_back(name, address)
            raise
        now = datetime.now(UTC)
        if user is None:
            await self._executors.access.run(self._users.note, now, name[:LONGEST_NAME], "sign_in_refused", address)
            return self._form(back, "sign_in.wrong", 403)
        self._tries.give_back(name, address)
        await self._executors.access.run(self._users.note, now, user.name, "signed_in", address)
        response = RedirectResponse(back if OWN_ADDRESS.fullmatch(back) else "/", status_code=303)
        cookie = self._signer.sign(session_of(user)).decode()
        # Behind something that ends TLS the request itself is plain; the browser's own word for the page is not.
        secure = request.headers["origin"].startswith("https:")
        response.set_cookie(COOKIE, cookie, max_age=SESSION_S, httponly=True, samesite="lax", secure=secure)
        return response

    async def _check(self, name: str, password: str) -> User | None:
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            return None
        return await self._executors.passwords.run(self._users.verify, name, password)

    def _form(self, back: str, failed: str = "", status: int = 200, headers: dict[str, str] | None = None) -> Response:
        return HTMLResponse(sign_in_page(self._catalogue, back, failed), status, headers)

    async def _sign_out(self, request: Request) -> Response:
        response = RedirectResponse(self.entrance, status_code=303)
        if _same_origin(request):
            response.delete_cookie(COOKIE)
        return response


def session_of(user: User) -> str:
    """What a cookie says: the account's day, so that a new password ends the sessions of the old one, and its name."""
    return f"{user.created_at.timestamp():.0f} {user.name}"


async def _form_of(request: Request) -> dict[str, str] | None:
    """The fields of a sent form; None for what our page would never send."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or len(length) > 4 or int(length) > LONGEST_FORM:
        return None
    try:
        async with asyncio.timeout(FORM_S):
            sent = (await request.body()).decode()
        return dict(parse_qsl(sent, max_num_fields=MOST_FIELDS))
    except (TimeoutError, ValueError, ClientDisconnect):
        return None


def _same_origin(request: Request) -> bool:
    """A form sent from a page of ours; browsers name the origin of every POST."""
    host = request.headers.get("host", "")
    try:
        return bool(host) and urlsplit(request.headers.get("origin", "")).netloc == host
    except ValueError:
        return False
