"""The stream consumer: what was pushed goes from the stream on disk through the same steps as everything else.

Bodies that wait together share one write, one audit and one roll-up. A body leaves the stream only after it is stored
and judged, so one that was answered 202 is never lost; a crash in between delivers it again, which changes nothing.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import TypeVar, cast

from collectors import Ask
from collectors.push import PushCollector
from metrics.observations import Batch, Interval
from pipeline.dependencies import Dependencies
from pipeline.flow.collecting import collect
from pipeline.flow.feeder import Feeder
from pipeline.flow.judging import Judge, Touched, judge
from pipeline.flow.refusals import note_refusal
from pipeline.flow.settling import settle
from pipeline.flow.storing import enter
from store.faults import StoreFault, passes
from store.ingest.stream import Ingest, Pushed

log = logging.getLogger("watchfloor.drain")
RETRY_S = 2.0
TOGETHER = 32
"""Bodies that are taken at once: a nation's channels, and what it takes to catch up; more would fill the memory."""


Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class ParsedBody:
    """A body that is parsed."""

    id: str
    feeder: Feeder
    batch: Batch


class StreamConsumer:
    """Takes pushed bodies to the store, in the order in which they were accepted."""

    def __init__(
        self, dependencies: Dependencies, ingest: Ingest, feeders: Mapping[str, Feeder], judged: Judge = judge
    ) -> None:
        self.dependencies, self.ingest, self.feeders, self.judged = dependencies, ingest, feeders, judged
        self.ended = Event()
        self.failing = False
        self.thread = Thread(target=self._run, name="drain", daemon=True)

    def start(self) -> None:
        """Start draining, in a thread of its own."""
        self.thread.start()

    def stop(self) -> None:
        """Stop after the body under way; the others stay in the stream."""
        self.ended.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.ended.is_set():
            self.once()

    def once(self) -> int:
        """Take what waits now, or wait a second for some; gives how many bodies are stored."""
        waiting: Sequence[Pushed] = ()
        try:
            # After a failure one at a time, so that the body that is its cause does not take others down with it.
            waiting = self.ingest.read(1 if self.failing else TOGETHER, block_ms=1000)
            with self.ingest.held([body.id for body in waiting]):
                taken = self._take(waiting)
        except Exception as error:
            # Also a bug must not end the thread: the body is given again later, and moved aside after a few times.
            if not self.failing:
                log.warning("the stream of pushed batches cannot be drained: %s", error, exc_info=not passes(error))
            self.failing = True
            self.ended.wait(RETRY_S)
            if passes(error):
                self._again(waiting)
            return 0
        if self.failing:
            log.warning("the stream of pushed batches is back")
        self.failing = False
        return taken

    def _again(self, waiting: Sequence[Pushed]) -> None:
        """Have bodies given again at once, without counting this try: it was not they that failed."""
        try:
            self.ingest.give_again([body.id for body in waiting])
        except StoreFault as error:
            log.info("%s: what was taken is given again later", error)

    def _take(self, waiting: Sequence[Pushed]) -> int:
        """Store all bodies, judge them, then let them go; raises the first error once the others are done."""
        bodies, failed = self._each(waiting, self._collect)
        try:
            entered = self._enter(bodies)
        except Exception as error:
            if passes(error):
                raise
            # One of them is the cause, and they are stored together or not at all: now one after another.
            entered, cause = self._each([[one] for one in bodies], self._enter)
            failed = failed or cause
        if entered:
            self.judged(self.dependencies, [touched for _, touched in entered])
            settle(self.dependencies, [one.batch for one, _ in entered])
            self.dependencies.wake()
            self.ingest.done([one.id for one, _ in entered])
        if failed is not None:
            raise failed
        return len(entered)

    def _each(self, given: Iterable[Given], work: Callable[[Given], list[Made]]) -> tuple[list[Made], Exception | None]:
        """Do something with each until the end comes; gives what came of them, and the first error of one of them."""
        made: list[Made] = []
        failed: Exception | None = None
        for one in given:
            if self.ended.is_set():
                break
            try:
                made += work(one)
            except Exception as error:
                if passes(error):
                    raise
                failed = failed or error
        return made, failed

    def _collect(self, body: Pushed) -> list[ParsedBody]:
        """Parse one body; nothing for one that nobody wants or that the door refused, which is noted and let go."""
        feeder = self.feeders.get(body.channel)
        if feeder is None:
            log.error("a body was pushed for channel %s, which has no push source any more; kept aside", body.channel)
            self.dependencies.payloads.keep(body.body, hashlib.sha256(body.body).hexdigest(), body.received_at)
            self.ingest.done([body.id])
            return []
        ask = Ask(Interval(body.received_at, body.received_at), {}, body.received_at)
        payload = cast(PushCollector, feeder.collector).payload(body.body, body.received_at)
        batch = collect(self.dependencies, feeder, ask, lambda: payload)
        if not body.refused:
            return [ParsedBody(body.id, feeder, batch)]
        note_refusal(self.dependencies, feeder, payload, batch.parsed, batch.error)
        self.ingest.done([body.id])
        return []

    def _enter(self, bodies: Sequence[ParsedBody]) -> list[tuple[ParsedBody, Touched]]:
        """Store bodies together."""
        touched = enter(self.dependencies, [(one.feeder, one.batch) for one in bodies])
        return list(zip(bodies, touched, strict=True))
