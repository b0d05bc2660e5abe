"""The newest snapshot, from the pipeline to every web process, through Valkey.

The snapshot is one hash: its head, and a packed blob a frame, whatever frames there are. It is replaced in one step,
then the generation is told to whoever listens; the blobs are read from the hash, once by each web process. The snapshot
is kept out of the append-only file and is not sent to replicas: it is made anew every tick and must not wear the disks
that the push endpoint's promise stands on. After a fail-over there is none until the next tick; what a replica got of
it by a full copy is deleted there, so that an old one never comes back.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis
import redis.asyncio

from metrics.readings import Snapshot
from store.faults import StoreFault
from store.valkey.address import TAG, ValkeyAddress
from store.valkey.faults import valkey_faults
from store.valkey.packing import pack, unpack

SNAPSHOT = f"{TAG}:snapshot"
HEAD = "head"
FRAME = "frame:"
"""Before the name of a frame, as a field of the hash."""
CHANNEL = "watchfloor:generation"

_PUBLISH = """
redis.set_repl(redis.REPL_REPLICA)
redis.call('DEL', KEYS[1])
redis.set_repl(redis.REPL_NONE)
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PUBLISH', 'watchfloor:generation', ARGV[1])
return redis.status_reply('OK')"""

RECONNECT_S = (0.05, 2.0)
"""First and longest pause before listening again."""
SILENCE_S = 12.0
"""The pipeline publishes every 10 s at least: who hears nothing for longer may listen where nobody speaks any more."""


@dataclass(frozen=True)
class LiveHealth:
    """Whether Valkey answers, and what it shows."""

    reachable: bool
    detail: str = ""
    generation: int | None = None
    at: datetime | None = None


class Live:
    """Publish and read the snapshot; a `Live` belongs to one process, its methods to any thread."""

    def __init__(self, url: str) -> None:
        self._address = ValkeyAddress.of(url)
        self._client: Any = self._address.client()
        self._publish = self._client.register_script(_PUBLISH)

    def publish(self, snapshot: Snapshot) -> None:
        """Replace the snapshot as one and tell its generation; raises StoreUnreachable, StoreFull."""
        head = {"generation": snapshot.generation, "at": snapshot.at.isoformat(), "simulated": snapshot.simulated}
        fields: list[str | bytes] = [HEAD, json.dumps(head)]
        for name, frame in snapshot.frames.items():
            fields += [FRAME + name, pack(frame)]
        with valkey_faults():
            self._publish(keys=[SNAPSHOT], args=[snapshot.generation, *fields])

    def read(self) -> Snapshot | None:
        """The newest snapshot, all of one generation, or None before the first; raises StoreUnreachable."""
        with valkey_faults():
            held = {field.decode(): data for field, data in self._client.hgetall(SNAPSHOT).items()}
        if not held:
            return None
        known = json.loads(held.pop(HEAD))
        at = datetime.fromisoformat(known.pop("at"))
        frames = {field.removeprefix(FRAME): unpack(data) for field, data in held.items()}
        return Snapshot(**known, at=at, frames=frames)

    async def generations(self) -> AsyncIterator[int]:
        """Each new generation, for ever: the one that stands first, only the newest after a gap or a lost link.

        The link is made anew when it breaks and after a silence; each time it is asked who the primary is.
        """
        last: int | None = None
        pause = RECONNECT_S[0]
        while True:
            try:
                async with self._address.async_client() as client, client.pubsub() as listening:
                    await listening.subscribe(CHANNEL)
                    async for generation in _newest(client, listening):
                        pause = RECONNECT_S[0]
                        if generation != last:
                            last = generation
                            yield generation
            except (redis.RedisError, OSError):
                await asyncio.sleep(pause)
                pause = min(pause * 2, RECONNECT_S[1])

    def health(self) -> LiveHealth:
        """Whether Valkey answers and what it shows; never raises for a lost link."""
        try:
            with valkey_faults():
                head = self._client.hget(SNAPSHOT, HEAD)
        except StoreFault as error:
            return LiveHealth(False, str(error))
        if head is None:
            return LiveHealth(True)
        known = json.loads(head)
        return LiveHealth(True, "", known["generation"], datetime.fromisoformat(known["at"]))

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()


async def _newest(client: "redis.asyncio.Redis", listening: "redis.asyncio.client.PubSub") -> AsyncIterator[int]:
    """What stands once the subscription is there, then what is told, until a silence; what piled up is skipped."""
    while (message := await listening.get_message(timeout=SILENCE_S)) is not None:
        while (waiting := await listening.get_message(timeout=0)) is not None:
            message = waiting
        if message["type"] == "message":
            yield int(message["data"])
        else:
            head = await client.hget(SNAPSHOT, HEAD)
            if head is not None:
                yield int(json.loads(head)["generation"])
