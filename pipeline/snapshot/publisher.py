"""The publisher: one thread that sends the newest snapshot when something changed, and at a slow beat anyway.

Turns only set `changed`; many that end together become one snapshot. The slow beat lets readings grow
stale on the glass while nothing arrives.
"""

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

from metrics.readings import Snapshot
from store.faults import passes

log = logging.getLogger("watchfloor.publisher")
BEAT_S = 10.0


class Publisher:
    """Calls `build` and `send` in a thread of its own.

    Between two snapshots lie `gap_s` seconds at least, and as much time as the last one took: while much comes in,
    the turns that bring it need the processor more than the screens need one more state in between.
    """

    def __init__(
        self, build: Callable[[], Snapshot], send: Callable[[Snapshot], None], changed: Event, gap_s: float
    ) -> None:
        self.build, self.send, self.changed, self.gap_s = build, send, changed, gap_s
        self.ended = Event()
        self.failing = False
        self.thread = Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Start sending."""
        self.thread.start()

    def stop(self) -> None:
        """Stop after the snapshot under way."""
        self.ended.set()
        self.changed.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.ended.is_set():
            self.changed.wait(BEAT_S)
            self.changed.clear()
            if self.ended.is_set():
                return
            began = time.monotonic()
            self._publish()
            self.ended.wait(max(self.gap_s, time.monotonic() - began))

    def _publish(self) -> None:
        try:
            self.send(self.build())
        except Exception as error:
            # The next beat tries again; the screens mark what they hold as old by themselves meanwhile.
            if not self.failing:
                log.warning("publishing failed: %s", error, exc_info=not passes(error))
            self.failing = True
            return
        if self.failing:
            log.warning("publishing works again")
        self.failing = False
