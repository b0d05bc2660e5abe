"""A lease in Valkey: of several processes one holds it, and the next one takes it when its holder is gone."""

import secrets
import time
from contextlib import suppress

import redis

from store.faults import LeaseTaken
from store.valkey.address import TAG, ValkeyAddress
from store.valkey.faults import valkey_faults

_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1"""
_GIVE_UP = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Lease:
    """One process's claim; `hold` must be called again and again, well within `lasts_s`."""

    def __init__(self, url: str, name: str, lasts_s: float = 10.0) -> None:
        self.lasts_s = lasts_s
        self._client = ValkeyAddress.of(url).client()
        self._key, self._holder = f"{TAG}:lease:{name}", secrets.token_hex(8)
        self._take, self._give_up = self._client.register_script(_TAKE), self._client.register_script(_GIVE_UP)
        self._until = 0.0

    @property
    def held(self) -> bool:
        """Whether nobody else can hold it at this instant, by our own clock, also while Valkey is away."""
        return time.monotonic() < self._until

    def hold(self) -> None:
        """Take it or keep it; raises LeaseTaken, StoreUnreachable."""
        asked = time.monotonic()
        with valkey_faults():
            mine = self._take(keys=[self._key], args=[self._holder, int(self.lasts_s * 1000)])
        if not mine:
            self._until = 0.0
            raise LeaseTaken(f"another process holds the lease {self._key}")
        self._until = asked + self.lasts_s

    def close(self) -> None:
        """Let others have it at once, and the connection go."""
        self._until = 0.0
        with suppress(redis.RedisError):  # it ends by itself
            self._give_up(keys=[self._key], args=[self._holder])
        self._client.close()
