"""Who shows a token: other systems, at the interface for them and nowhere else.

A request that shows one is nobody else's, whatever cookie comes with it. What the store says of a token holds for some
seconds; its end is looked at each time.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from starlette.requests import HTTPConnection

from access.policy import Viewer
from config.catalogue import Catalogue
from dashboards.access.problems import INTERFACE
from dashboards.access.sign_in import KNOWN_S
from dashboards.access.viewers import Access


class Token(Protocol):
    """What the store knows of a token."""

    @property
    def id(self) -> str:
        """Its name in lists."""
        ...

    @property
    def role(self) -> str:
        """What it may do: a role of the catalogue."""
        ...

    @property
    def region(self) -> str:
        """Code of the region that it is for."""
        ...

    @property
    def expires_at(self) -> datetime:
        """When it ends."""
        ...


class Tokens(Protocol):
    """Where tokens are kept (`store.state`)."""

    def find(self, shown: str) -> Token | None:
        """The token that somebody shows, unless it was revoked."""
        ...


def _now() -> datetime:
    return datetime.now(UTC)


class TokenAccess:
    """Tokens before the sign-in; implements `dashboards.access.viewers.Access`."""

    def __init__(
        self,
        catalogue: Catalogue,
        tokens: Tokens,
        people: Access,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _now,
    ) -> None:
        """`people`: who knows everybody that shows no token."""
        self._catalogue, self._tokens, self._people = catalogue, tokens, people
        self._clock, self._now = clock, now
        self._known: dict[str, tuple[float, Token]] = {}

    @property
    def entrance(self) -> str:
        """Where people sign in."""
        return self._people.entrance

    def viewer(self, request: HTTPConnection) -> Viewer | None:
        """Whose token it is, if it is good still; without a token, who has signed in."""
        written = request.headers.get("authorization")
        if written is None or not request.url.path.startswith(INTERFACE):
            return self._people.viewer(request)
        kind, _, shown = written.partition(" ")
        token = self._token(shown.strip()) if kind.lower() == "bearer" else None
        if token is None or token.expires_at <= self._now():
            return None
        if token.region not in self._catalogue.regions or token.role not in self._catalogue.roles:
            return None
        return Viewer(f"token {token.id}", token.role, token.region)

    def _token(self, shown: str) -> Token | None:
        """The token, asked of the store anew after some seconds; only good ones are remembered, so there are few."""
        known = self._known.get(shown)
        if known is not None and self._clock() - known[0] <= KNOWN_S:
            return known[1]
        token = self._tokens.find(shown)
        if token is None:
            self._known.pop(shown, None)
        else:
            self._known[shown] = (self._clock(), token)
        return token
