"""Rooms: the screens that watch one view, and how each of them gets its blocks in order whatever its pace."""

import asyncio
from collections import deque
from collections.abc import Callable

from dashboards.live.frames import Block, changes, frame
from dashboards.views import View
from dashboards.window import Parts
from metrics.readings import Snapshot

QUEUE = 8
"""Blocks that a slow screen may owe before it is moved on to the newest full frame."""

Straight = Callable[[Block], bool]


class Audience:
    """One view that is watched: what its screens show, and who they are."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.watchers: set[Subscription] = set()
        self.turn = asyncio.Lock()
        self.shown: Snapshot | None = None
        self.parts: Parts | None = None
        self.failed = False
        self._sequence = 0
        self._full: Block | None = None

    def show(self, parts: Parts, snapshot: Snapshot | None) -> None:
        """Take new parts and hand on what changed; raises ValueError for what JSON cannot say."""
        at = snapshot.at if snapshot else None
        block = frame(self._sequence + 1, False, at, changes(self.parts or {}, parts))
        self._sequence += 1
        self.parts, self.shown, self._full = parts, snapshot, None
        for watcher in self.watchers:
            watcher.offer(block)

    def full(self) -> Block:
        """Everything that the view shows, made once for all that ask before the next update."""
        if self._full is None:
            at = self.shown.at if self.shown else None
            self._full = frame(self._sequence, True, at, self.parts or {})
        return self._full


class Subscription:
    """One screen's place in a audience.

    Its task waits in `next` and sends what that gives. While it waits, everything was sent, and further blocks may go
    past it by `straight`: waking thousands of tasks costs several times what thousands of writes do.
    """

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.straight: Straight | None = None
        """Writes a block at once; False, and nothing is written, when the other end has not taken the last ones."""
        self._blocks: deque[Block] = deque()
        self._behind = True
        self._ended = False
        self._waiting = False
        self._wake = asyncio.Event()

    def offer(self, block: Block) -> None:
        """Hand on a block; a queue that is full is emptied and its screen gets a full frame."""
        if self._went_straight(block):
            return
        if not self._behind:
            self._blocks.append(block)
        if len(self._blocks) > QUEUE:
            self._behind = True
        self._rouse()

    def beat(self, block: Block) -> None:
        """Send a sign of life, unless there is enough to send."""
        if len(self._blocks) < QUEUE and not self._went_straight(block):
            self._blocks.append(block)
            self._rouse()

    def end(self) -> None:
        """Let `next` give None from now on."""
        self._ended = True
        self._rouse()

    async def next(self) -> Block | None:
        """The next block to send, waiting for it; None: there will be no more."""
        while not self._ended:
            if self._behind and self.audience.parts is not None:
                self._behind = False
                self._blocks.clear()
                return self.audience.full()
            if self._blocks:
                return self._blocks.popleft()
            self._wake.clear()
            self._waiting = True
            await self._wake.wait()
        return None

    def _went_straight(self, block: Block) -> bool:
        """Only past a task that waits for news, so that blocks keep their order."""
        if self.straight is None or self._behind or not self._waiting:
            return False
        return self.straight(block)

    def _rouse(self) -> None:
        self._waiting = False
        self._wake.set()
