"""How far what is counted lags behind what was taken."""

from typing import Any

from store.valkey.faults import valkey_faults

_BEHIND_MS = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local told, now = {}, redis.call('TIME')
local stream = redis.call('XINFO', 'STREAM', KEYS[1])
for position = 1, #stream, 2 do told[stream[position]] = stream[position + 1] end
if told['length'] == 0 then return 0 end
local function taken_at(name) return tonumber(string.match(told[name], '^%d+')) end
local since = math.max(taken_at('recorded-first-entry-id'), taken_at('max-deleted-entry-id'))
return math.max(0, now[1] * 1000 + math.floor(now[2] / 1000) - since)"""
"""Of the bodies themselves nothing leaves the server; its clock is asked, which has stamped them."""


class Lag:
    """Looks at the stream of what was pushed."""

    def __init__(self, client: Any, stream: str) -> None:
        self._stream, self._asked = stream, client.register_script(_BEHIND_MS)

    def behind_s(self) -> float:
        """How old figures are because of what waits, in seconds; 0 while nothing does; raises StoreUnreachable.

        Of the oldest body that waits and the newest that is done, the time since the later one was taken: a single
        body that cannot be stored makes nothing old while others pass it by.
        """
        with valkey_faults():
            return int(self._asked(keys=[self._stream])) / 1000
