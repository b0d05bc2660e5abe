"""Which tier answers for which piece of time, so that together they say what the rows themselves would.

1. Time that the tier below has forgotten is answered by the tier above, in whole buckets.
2. Where both hold it, whole days are read from the tier above because that is less work, unless a bucket was touched
   and not rolled since.
3. What is left belongs to the finest tier; if that has forgotten it, the question cannot be answered and is refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from config.catalogue import DayPlan
from metrics.intervals import STEPS_S, day_start
from metrics.observations import Interval
from store.facts.history import SumQuery
from store.facts.tiers.tier import Tier
from store.faults import NotKept
from store.state.tier_progress import TierProgress


@dataclass(frozen=True)
class Piece:
    """A piece of time and the tier that answers for it."""

    tier: Tier
    span: Interval


@dataclass(frozen=True)
class Wanted:
    """What of a question decides who can answer it."""

    span: Interval
    channels: tuple[str, ...]
    step: int | str | None = None
    """Seconds, `day`, or None: no step."""
    instants: bool = False
    """Whether a measure stands on all its instants."""
    replayed: bool = False
    """Whether it asks what was shown at a time."""
    spared: bool = True
    """Whether less work is worth a second piece."""

    @classmethod
    def by(cls, question: SumQuery, channels: tuple[str, ...], instants: bool) -> "Wanted":
        """What a question wants. Putting pieces together by instants costs more than it spares."""
        return cls(
            question.interval, channels, question.by, instants, question.as_known_at is not None, spared=not instants
        )


class Cutter:
    """Cuts one question at the horizons of the tiers as they stand."""

    def __init__(self, tiers: Sequence[Tier], progress: TierProgress, day: DayPlan, wanted: Wanted) -> None:
        self._tiers, self._progress, self._day, self._wanted = tiers, progress, day, wanted

    def pieces(self) -> list[Piece]:
        """Pieces in order of time that cover the whole span; raises NotKept."""
        return list(self._cut(len(self._tiers) - 1, self._wanted.span))

    def _cut(self, level: int, span: Interval) -> Iterator[Piece]:
        tier, at = self._tiers[level], span.start
        if span.start == span.end:
            return
        if level == 0:
            self._check_kept(span)
            yield Piece(tier, span)
            return
        for run in self._runs(level, span) if self._answers(tier) else ():
            yield from self._cut(level - 1, Interval(at, run.start))
            yield Piece(tier, run)
            at = run.end
        yield from self._cut(level - 1, Interval(at, span.end))

    def _answers(self, tier: Tier) -> bool:
        """Whether a tier's buckets fit the question at all."""
        wanted = self._wanted
        whole = wanted.step in (None, "day") or (
            tier.size in STEPS_S and isinstance(wanted.step, int) and wanted.step % STEPS_S[tier.size] == 0
        )
        return whole and not wanted.replayed and (tier.with_instants or not wanted.instants)

    def _runs(self, level: int, span: Interval) -> list[Interval]:
        """Stretches of whole buckets of one tier, joined where they meet."""
        found: list[Interval] = []
        for run in (*self._needed(level, span), *self._cheaper(level, span)):
            if found and found[-1].end == run.start:
                found[-1] = Interval(found[-1].start, run.end)
            else:
                found.append(run)
        return found

    def _needed(self, level: int, span: Interval) -> Iterator[Interval]:
        """What the tier below has forgotten and this one has not."""
        forgotten = self._progress.forgotten(self._tiers[level - 1].name)
        if forgotten is None:
            return
        low = max(span.start, self._forgotten_here(level) or span.start)
        high = min(span.end, forgotten)
        inside = self._tiers[level].inside(Interval(low, high), self._day) if low < high else None
        if inside is not None:
            yield inside

    def _cheaper(self, level: int, span: Interval) -> Iterator[Interval]:
        """Whole days that the tier below holds too, without the buckets that were touched since they were rolled."""
        wanted, tier = self._wanted, self._tiers[level]
        fronts = [self._progress.fronts.get((tier.name, channel)) for channel in wanted.channels]
        rolled = [front.rolled for front in fronts if front is not None]
        if not wanted.spared or len(rolled) < len(fronts) or not rolled:
            return
        low = self._day_from(max(span.start, self._progress.forgotten(self._tiers[level - 1].name) or span.start))
        high = day_start(min(span.end, *rolled), self._day)
        for touched in self._touched(level):
            if low < min(touched.start, high):
                yield Interval(low, min(touched.start, high))
            low = max(low, touched.end)
        if low < high:
            yield Interval(low, high)

    def _touched(self, level: int) -> list[Interval]:
        """Buckets of a tier that were touched since, in it or in a tier below, in order of time."""
        finer = {tier.name for tier in self._tiers[: level + 1]}
        marks = [mark for mark in self._progress.marks if mark.tier in finer and mark.channel in self._wanted.channels]
        found = {self._tiers[level].bucket(mark.start, self._day) for mark in marks}
        return sorted(found, key=lambda bucket: bucket.start)

    def _forgotten_here(self, level: int) -> datetime | None:
        """Before when a tier holds nothing although another one does."""
        return None if level == len(self._tiers) - 1 else self._progress.forgotten(self._tiers[level].name)

    def _day_from(self, moment: datetime) -> datetime:
        today = self._tiers[-1].bucket(moment, self._day)
        return today.start if today.start == moment else today.end

    def _check_kept(self, span: Interval) -> None:
        """Refuse a piece that no tier can answer exactly, saying what can be asked."""
        forgotten = self._progress.forgotten(self._tiers[0].name)
        if forgotten is None or span.start >= forgotten:
            return
        wanted, refused = self._wanted, f"{span.start.isoformat()} to {min(span.end, forgotten).isoformat()}"
        kept = "; ".join(
            f"before {limit.isoformat()} figures are kept by buckets of {above.size}"
            for below, above in zip(self._tiers, self._tiers[1:], strict=False)
            if (limit := self._progress.forgotten(below.name)) is not None
        )
        if wanted.replayed:
            reason = "what was shown at a time is forgotten with the single intervals"
        elif wanted.instants:
            reason = "a mean or largest instant needs every instant and whole buckets"
        else:
            reason = "ask for whole buckets, by steps that they divide"
        raise NotKept(f"{refused} cannot be answered exactly: {kept}; {reason}")
