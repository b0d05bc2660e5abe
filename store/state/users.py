"""Who may look, and who did what. Passwords are kept as scrypt hashes only."""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select, update

from config.catalogue import NATION
from store.state.opening import reading, upsert
from store.state.tables import audit_trail
from store.state.tables import user as user_table

SCRYPT = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 1024 * 1024}
"""About 0.1 s and 32 MB a try (OWASP's second recommended setting)."""


@dataclass(frozen=True)
class User:
    """An account; `region` is the place inside which it may look."""

    name: str
    role: str
    region: str
    disabled: bool
    created_at: datetime
    password_hash: str = field(repr=False)


@dataclass(frozen=True)
class Deed:
    """One line of the audit trail."""

    at: datetime
    who: str
    what: str
    detail: str


class Users:
    """Accounts and the audit trail."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, name: str, password: str, role: str, created_at: datetime, region: str = NATION) -> None:
        """Make an account, or replace the one of that name."""
        row = {"name": name, "password_hash": hash_password(password), "role": role, "region": region}
        with self._engine.begin() as connection:
            upsert(connection, user_table, {**row, "disabled": False, "created_at": created_at})

    def find(self, name: str) -> User | None:
        """An account by name that is not disabled."""
        wanted = (user_table.c.name == name) & ~user_table.c.disabled
        with reading(self._engine) as connection:
            row = connection.execute(select(user_table).where(wanted)).mappings().first()
        return None if row is None else User(**row)

    def verify(self, name: str, password: str) -> User | None:
        """The account if the password is right and it is not disabled; takes as long when there is none."""
        user = self.find(name)
        right = check_password(password, _NOBODY if user is None else user.password_hash)
        return user if right else None

    def disable(self, name: str) -> None:
        """Shut an account without forgetting it."""
        with self._engine.begin() as connection:
            connection.execute(update(user_table).where(user_table.c.name == name).values(disabled=True))

    def all(self) -> list[User]:
        """Every account, disabled ones too, by name."""
        with reading(self._engine) as connection:
            return [
                User(**row) for row in connection.execute(select(user_table).order_by(user_table.c.name)).mappings()
            ]

    def note(self, at: datetime, who: str, what: str, detail: str = "") -> None:
        """Add a line to the audit trail; there is no way to change one."""
        with self._engine.begin() as connection:
            add_deed(connection, Deed(at, who, what, detail))

    def trail(self, limit: int = 100) -> list[Deed]:
        """The newest lines of the audit trail, newest first."""
        columns = (audit_trail.c.at, audit_trail.c.who, audit_trail.c.what, audit_trail.c.detail)
        query = select(*columns).order_by(audit_trail.c.at.desc(), audit_trail.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [Deed(*row) for row in connection.execute(query)]


def add_deed(connection: Connection, deed: Deed) -> None:
    """Add a line to the audit trail together with what was done, in the transaction that does it."""
    connection.execute(insert(audit_trail).values(**vars(deed)))


def hash_password(password: str) -> str:
    """`scrypt$<salt>$<hash>`, both in base64."""
    salt = os.urandom(16)
    return "$".join(("scrypt", _text(salt), _text(_scrypt(password, salt))))


def check_password(password: str, kept: str) -> bool:
    """Whether a password has a hash of `hash_password`."""
    _, salt, digest = kept.split("$")
    return hmac.compare_digest(_scrypt(password, base64.b64decode(salt)), base64.b64decode(digest))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **SCRYPT)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


_NOBODY = f"scrypt${_text(bytes(16))}${_text(bytes(64))}"
"""A hash that no password has."""
