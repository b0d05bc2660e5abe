"""What an answer of Valkey is worth: the write is on the primary's disk, and on a replica's where there are any.

The primary writes before it answers (`appendfsync always`). For the replica the same connection waits, first until
one has the write (WAIT), then until one has it on disk (WAITAOF). The first wait looks needless and is not: a replica
says how far its disk is when it is asked, and asked too early it says so again only a second later.
"""

import logging
from collections.abc import Sequence
from typing import Any

from store.faults import NotDurable, StoreUnreachable
from store.valkey.address import TAG
from store.valkey.faults import valkey_faults

log = logging.getLogger("watchfloor.valkey")
PROBE = f"{TAG}:probe"
COPIED_MS = 1000
"""How long each of the two waits may take; a healthy replica needs one or two."""


class Durability:
    """Runs scripts whose writes must survive; `copies`: on how many replicas' disks."""

    def __init__(self, client: Any, copies: int) -> None:
        self._client, self._copies = client, copies

    def keep(self, script: str, keys: Sequence[str], arguments: Sequence[object]) -> Any:
        """What the script answers, once it is on every disk that it must be on; raises StoreUnreachable, StoreFull.

        A script must write also where it repeats an earlier answer: only behind a write of its own does a connection
        wait for what came before.
        """
        with valkey_faults(), self._client.pipeline(transaction=False) as steps:
            steps.eval(script, len(keys), *keys, *arguments)
            self._wait(steps)
            answer, *waited = steps.execute()
        if self._copies and waited[1][1] < self._copies:
            raise StoreUnreachable("Valkey: no replica had it on disk in time; send it again")
        return answer

    def check(self) -> None:
        """Refuse a Valkey that could lose what was promised; raises NotDurable, StoreUnreachable.

        A replica that is away is only told: it comes back, and until then every promise is refused one by one.
        """
        if not self.durable():
            raise NotDurable(
                "Valkey answers before it has written to disk: set `appendonly yes` and `appendfsync always` there"
            )
        if self._copies and self._replicas() == 0:
            log.warning("no replica of Valkey is connected: pushes are refused until one is")
        elif self._copies and not self._copied():
            raise NotDurable(
                "no replica of Valkey writes to disk: set `appendonly yes` and `appendfsync always` there too"
            )

    def durable(self) -> bool:
        """Whether the primary has every write on disk before it answers."""
        with valkey_faults():
            settings: dict[str, str] = self._client.config_get("append*")
        return settings.get("appendonly") == "yes" and settings.get("appendfsync") == "always"

    def _replicas(self) -> int:
        with valkey_faults():
            return int(self._client.info("replication")["connected_slaves"])

    def _copied(self) -> bool:
        """Whether a write of no consequence comes to a replica's disk."""
        with valkey_faults(), self._client.pipeline(transaction=False) as steps:
            steps.set(PROBE, 1, ex=1)
            self._wait(steps)
            return bool(steps.execute()[-1][1] >= self._copies)

    def _wait(self, steps: Any) -> None:
        if self._copies:
            steps.execute_command("WAIT", self._copies, COPIED_MS)
            steps.execute_command("WAITAOF", 1, self._copies, COPIED_MS)
