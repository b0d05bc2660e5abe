"""Who works on what of the push endpoint's stream: a sign of life from the living, and what the dead leave behind.

A worker that waits asks for bodies every second; one that is at work says so (`held`), however long a body takes.
So one that was not heard of for seconds is dead, what it had taken counts as given up at once, and its name, which
nobody will use again, is forgotten in time. Should a living one be taken for dead, a body is stored twice, which
changes nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from store.faults import StoreFault
from store.valkey.faults import valkey_faults

log = logging.getLogger("watchfloor.ingest")
MOST = 1000
"""Bodies of one dead consumer that are given up at once; the rest follows at the next look."""

_BEAT = """
for position = 3, #ARGV do
    local id = ARGV[position]
    if #redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1, ARGV[2]) == 1 then
        redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'JUSTID')
    end
end"""

_BURY = """
for _, told in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local about = {}
    for position = 1, #told, 2 do about[told[position]] = told[position + 1] end
    if about.name ~= ARGV[2] and about.idle >= tonumber(ARGV[3]) then
        for _, entry in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', ARGV[6], about.name)) do
            redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, entry[1], 'IDLE', ARGV[5], 'JUSTID')
        end
        if about.pending == 0 and about.idle >= tonumber(ARGV[4]) then
            redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about.name)
        end
    end
end"""


class Holding:
    """What one consumer of a stream's group holds, and what the others leave; `beat_s`: seconds between its signs."""

    def __init__(self, client: Any, stream: str, group: str, consumer: str, beat_s: float) -> None:
        self._stream, self._group, self._consumer, self._beat_s = stream, group, consumer, beat_s
        self._sign, self._take = client.register_script(_BEAT), client.register_script(_BURY)

    @contextmanager
    def held(self, ids: Sequence[str]) -> Iterator[None]:
        """Give signs of life while bodies are worked on; what others have taken over meanwhile stays with them."""
        if not ids:
            yield
            return
        ended = Event()
        signs = Thread(target=self._beat, args=(ids, ended), name="signs of life", daemon=True)
        signs.start()
        try:
            yield
        finally:
            ended.set()
            signs.join()

    def _beat(self, ids: Sequence[str], ended: Event) -> None:
        while not ended.wait(self._beat_s):
            try:
                with valkey_faults():
                    self._sign(keys=[self._stream], args=[self._group, self._consumer, *ids])
            except StoreFault as error:
                log.info("%s: no sign of life", error)

    def bury(self, silent_s: float, forget_s: float, given_up_s: float) -> None:
        """Make what silent consumers hold as old as what was given up, and forget those long silent that hold nothing.

        All in one step of Valkey: a name is never forgotten together with a body that it has just taken.
        """
        silent, forget, given_up = (int(seconds * 1000) for seconds in (silent_s, forget_s, given_up_s))
        self._take(keys=[self._stream], args=[self._group, self._consumer, silent, forget, given_up, MOST])
