"""Answers that are kept while nothing that they stand on has changed.

What an answer stands on is stamped before it is worked out, by channel and span; a write there changes the stamp, so an
answer that a write overtakes is worked out again. Who owns the facts knows of every write (`Touches`); others read the
record of batches (`RecordedStamps`), which does not name the intervals that a contact moved out of: by those stamps an
answer is kept for seconds only.

An answer that reaches into the last day also changes by itself, because sources grow late: it is kept for SOON_S.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic
from typing import Protocol

from analysis.questions.answer import Answer
from analysis.questions.comparing import other_span
from analysis.questions.question import Question
from analysis.questions.stores import Stores
from metrics.observations import Interval
from store.state.past import Past

KEPT = 256
MOST_ROWS = 20_000
"""Larger answers are not kept."""
SOON_S, LATER_S, RECORDED_S = 2.0, 300.0, 15.0
"""How long answers are kept: that reach into the last day, that do not, and by what is recorded."""
PRESENT = timedelta(days=1)
TOUCHES_KEPT = 2000


class Stamps(Protocol):
    """Says whether what a question stands on has changed."""

    longest_s: float
    """For how long at most an answer may be kept by these stamps."""

    def of(self, span: Interval, channels: Sequence[str]) -> Hashable:
        """A value that is another one after a write about the span in one of the channels."""
        ...


class Touches:
    """Every write of this process, counted: the stamp of a span is the number of the last one that touched it."""

    longest_s = LATER_S

    def __init__(self) -> None:
        self._lock, self._number = Lock(), 0
        self._touches: deque[tuple[int, str, Interval]] = deque(maxlen=TOUCHES_KEPT)

    def add(self, channel: str, span: Interval) -> None:
        """Something about a span was written, or judged anew; call it after anybody can see it."""
        with self._lock:
            self._number += 1
            self._touches.append((self._number, channel, span))

    def of(self, span: Interval, channels: Sequence[str]) -> Hashable:
        """See `Stamps.of`; what was touched before those that are remembered may be anywhere."""
        with self._lock:
            forgotten = self._touches[0][0] - 1 if self._touches else 0
            met = (
                number
                for number, channel, touched in self._touches
                if channel in channels and touched.start < span.end and span.start < touched.end
            )
            return max(met, default=forgotten)


class RecordedStamps:
    """What the record of batches says of a span, for who does not write himself."""

    longest_s = RECORDED_S

    def __init__(self, past: Past) -> None:
        self._past = past

    def of(self, span: Interval, channels: Sequence[str]) -> Hashable:
        """See `Stamps.of`."""
        return self._past.recorded(span, channels)


@dataclass(frozen=True)
class _Kept:
    answer: Answer
    stamp: Hashable
    until: float


class Cache:
    """The answers that were asked for last."""

    def __init__(self, stores: Stores, stamps: Stamps, clock_s: Callable[[], float] = monotonic) -> None:
        """`clock_s`: seconds that nobody can set."""
        self._stores, self._stamps, self._lock, self._clock_s = stores, stamps, Lock(), clock_s
        self._kept: OrderedDict[tuple[Question, str], _Kept] = OrderedDict()

    def answer(self, question: Question, scope: str, work: Callable[[], Answer]) -> Answer:
        """What is kept, if nothing has changed, else what `work` gives."""
        key, stamp = (question, scope), self._stamp(question)
        with self._lock:
            held = self._kept.get(key)
        if held is not None and held.stamp == stamp and self._clock_s() < held.until:
            return held.answer
        found = work()
        if len(found.frame) <= MOST_ROWS:
            self._keep(key, _Kept(found, stamp, self._clock_s() + self._lasts_s(question)))
        return found

    def _stamp(self, question: Question) -> Hashable:
        other = other_span(question, self._stores.catalogue.day)
        spans = [question.span] if other is None else [question.span, other]
        channels = (question.channel,) if question.channel else tuple(self._stores.catalogue.channels)
        return tuple(self._stamps.of(span, channels) for span in spans)

    def _lasts_s(self, question: Question) -> float:
        settled: datetime = self._stores.clock() - PRESENT
        return min(self._stamps.longest_s, LATER_S if question.span.end <= settled else SOON_S)

    def _keep(self, key: tuple[Question, str], kept: _Kept) -> None:
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
