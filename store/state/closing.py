"""When a finding about stored figures is over: only once what was bad has been looked at again and is right.

A pass says what it has looked at: a rule in a channel, one source, one measure, a span, and by its facts the places in
which all of that was right (`clean`) and those in which some was not, or could not be judged (`unclear`). It closes a
finding if for each of the finding's measures

1. it is of the same source and measure,
2. its span holds the intervals that were bad, and nothing is unclear in the place: what is not there now is not bad; or
   it is so long that it stands for the present (LONG), ends no earlier, and has judged the place: clean, unless it
   begins after what was bad,
3. it was begun after the finding was last seen, and nothing in this round that could not be judged is about it.

A measure that is still bad under another key (alone, or together with others) counts as moved there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from metrics.findings import CheckState, Finding
from store.state.open_finding import BAD

LONG = timedelta(minutes=15)
"""Span of a look that stands for the present as a whole; what was bad before it is history."""

PASS, ERROR = CheckState.PASS, CheckState.ERROR
UNJUDGED = frozenset({CheckState.ERROR, CheckState.BLOCKED})
LISTS_KEPT = 4096
"""Lists of names that are kept apart into names; the same few come again in every round."""


class OpenRecord(NamedTuple):
    """What a round must know of a finding that is open."""

    id: int
    rule: str
    channel: str
    source: str
    region: str
    measure: str
    state: str
    start: datetime | None
    end: datetime | None
    bad: int
    expected: int
    last_seen: datetime
    measures: str
    """Those that were bad together, joined by commas, where `measure` names none."""
    held: dict[str, tuple[int, int]]
    """What each of the round's batches has added to it before: bad and expected."""


@dataclass(frozen=True)
class Round:
    """What one round of checks said of one rule in one channel, put in order for the question what is over."""

    passes: dict[tuple[str, str], list[Finding]]
    """By source and measure."""
    bad: dict[tuple[str, str], set[str]]
    """By source and region: the measures that are bad."""
    unjudged: list[Finding]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Round":
        """Put findings in order; those about rows say nothing of figures."""
        made = cls({}, {}, [])
        for finding in findings:
            if finding.about_rows:
                continue
            if finding.state is PASS:
                made.passes.setdefault((finding.source, finding.measure), []).append(finding)
            elif finding.state in UNJUDGED:
                made.unjudged.append(finding)
            if finding.state in BAD and finding.state is not ERROR:
                made.bad.setdefault((finding.source, finding.region), set()).update(measures_of(finding))
        return made

    def ends(self, record: OpenRecord, now: datetime) -> bool:
        """Whether a finding about figures is over, by a round that was begun at `now`."""
        if record.last_seen > now or any(_concerns(finding, record) for finding in self.unjudged):
            return False
        if record.state == ERROR:
            passes = [finding for found in self.passes.values() for finding in found]
            return any(_covers_time(finding, record) or _is_long_after(finding, record) for finding in passes)
        bad = self.bad.get((record.source, record.region), set())
        return all(
            measure in bad
            or any(_settles(finding, record) for finding in self.passes.get((record.source, measure), ()))
            for measure in names_of(record.measures or record.measure)
        )

    def has_seen_right(self, record: OpenRecord) -> bool:
        """Whether passes hold all the intervals in which a finding was bad, for each of its measures."""
        return all(
            any(
                _settles(finding, record) and _covers_time(finding, record)
                for finding in self.passes.get((record.source, measure), ())
            )
            for measure in names_of(record.measures or record.measure)
        )


def over(
    records: Iterable[OpenRecord], said: Mapping[tuple[str, str], Sequence[Finding]], now: datetime
) -> dict[int, bool]:
    """The findings about figures that a round has ended, given what it said by rule and channel.

    By number: whether all that was bad was seen right. The others have become history, and were bad in their time.
    """
    rounds: dict[tuple[str, str], Round] = {}
    ended = {}
    for record in records:
        check = record.rule, record.channel
        if check not in rounds:
            rounds[check] = Round.of(said.get(check, ()))
        if rounds[check].ends(record, now):
            ended[record.id] = rounds[check].has_seen_right(record)
    return ended


@lru_cache(LISTS_KEPT)
def names_of(joined: str) -> frozenset[str]:
    """Names that are joined by commas; '' is one name that is empty."""
    return frozenset(joined.split(","))


def measures_of(finding: Finding) -> frozenset[str]:
    """The measures that a finding is about."""
    return names_of(str(finding.facts.get("measures") or finding.measure))


def _settles(passed: Finding, record: OpenRecord) -> bool:
    """Whether a pass of the finding's source and measure has looked at what was bad."""
    if passed.region not in ("", record.region):
        return False
    clean, unclear = (_named(passed, name, record.region) for name in ("clean", "unclear"))
    if _covers_time(passed, record):
        return not unclear
    return _is_long_after(passed, record) and (clean or (unclear and _begins_after(passed, record)))


def _named(passed: Finding, name: str, region: str) -> bool:
    """Whether a place is among those that a fact of a pass names."""
    named = passed.facts.get(name)
    return named is not None and region in names_of(str(named))


def _covers_time(passed: Finding, record: OpenRecord) -> bool:
    """Whether a pass has looked at all the intervals that were bad."""
    if passed.start is None or passed.end is None:
        return False
    begins = record.start is None or passed.start <= record.start
    return begins and (record.end is None or passed.end >= record.end)


def _is_long_after(passed: Finding, record: OpenRecord) -> bool:
    """Whether a pass stands for the present, which has left what was bad behind."""
    if passed.start is None or passed.end is None or record.end is None:
        return False
    return passed.end - passed.start >= LONG and passed.end >= record.end


def _begins_after(passed: Finding, record: OpenRecord) -> bool:
    """Whether a pass has looked at nothing of the time that was bad."""
    return passed.start is not None and record.end is not None and passed.start >= record.end


def _concerns(unjudged: Finding, record: OpenRecord) -> bool:
    """Whether what could not be judged is, or may be, what a finding is about: '' in it is all of them."""
    measures = names_of(record.measures or record.measure)
    return (
        unjudged.source in ("", record.source)
        and (not record.region or unjudged.region in ("", record.region))
        and ("" in measures or not unjudged.measure or unjudged.measure in measures)
    )
