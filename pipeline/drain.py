"""The drain: what was pushed goes from the stream on disk through the same turn as everything else.

A body leaves the stream only after it is stored, so one that was answered 202 is never lost; a
crash in between delivers it again, which changes nothing.
"""

import hashlib
import logging
from collections.abc import Mapping
from threading import Event
from typing import cast

from collectors import Ask
from collectors.push import PushCollector
from metrics.observations import Interval
from pipeline.parts import Parts
from pipeline.turn import Feeder, collect, take
from store.ingest import Ingest, Pushed, Unreachable

log = logging.getLogger("watchfloor.drain")
RETRY_S = 2.0


class Drain:
    """Takes pushed bodies to the store, in the order in which they were accepted."""

    def __init__(self, parts: Parts, ingest: Ingest, feeders: Mapping[str, Feeder]) -> None:
        self.parts, self.ingest, self.feeders = parts, ingest, feeders
        self.ended = Event()
        self.failing = False

    def stop(self) -> None:
        """Stop after the body under way; the others stay in the stream."""
        self.ended.set()

    def once(self) -> int:
        """Take what waits now, or wait a second for some; gives how many bodies are stored."""
        try:
            waiting = self.ingest.read(block_ms=1000)
            for body in waiting:
                if self.ended.is_set():
                    return 0
                self._take(body)
                self.ingest.done([body.id])
        except Exception as error:
            # Also a bug must not end the drain: the body is given again later, and moved aside after a few times.
            if not self.failing:
                known = isinstance(error, Unreachable)
                log.warning("the stream of pushed batches cannot be drained: %s", error, exc_info=not known)
            self.failing = True
            self.ended.wait(RETRY_S)
            return 0
        if self.failing:
            log.warning("the stream of pushed batches is back")
        self.failing = False
        return len(waiting)

    def _take(self, body: Pushed) -> None:
        feeder = self.feeders.get(body.channel)
        if feeder is None:
            log.error("a body was pushed for channel %s, which has no push source any more; kept aside", body.channel)
            self.parts.payloads.keep(body.body, hashlib.sha256(body.body).hexdigest(), body.received_at)
            return
        ask = Ask(Interval(body.received_at, body.received_at), {}, body.received_at)
        payload = cast(PushCollector, feeder.collector).payload(body.body, body.received_at)
        take(self.parts, feeder, collect(self.parts, feeder, ask, lambda: payload))
