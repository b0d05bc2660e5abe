"""What a database says went wrong, as a `SourceFault`; never with the URL, the statement's values or a password."""

import re
import sqlite3

from sqlalchemy.exc import DBAPIError

from collectors.shared.record_fields import shown
from metrics.observations import SourceFault

BY_SQLSTATE = (
    ("28", "unauthorised", True),
    ("3D000", "not_found", True),
    ("42501", "forbidden", True),
    ("57014", "timeout", False),
    ("57P", "unreachable", False),
    ("08", "unreachable", False),
    ("53", "unreachable", False),
    ("40", "query_failed", False),
    ("0A", "query_failed", True),
    ("22", "query_failed", True),
    ("25", "query_failed", True),
    ("42", "query_failed", True),
)
"""Beginning of the standard's five-letter code, fault, permanent; the first that fits."""

BY_WORDS = (
    (r"password authentication failed|no pg_hba|role .* does not exist|access denied", "unauthorised", True),
    (r"database .* does not exist|unknown database", "not_found", True),
    (r"connection refused", "refused", False),
    (r"interrupted|timeout|timed out|database is locked", "timeout", False),
    (r"unable to open database file", "not_found", False),
    (r"not authorized|prohibited|readonly|read-only|no such|syntax error|ambiguous column", "query_failed", True),
    (r"not a database|malformed", "unreadable", True),
)
"""For faults without a code: at the connection, and all of SQLite's."""


def database_fault(error: DBAPIError) -> SourceFault:
    """Classify by the standard's code, else by the words that the driver is known to use."""
    words = shown(str(error.orig).strip().partition("\n")[0])
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    if state:
        for beginning, code, permanent in BY_SQLSTATE:
            if state.startswith(beginning):
                return SourceFault(code, f"{words} ({state})", permanent)
        return SourceFault("query_failed", f"{words} ({state})")
    for pattern, code, permanent in BY_WORDS:
        if re.search(pattern, str(error.orig), re.IGNORECASE):
            return SourceFault(code, words, permanent)
    return SourceFault("query_failed" if isinstance(error.orig, sqlite3.Error) else "unreachable", words)
