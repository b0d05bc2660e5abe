"""Where PostgreSQL is, in one setting: a server, or a primary and its standbys.

Facts and state read it alike, as libpq does: of several servers the one that takes writes is found again each time a
connection is opened, so a standby that was promoted needs no restart of ours.
Source: https://www.postgresql.org/docs/18/libpq-connect.html, "Specifying Multiple Hosts".
"""

from typing import Any, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict

from config.settings import BadSetting

SCHEMES = ("postgresql", "postgresql+psycopg")
"""As libpq writes it, and as SQLAlchemy does."""
FORM = "postgresql://USER@HOST:PORT,HOST:PORT,…/DATABASE"

PATIENCE = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
"""How soon a server that is gone is noticed; seconds, the last timeout milliseconds."""


def is_postgres(url: str) -> bool:
    """Whether an address names PostgreSQL at all."""
    return url.partition("://")[0] in SCHEMES


def parameters(url: str, kept: Literal["facts", "state"]) -> dict[str, Any]:
    """What psycopg is told of an address, ours where it says nothing; raises BadSetting, which never repeats it.

    A server that takes no writes is a standby, or was a primary once: it is passed by.
    """
    _, _, rest = url.partition("://")
    try:
        asked = conninfo_to_dict(f"postgresql://{rest}")
    except psycopg.ProgrammingError:
        raise BadSetting(f"{kept}_url", f"is no address of PostgreSQL; it is {FORM}") from None
    ours = {"application_name": f"watchfloor {kept}", "target_session_attrs": "read-write"}
    return {**PATIENCE, **ours, **asked}
