"""What redis-py raises, as faults of a store."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from store.faults import StoreFull, StoreUnreachable


@contextmanager
def valkey_faults() -> Iterator[None]:
    """Raise StoreFull for a server that is out of memory, StoreUnreachable for one that does not answer or refuses."""
    try:
        yield
    except redis.OutOfMemoryError as error:
        raise StoreFull(f"Valkey is out of memory: {error}") from error
    except redis.RedisError as error:
        raise StoreUnreachable(f"Valkey: {error}") from error
