"""How the sources of an answer stood in its buckets, gathered from state for `data_quality` to judge."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.questions.checking import Checked
from analysis.questions.frames import last_frame
from analysis.questions.plan import Plan
from analysis.questions.stores import Stores
from analysis.questions.sums import Sums, moments
from data_quality.grounds import Grounds, Subject
from data_quality.periods import Periods
from data_quality.sources import Came, SourceStates, judge_sources, overlapped, states_then
from metrics.observations import Interval
from store.state.past import Stretches

REMEMBERED = timedelta(days=30)
"""No batch is remembered for longer."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Standing:
    """How the sources stood."""

    grounds: Grounds
    """Of the one figure that is asked for."""
    states: SourceStates
    came: Mapping[str, Mask]
    """By channel: the buckets of which anything came."""
    data_at: datetime | None
    """Up to when all of its sources that ever came have been read."""


def standing_of(stores: Stores, asked: Plan, sums: Sums) -> Standing:
    """Ask state how the sources stood; for `as_known_at`, as it was known then."""
    checked, known_at, past = asked.checked, asked.question.as_known_at, stores.state.past
    grounds = stores.grounds.about({checked.subject: Subject.of(checked.metric, checked.reading)})
    periods, read = Periods.of(moments(sums.buckets)), _read(checked, sums)
    covered = _in_seconds(past.covered(asked.question.span, checked.channels, known_at))
    first = past.asked()
    came = Came(covered, first, min(first.values(), default=None), read)
    sources = _sources(stores, grounds, known_at)
    states = states_then(sources, came, periods, grounds, known_at or stores.clock())
    there = dict(read)
    for (channel, _), stretches in covered.items():
        there[channel] = there[channel] | overlapped(stretches, periods)
    return Standing(grounds, states, there, _data_at(sources, checked, grounds))


def _read(checked: Checked, sums: Sums) -> dict[str, Mask]:
    """By channel: the buckets in which the store holds anything."""
    buckets, channel = sums.rows["bucket"].to_numpy(np.int64), sums.rows["channel"].to_numpy()
    return {name: np.bincount(buckets[channel == name], minlength=len(sums.buckets)) > 0 for name in checked.channels}


def _in_seconds(covered: Stretches) -> dict[tuple[str, str], tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    edges = {key: np.array([[edge.timestamp() for edge in both] for both in own]) for key, own in covered.items()}
    return {key: (own[:, 0].astype(np.int64), own[:, 1].astype(np.int64)) for key, own in edges.items()}


def _sources(stores: Stores, grounds: Grounds, known_at: datetime | None) -> pd.DataFrame:
    """The states of the sources now, or as they were known at an instant."""
    known = stores.state.progress.sources()
    if known_at is not None:
        lately = Interval(known_at - REMEMBERED, known_at)
        covered = stores.state.past.covered(lately, tuple(stores.catalogue.channels), known_at)
        known = {
            key: replace(status, last_success=None, covered_until=covered[key][-1][1] if key in covered else None)
            for key, status in known.items()
        }
    return judge_sources(last_frame(stores.catalogue, known), grounds, known_at or stores.clock())


def _data_at(sources: pd.DataFrame, checked: Checked, grounds: Grounds) -> datetime | None:
    counted = {key for key, rests in zip(grounds.sources, grounds.rests[0], strict=True) if rests}
    own = [
        until.to_pydatetime()
        for channel, source, until in zip(sources["channel"], sources["source"], sources["covered_until"], strict=True)
        if channel in checked.channels and (channel, source) in counted and not pd.isna(until)
    ]
    return min(own, default=None)
