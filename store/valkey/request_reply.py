"""Requests to the one process that holds something nobody else can open, and its replies, through Valkey.

1. Whoever asks puts a request into a list, if somebody serves and not too many wait, and waits for a list of its own.
2. Who serves takes requests, those of screens first, and puts the reply there; it expires if nobody comes for it.
3. A request is wanted for as long as its key lives: whoever gives up deletes it, who was killed lets it expire, and the
   one who serves looks at it between his steps.
4. Who serves says so every second. When he falls silent, or another takes his place, whoever waits is told.

No request and no reply is written to disk or copied to a replica: one that is lost is asked again.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from store.faults import StoreFull, StoreUnreachable
from store.valkey.address import TAG, ValkeyAddress
from store.valkey.faults import valkey_faults

PREFIX = f"{TAG}:ask"
LISTS = (f"{PREFIX}:screen", f"{PREFIX}:other")
"""Requests that wait, those that are served first in front."""
OWNER = f"{PREFIX}:owner"
WAITING, MOST_BYTES, MOST_REPLY = 32, 65_536, 64 * 1024 * 1024
SILENT_S, KEPT_S, LOOK_S = 10.0, 30, 0.5
"""After how long who serves is given up; how long a reply is kept; how often it is looked whether anybody waits."""

_ASK = """
redis.set_repl(redis.REPL_NONE)
local owner = redis.call('GET', KEYS[3])
if not owner then return {'nobody', ''} end
if redis.call('LLEN', KEYS[1]) + redis.call('LLEN', KEYS[2]) >= tonumber(ARGV[1]) then return {'full', ''} end
redis.call('SET', KEYS[4], 1, 'PX', ARGV[2])
redis.call('RPUSH', KEYS[tonumber(ARGV[3])], ARGV[4])
return {'taken', owner}"""
_SERVE = """
redis.set_repl(redis.REPL_NONE)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])"""
_REPLY = """
redis.set_repl(redis.REPL_NONE)
if redis.call('DEL', KEYS[2]) == 0 then return 0 end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1"""
_END = """
redis.set_repl(redis.REPL_NONE)
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"""


class NobodyServes(StoreUnreachable):
    """Nobody serves requests now, or who did so has ended."""


class TooLate(StoreUnreachable):
    """The reply did not come in time."""


class GivenUp(Exception):
    """Whoever asked does not wait any more."""


@dataclass(frozen=True)
class Request:
    """A request that was taken."""

    id: str
    body: bytes
    screen: bool


class Asker:
    """The side that asks; safe to use from any thread."""

    def __init__(self, url: str, waiting: int = WAITING) -> None:
        self._client: Any = ValkeyAddress.of(url).client()
        self._waiting = waiting
        self._ask = self._client.register_script(_ASK)

    def ask(self, body: bytes, patience_s: float, screen: bool, cancelled: Callable[[], bool]) -> bytes:
        """The reply; raises NobodyServes, StoreFull, TooLate, GivenUp, or StoreUnreachable while Valkey is away."""
        if len(body) > MOST_BYTES:
            raise ValueError(f"a request has at most {MOST_BYTES} bytes, not {len(body)}")
        number = secrets.token_hex(8)
        wanted, until = f"{PREFIX}:wanted:{number}", monotonic() + patience_s
        with valkey_faults():
            owner = self._put(number, wanted, body, patience_s, screen)
            try:
                return self._await(f"{PREFIX}:reply:{number}", owner, until, cancelled)
            except BaseException:
                self._client.delete(wanted)
                raise

    def _put(self, number: str, wanted: str, body: bytes, patience_s: float, screen: bool) -> bytes:
        keys, position = [*LISTS, OWNER, wanted], 1 if screen else 2
        told = [self._waiting, max(1, int(patience_s * 1000)), position, number.encode() + body]
        answer, owner = self._ask(keys=keys, args=told)
        if answer == b"nobody":
            raise NobodyServes("nobody answers: the process that holds the facts does not run")
        if answer == b"full":
            raise StoreFull(f"{self._waiting} questions wait already: ask again in a moment")
        return bytes(owner)

    def _await(self, reply: str, owner: bytes, until: float, cancelled: Callable[[], bool]) -> bytes:
        while True:
            found = self._client.blpop([reply], timeout=LOOK_S)
            if found is not None:
                return bytes(found[1])
            if cancelled():
                raise GivenUp
            if monotonic() >= until:
                raise TooLate("there was no answer in time")
            if self._client.get(OWNER) != owner:
                raise NobodyServes("the process that holds the facts ended before it answered: ask again")

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()


class Server:
    """The side that serves; one of them at a time, in one thread, but for `wanted` and `reply`."""

    def __init__(self, url: str, silent_s: float = SILENT_S) -> None:
        """`silent_s`: after how long without a sign of life it is given up."""
        self._client: Any = ValkeyAddress.of(url).client()
        self._name, self._silent_ms = secrets.token_hex(8), int(silent_s * 1000)
        self._scripts = {name: self._client.register_script(text) for name, text in SCRIPTS.items()}

    def serve(self) -> None:
        """Say that requests are served; to be said again before it falls silent."""
        with valkey_faults():
            self._scripts["serve"](keys=[OWNER], args=[self._name, self._silent_ms])

    def take(self) -> Request | None:
        """The next request that is still wanted; None if none comes within LOOK_S."""
        with valkey_faults():
            found = self._client.blpop(list(LISTS), timeout=LOOK_S)
        if found is None:
            return None
        request = Request(found[1][:16].decode(), found[1][16:], found[0].decode() == LISTS[0])
        return request if self.wanted(request) else None

    def wanted(self, request: Request) -> bool:
        """Whether anybody still waits for the reply."""
        with valkey_faults():
            return bool(self._client.exists(f"{PREFIX}:wanted:{request.id}"))

    def reply(self, request: Request, body: bytes) -> None:
        """Give the reply, if anybody still waits for it."""
        keys = [f"{PREFIX}:reply:{request.id}", f"{PREFIX}:wanted:{request.id}"]
        with valkey_faults():
            self._scripts["reply"](keys=keys, args=[body, KEPT_S])

    def close(self) -> None:
        """Say that nobody serves any more, and let the connections go."""
        with valkey_faults():
            self._scripts["end"](keys=[OWNER], args=[self._name])
        self._client.close()


SCRIPTS = {"serve": _SERVE, "reply": _REPLY, "end": _END}
