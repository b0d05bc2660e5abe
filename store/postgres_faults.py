"""What psycopg raises although there is no bug, as faults of a store: facts and state meet the same."""

import psycopg

from store.faults import StoreFault, StoreFull, StoreUnreachable

PASSING = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
"""The server is gone, refuses, is out of room, or is a standby that takes no writes."""


def passing_fault(error: BaseException, store: str) -> StoreFault:
    """One of PASSING as a fault; `store` names the server by its setting."""
    if isinstance(error, psycopg.errors.DiskFull):
        return StoreFull(f"{store} has no room: {error}".strip())
    return StoreUnreachable(f"{store} does not answer: {error}".strip())
