"""Brings what a system pushes to the push endpoint and loses nothing on the way.

1. Bodies wait in a bounded spool.
2. They are sent in their order; a key names each, so that sending one again changes nothing.
3. The endpoint is away or busy (no connection, 408, 425, 429, 5xx): the same body again, later and later.
4. The endpoint refuses a body (any other 4xx): it is put aside and said, since sending it again would not help.
"""

import asyncio
import logging
from collections import deque

import httpx

from simulator.systems.pushed_figures import Body

log = logging.getLogger("simulator.sender")
SPOOL = 2000
"""Bodies that wait at most; then the oldest is given up, and said."""
AGAIN = frozenset({408, 425, 429})
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0


class Sender:
    """Brings bodies to the push endpoint, in order, until they are taken."""

    def __init__(self, channel: str, base_url: str, token: str) -> None:
        """`base_url`: the endpoint's address, such as http://127.0.0.1:8050/ingest/v1."""
        self._url = f"{base_url.rstrip('/')}/{channel}"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._spool: deque[Body] = deque()
        self._filled = asyncio.Event()
        self._lost = False
        self.given_up: list[str] = []
        """Keys of bodies that could not be delivered, the last hundred."""

    def put(self, bodies: list[Body]) -> None:
        """Take bodies into the spool."""
        self._spool.extend(bodies)
        while len(self._spool) > SPOOL:
            self._give_up(self._spool.popleft(), "the spool is full")
        if self._spool:
            self._filled.set()

    async def run(self) -> None:
        """Send until cancelled."""
        async with httpx.AsyncClient(headers=self._headers, timeout=15, trust_env=False) as client:
            while True:
                await self._filled.wait()
                while self._spool:
                    await self._deliver(client, self._spool[0])
                self._filled.clear()

    async def _deliver(self, client: httpx.AsyncClient, body: Body) -> None:
        wait = FIRST_WAIT_S
        while self._spool and self._spool[0] is body:
            fault = await self._post(client, body)
            if fault is None:
                if self._spool and self._spool[0] is body:
                    self._spool.popleft()
                return
            if not self._lost:
                log.warning("%s cannot be reached (%s); figures wait in the spool", self._url, fault)
            self._lost = True
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)

    async def _post(self, client: httpx.AsyncClient, body: Body) -> str | None:
        """Send once; None if the body is done with, else why it has to be sent again."""
        try:
            answer = await client.post(self._url, content=body.data, headers={"Idempotency-Key": body.key})
        except httpx.TransportError as error:
            return type(error).__name__
        if answer.status_code in AGAIN or answer.status_code >= 500:
            return f"answer {answer.status_code}"
        if answer.is_success:
            if self._lost:
                log.warning("%s is back", self._url)
            self._lost = False
        else:
            self._give_up(body, f"answer {answer.status_code}: {answer.text[:200]}")
        return None

    def _give_up(self, body: Body, reason: str) -> None:
        log.warning("%s: body %s given up: %s", self._url, body.key, reason)
        self.given_up = [*self.given_up, body.key][-100:]
