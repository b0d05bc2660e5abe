"""Tokens with which other systems ask. A token is shown once, when it is made; only its SHA-256 is kept.

A plain digest is enough here, and a slow one is for passwords: a token is 256 random bits, which nobody tries out.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, insert, select, update

from store.state.opening import reading
from store.state.tables import access_token

BYTES = 32
"""Random bytes of a token."""
PREFIX = "wf_"
"""How a token begins, so that who finds one knows what it is."""


@dataclass(frozen=True)
class Token:
    """A token without its secret: `region` is the place inside which `role` may do what it may."""

    id: str
    name: str
    role: str
    region: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


COLUMNS = tuple(access_token.c[name] for name in Token.__dataclass_fields__)


class Tokens:
    """Tokens by id, and by what somebody shows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, name: str, role: str, region: str, created_at: datetime, expires_at: datetime) -> tuple[Token, str]:
        """Make a token; gives it and what its owner has to show, which cannot be had again."""
        token = Token(secrets.token_hex(4), name, role, region, created_at, expires_at, None)
        shown = PREFIX + secrets.token_urlsafe(BYTES)
        with self._engine.begin() as connection:
            connection.execute(insert(access_token).values(digest=digest(shown), **vars(token)))
        return token, shown

    def find(self, shown: str) -> Token | None:
        """The token that somebody shows, unless it was revoked; whether it has ended is for the caller's clock."""
        wanted = (access_token.c.digest == digest(shown)) & access_token.c.revoked_at.is_(None)
        with reading(self._engine) as connection:
            row = connection.execute(select(*COLUMNS).where(wanted)).first()
        return None if row is None else Token(*row)

    def all(self) -> list[Token]:
        """Every token there ever was, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(*COLUMNS).order_by(access_token.c.created_at, access_token.c.id))
            return [Token(*row) for row in rows]

    def revoke(self, identifier: str, at: datetime) -> bool:
        """End a token now; False when there is none of that id that was not revoked already."""
        wanted = (access_token.c.id == identifier) & access_token.c.revoked_at.is_(None)
        with self._engine.begin() as connection:
            return connection.execute(update(access_token).where(wanted).values(revoked_at=at)).rowcount == 1


def digest(shown: str) -> str:
    """What is kept of a token: 64 hexadecimal digits."""
    return hashlib.sha256(shown.encode(errors="replace")).hexdigest()
