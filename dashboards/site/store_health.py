"""Whether the live store answers: one look at a time, told to all who ask meanwhile, with patience that ends."""

import asyncio
import time

from access.executor import Executor
from dashboards.live.hub import Live
from store.valkey.live import LiveHealth

STORE_ANSWER_S = 3.0
"""How long the store may take to answer."""


class StoreHealth:
    """Asks the live store how it is; a look that hangs is not asked again, and holds up nobody who comes later."""

    def __init__(self, live: Live, executor: Executor, patience_s: float = STORE_ANSWER_S) -> None:
        self._live, self._executor, self._patience_s = live, executor, patience_s
        self._look: asyncio.Task[LiveHealth] | None = None
        self._since = 0.0

    async def fault(self) -> str | None:
        """What is wrong with the store, within the patience counted from the beginning of the look; None: nothing."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._executor.run(self._live.health))
            self._since = time.monotonic()
        look = self._look
        left_s = self._since + self._patience_s - time.monotonic()
        await asyncio.wait((look,), timeout=max(0.0, left_s))
        if not look.done():
            return f"the live store has not answered for {self._patience_s:.0f} s"
        state = look.result()
        return None if state.reachable else f"the live store cannot be reached: {state.detail}"
