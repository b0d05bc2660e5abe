"""The stream consumer: what was pushed goes from the stream on disk through the same steps as everything else.

Bodies that wait together share one write, one audit and one roll-up. A body leaves the stream only after it is stored
and judged, or kept aside with a finding, so one that was answered 202 is never lost; a crash in between delivers it
again, which changes nothing.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import TypeVar

from collectors import Ask
from metrics.observations import Batch, Interval
from pipeline.dependencies import Dependencies
from pipeline.flow.aside import UNFINISHED, judge_aside, keep_pushed, uncountable
from pipeline.flow.collecting import collect
from pipeline.flow.feeder import Feeder, ReceivingFeeder, SourceKey
from pipeline.flow.judging import Judge, Touched, judge
from pipeline.flow.refusals import note_refusal
from pipeline.flow.settling import settle
from pipeline.flow.storing import enter
from store.faults import StoreFault, passes
from store.ingest.stream import Ingest, Pushed

log = logging.getLogger("watchfloor.stream_consumer")
RETRY_S = 2.0
TOGETHER = 32
"""Bodies that are taken at once: a nation's channels, and what it takes to catch up; more would fill the memory."""

Made = TypeVar("Made")
Failure = tuple[Pushed, Exception]
"""A body, and what one of its tries ended with."""


@dataclass(frozen=True)
class ParsedBody:
    """A body that is parsed."""

    body: Pushed
    feeder: Feeder
    batch: Batch


Entered = tuple[ParsedBody, Touched]
"""A body that is stored, and what is to be judged because of it."""


class StreamConsumer:
    """Takes pushed bodies to the store, in the order in which they were accepted."""

    def __init__(
        self,
        dependencies: Dependencies,
        ingest: Ingest,
        feeders: Mapping[SourceKey, ReceivingFeeder],
        judged: Judge = judge,
    ) -> None:
        self.dependencies, self.ingest, self.feeders, self.judged = dependencies, ingest, feeders, judged
        self.ended = Event()
        self.failing = False
        self.thread = Thread(target=self._run, name="stream consumer", daemon=True)

    def start(self) -> None:
        """Start taking bodies, in a thread of its own."""
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
            # Also a bug must not end the thread: the body is given again later, and kept aside after a few times.
            if not self.failing:
                log.warning("pushed bodies cannot be stored: %s", error, exc_info=not passes(error))
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
        """Store all bodies, judge them, then let them go; raises the first error once the others are done.

        What cannot be counted is kept aside: a body that nobody wants, one of which nothing can be counted, and one
        that has used up its tries.
        """
        parsed, failures = self._each([body for body in waiting if not self._lost(body)], self._collect)
        entered, failed = self._entered([one for one in parsed if not uncountable(one.batch)])
        failures += failed + self._judged(entered)
        lost = {body.id: UNFINISHED for body in waiting if self._lost(body)}
        lost |= {one.body.id: why for one in parsed if (why := uncountable(one.batch))}
        lost |= {body.id: type(error).__name__ for body, error in failures if self._last_try(body)}
        failures += self._keep_aside([body for body in waiting if body.id in lost], lost)
        if failures:
            raise failures[0][1]
        return len(entered)

    def _lost(self, body: Pushed) -> bool:
        """Whether there is nothing to be tried any more."""
        return (body.channel, body.source) not in self.feeders or body.tries > self.ingest.limits.deliveries

    def _last_try(self, body: Pushed) -> bool:
        return body.tries == self.ingest.limits.deliveries

    def _keep_aside(self, bodies: Sequence[Pushed], reasons: Mapping[str, str]) -> list[Failure]:
        """Keep bodies aside, each with its reason, and only then let them go."""

        def keep(body: Pushed) -> list[Pushed]:
            keep_pushed(self.dependencies, body, self.feeders.get((body.channel, body.source)), reasons[body.id])
            return [body]

        kept, failed = self._each(bodies, keep)
        if kept:
            judge_aside(self.dependencies)
            self.ingest.done([body.id for body in kept])
        return failed

    def _each(self, bodies: Iterable[Pushed], work: Callable[[Pushed], list[Made]]) -> tuple[list[Made], list[Failure]]:
        """Do something with each until the end comes; gives what came of them, and what failed."""
        made: list[Made] = []
        failed: list[Failure] = []
        for body in bodies:
            if self.ended.is_set():
                break
            try:
                made += work(body)
            except Exception as error:
                if passes(error):
                    raise
                failed.append((body, error))
        return made, failed

    def _collect(self, body: Pushed) -> list[ParsedBody]:
        """Parse one body; nothing for one that the push endpoint refused, which is noted and let go."""
        feeder = self.feeders[body.channel, body.source]
        ask = Ask(Interval(body.received_at, body.received_at), {}, body.received_at)
        payload = feeder.collector.payload(body.body, body.received_at)
        batch = collect(self.dependencies, feeder, ask, lambda: payload)
        if not body.refused:
            return [ParsedBody(body, feeder, batch)]
        note_refusal(self.dependencies, feeder, payload, batch.parsed, batch.error)
        self.ingest.done([body.id])
        return []

    def _entered(self, parsed: Sequence[ParsedBody]) -> tuple[list[Entered], list[Failure]]:
        """Store bodies together; one after another where one of them is refused, and the others with it."""
        try:
            return self._enter(parsed), []
        except Exception as error:
            if passes(error):
                raise
            by_id = {one.body.id: one for one in parsed}
            return self._each([one.body for one in parsed], lambda body: self._enter([by_id[body.id]]))

    def _enter(self, parsed: Sequence[ParsedBody]) -> list[Entered]:
        touched = enter(self.dependencies, [(one.feeder, one.batch) for one in parsed])
        return list(zip(parsed, touched, strict=True))

    def _judged(self, entered: Sequence[Entered]) -> list[Failure]:
        """Judge what is stored, all of it together, and let it go."""
        if not entered:
            return []
        try:
            self.judged(self.dependencies, [touched for _, touched in entered])
        except Exception as error:
            if passes(error):
                raise
            return [(one.body, error) for one, _ in entered]
        settle(self.dependencies, [one.batch for one, _ in entered])
        self.dependencies.wake()
        self.ingest.done([one.body.id for one, _ in entered])
        return []
