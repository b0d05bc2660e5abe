"""The hub: one per web process, it hears of a new snapshot and hands the same bytes to every screen.

1. A generation is heard; the newest snapshot is read once, in a thread.
2. For every view that somebody watches the window's parts are made once, in a thread, and compared with
   what its screens already show.
3. The difference becomes one block of bytes (`dashboards/live/frames.py`), written straight to every screen's socket.
4. Where that is not possible the block waits in a bounded queue for the screen's own task; a subscriber that
   is new, or too slow for its queue, gets the newest full frame instead.

So the cost of an update grows with the number of views watched, and hardly with the number of screens.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from dashboards.executors import Executors
from dashboards.live.audiences import Audience, Subscription
from dashboards.live.frames import event
from dashboards.views import View
from dashboards.window import Parts
from metrics.readings import Snapshot
from store.valkey.live import LiveHealth

log = logging.getLogger(__name__)

BEAT_S = 15.0
"""Between two beats: what tells a screen, and every proxy on the way, that the link lives."""
RETRY_S = 2.0
"""Between two attempts to hear of generations after the store was lost."""


class Composer(Protocol):
    """Makes what a view shows; both methods run in a thread."""

    def parts(self, snapshot: Snapshot | None, view: View) -> Parts:
        """Everything that a view shows of a snapshot (None: before the first)."""
        ...

    def apology(self, view: View) -> Parts:
        """What is laid over the last good parts when `parts` has failed."""
        ...


class Live(Protocol):
    """Where snapshots come from (`store.valkey.live.Live`)."""

    def read(self) -> Snapshot | None:
        """The newest snapshot, or None before the first."""
        ...

    def generations(self) -> AsyncIterator[int]:
        """Generation numbers as they come."""
        ...

    def health(self) -> LiveHealth:
        """Whether the store answers."""
        ...


class TooManyStreams(Exception):
    """No audience for one more stream; the caller is told to come back later."""


@dataclass(frozen=True)
class Limits:
    """How much one process takes on."""

    streams: int = 10_000
    views: int = 500
    """Different views at one time: each costs work at every update."""


class Hub:
    """Rooms by view key, kept up to date from the live store."""

    def __init__(self, live: Live, composer: Composer, executors: Executors, limits: Limits | None = None) -> None:
        self._live, self._executors = live, executors
        self._composer = composer
        self.limits = limits or Limits()
        self._audiences: dict[str, Audience] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._ended = False
        self.snapshot: Snapshot | None = None
        self.trouble: str | None = None
        """Why generations cannot be heard at the moment; None: they can."""

    @property
    def streams(self) -> int:
        """How many screens are connected."""
        return sum(len(audience.watchers) for audience in self._audiences.values())

    def limit_streams(self, most: int) -> None:
        """Take no more streams than that, and no more than it was to take before."""
        self.limits = replace(self.limits, streams=min(most, self.limits.streams))

    def subscribe(self, view: View) -> Subscription:
        """A place in the audience of a view; raises TooManyStreams when the process has taken on enough."""
        if self._ended:
            raise TooManyStreams("this process is stopping")
        if self.streams >= self.limits.streams:
            raise TooManyStreams(f"{self.limits.streams} streams are open")
        audience = self._audiences.get(view.key)
        if audience is None:
            if len(self._audiences) >= self.limits.views:
                raise TooManyStreams(f"{self.limits.views} different views are watched")
            audience = self._audiences[view.key] = Audience(view)
            opening = asyncio.create_task(self._refresh(audience))
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)
        subscription = Subscription(audience)
        audience.watchers.add(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Give the place back; a audience that nobody watches is closed and costs nothing."""
        audience = subscription.audience
        audience.watchers.discard(subscription)
        if not audience.watchers and self._audiences.get(audience.view.key) is audience:
            del self._audiences[audience.view.key]

    def end(self) -> None:
        """End every stream and take no more: their screens come back to the process that follows."""
        self._ended = True
        for audience in self._audiences.values():
            for watcher in audience.watchers:
                watcher.end()

    async def run(self) -> None:
        """Hear generations for ever; the store's loss is told once, and so is its return."""
        beats = asyncio.create_task(self._beat())
        try:
            while True:
                try:
                    await self._follow()
                except Exception as error:  # whatever the store's client raises, the screens stay
                    self._lost(error)
                await asyncio.sleep(RETRY_S)
        finally:
            beats.cancel()

    async def _follow(self) -> None:
        await self._take_newest()
        async for _ in self._live.generations():
            await self._take_newest()

    async def _take_newest(self) -> None:
        snapshot = await self._executors.snapshots.run(self._live.read)
        if self.trouble is not None:
            log.info("the live store is back")
            self.trouble = None
        if snapshot is None or (self.snapshot is not None and snapshot.generation == self.snapshot.generation):
            return
        self.snapshot = snapshot
        # One after the other, so that the first need not wait for the last; most screens first.
        for audience in sorted(self._audiences.values(), key=lambda audience: -len(audience.watchers)):
            await self._refresh(audience)

    async def _refresh(self, audience: Audience) -> None:
        """Bring one audience to the newest snapshot; what fails there is told there, and only there."""
        async with audience.turn:
            snapshot = self.snapshot
            if audience.parts is not None and audience.shown is snapshot:
                return
            try:
                parts = await self._executors.frames.run(self._composer.parts, snapshot, audience.view)
                audience.show(parts, snapshot)
                audience.failed = False
            except Exception:
                if not audience.failed:
                    log.exception("the figures of %s could not be made", audience.view.key)
                audience.failed = True
                audience.show({**(audience.parts or {}), **self._composer.apology(audience.view)}, audience.shown)

    def _lost(self, error: Exception) -> None:
        if self.trouble is None:
            log.warning("the live store cannot be read: %s", error)
        self.trouble = f"{type(error).__name__}: {error}"

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            block = event("beat", {"now": datetime.now(UTC).isoformat()})
            for audience in self._audiences.values():
                for watcher in audience.watchers:
                    watcher.beat(block)
