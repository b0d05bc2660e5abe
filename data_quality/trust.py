"""How far a figure can be relied on: one judgement, for what the screens show and for answers about the past.

A figure is as good as the worst of what it rests on: absent > doubtful > stale > provisional > sound. In this order,
so that the same figure has the same reason wherever it is shown:

1. its sources, as they stand in its period (`sources.py`);
2. findings about its measures, its place and its period (`doubts.py`);
3. intervals of its period that never came, and that no finding has named;
4. contacts that have not ended yet;
5. that nothing was read at all.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_quality.doubts import Sheet, doubts
from data_quality.grounds import Grounds
from data_quality.sources import SourceStates
from metrics.readings import Trust

Codes = npt.NDArray[np.int64]
Ranks = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]


def judge(figures: pd.DataFrame, states: SourceStates, findings: pd.DataFrame, grounds: Grounds) -> pd.DataFrame:
    """The figures with `trust` and `reason` (both category), in the order given.

    `figures` has metric (a subject of the grounds), region, channel ('' is all) and n, which is NaN where nothing was
    read; where it is known `period` (the place of its period in that of the states, else the first), `open_share`
    (contacts whose end is not known, as a share), and `start` and `end` (NaT: its contacts have mostly ended).
    `findings`: FINDINGS's columns, with what `Periods.met` reads.
    """
    judgement = _Judgement(figures, states, grounds)
    judgement.by_sources()
    judgement.by_findings(findings)
    judgement.by_gaps()
    judgement.by_open_contacts()
    judgement.by_nothing_read()
    return judgement.judged()


class _Judgement:
    """Figures under judgement: the rank of each one's trust, and where its reason stands."""

    def __init__(self, figures: pd.DataFrame, states: SourceStates, grounds: Grounds) -> None:
        self.figures, self.states, self.grounds = figures, states, grounds
        self.regions = tuple(figures["region"].astype("category").cat.categories)
        self.metric = _codes(figures["metric"], tuple(grounds.subjects))
        self.channel = _codes(figures["channel"], grounds.channels)
        self.region = _codes(figures["region"], self.regions)
        self.period = figures["period"].to_numpy(np.int64) if "period" in figures else np.zeros(len(figures), np.int64)
        self.level, self.why = np.zeros(len(figures), np.int8), np.zeros(len(figures), np.int64)
        self.reasons = [""]

    def by_sources(self) -> None:
        """What the sources' states say."""
        rank, why = of_sources(self.states, self.grounds)
        self._take(rank, why, [*self.states.reasons, *_of_channels(self.grounds)])

    def by_findings(self, findings: pd.DataFrame) -> None:
        """What findings say."""
        found = doubts(findings, Sheet(self.grounds, self.regions, self.states.periods))
        doubt = found.table[self.channel, self.metric, self.period, self.region]
        self._lower(doubt < len(found.reasons), Trust.DOUBTFUL, doubt.astype(np.int64), found.reasons)

    def by_gaps(self) -> None:
        """What never came of a period."""
        if not self.states.lacking.any():
            return
        lacking = np.einsum("ms,cs,sp->mcp", self.grounds.rests, self.grounds.of_channel, self.states.lacking)
        counted = lacking & self.grounds.whole[:, :, None]
        own = np.broadcast_to(np.arange(lacking.shape[1])[:, None], lacking.shape)
        why = np.concatenate([own, counted.argmax(axis=1)[:, None]], axis=1)
        where = np.concatenate([lacking, counted.any(axis=1)[:, None]], axis=1)
        cells = (self.metric, self.channel, self.period)
        reasons = [f"trust.part_missing|{channel}" for channel in self.grounds.catalogue.channels]
        self._lower(where[cells], Trust.DOUBTFUL, why[cells], reasons)

    def by_open_contacts(self) -> None:
        """What contacts that have not ended may still change, of figures that count contacts where they arrived.

        Of a span that reaches beyond what has settled, that is the part that does.
        """
        share = np.zeros(len(self.figures))
        if "open_share" in self.figures:
            share = np.nan_to_num(self.figures["open_share"].to_numpy(np.float64))
        if "start" in self.figures:
            share = np.maximum(share, self._unsettled())
        still_open = (share > self.grounds.catalogue.rules.trust["provisional_share"]) & self.grounds.cohort[
            self.metric
        ]
        self._lower(still_open, Trust.PROVISIONAL, np.zeros(len(share), np.int64), ["trust.cohort_open"])

    def by_nothing_read(self) -> None:
        """What was not read."""
        unread = np.isnan(self.figures["n"].to_numpy(np.float64))
        reasons = [f"trust.nothing_read|{subject.metric}" for subject in self.grounds.subjects.values()]
        self._lower(unread, Trust.ABSENT, self.metric, reasons)

    def judged(self) -> pd.DataFrame:
        """The figures with their trust."""
        trust = pd.Categorical.from_codes(self.level, [trust.value for trust in Trust])
        return self.figures.assign(trust=trust, reason=_category(self.why, self.reasons))

    def _unsettled(self) -> npt.NDArray[np.float64]:
        """The part of each figure's span in which contacts may still be open."""
        settled = _settled(self.states, self.grounds)[self.metric, self.channel]
        start, end = (_seconds(self.figures[name]) for name in ("start", "end"))
        part = np.divide(end - settled, end - start, out=np.zeros_like(end), where=end > start)
        clipped: npt.NDArray[np.float64] = np.clip(np.nan_to_num(part, nan=0.0), 0.0, 1.0)
        return clipped

    def _take(self, rank: Ranks, why: Codes, reasons: Sequence[str]) -> None:
        cells = (self.metric, self.channel, self.period)
        self.level, self.why, self.reasons = rank[cells], why[cells], list(reasons)

    def _lower(self, where: Mask, trust: Trust, why: Codes, reasons: Sequence[str]) -> None:
        """Lower the trust where it is better than this, with the reason."""
        worse = where & (self.level < trust.rank)
        self.level[worse] = trust.rank
        self.why[worse] = why[worse] + len(self.reasons)
        self.reasons += reasons


def of_sources(states: SourceStates, grounds: Grounds) -> tuple[Ranks, Codes]:
    """(figure, channel, period): rank of the trust that the sources leave, and its reason.

    The last channel is all of them. Reasons are those of the states, and behind them those of `_of_channels`.
    """
    resting = grounds.rests[:, None, :] & grounds.of_channel[None]
    rank, why = _worst(states, resting)
    number, (figures, channels) = len(states.reasons), rank.shape[:2]
    never = ~resting.any(axis=2)
    rank[never] = Trust.ABSENT.rank
    why[never] = (number + np.broadcast_to(np.arange(channels), (figures, channels))[never])[:, None]
    every_rank, every_why = _together(rank, why, grounds, number)
    return np.concatenate([rank, every_rank[:, None]], axis=1), np.concatenate([why, every_why[:, None]], axis=1)


def _of_channels(grounds: Grounds) -> list[str]:
    """Reasons: a channel never came, a channel is missing from the whole, nothing ever came of a figure."""
    channels, subjects = grounds.catalogue.channels, grounds.subjects.values()
    return [
        *(f"trust.source_absent|{channel}" for channel in channels),
        *(f"trust.channel_missing|{channel}" for channel in channels),
        *(f"trust.source_absent|{subject.metric}" for subject in subjects),
    ]


def _worst(states: SourceStates, resting: Mask) -> tuple[Ranks, Codes]:
    """(figure, channel, period): the worst of the sources that count, the first of those as bad."""
    rank = np.where(resting[..., None], states.rank[None, None], np.int8(-1))
    worst = rank.argmax(axis=2)
    why = states.why[worst, np.arange(states.why.shape[1])]
    return np.take_along_axis(rank, worst[:, :, None], axis=2)[:, :, 0], why


def _together(rank: Ranks, why: Codes, grounds: Grounds, number: int) -> tuple[Ranks, Codes]:
    """(figure, period) over the channels that know the whole figure.

    Absent when every one is, doubtful when one of several is missing, else the worst.
    """
    figures, channels = rank.shape[:2]
    joined = np.broadcast_to(grounds.whole[:, :, None], rank.shape)
    gone = joined & (rank == Trust.ABSENT.rank)
    there = np.where(joined & ~gone, rank, np.int8(-1))
    worst = there.argmax(axis=1)
    level = np.take_along_axis(there, worst[:, None], axis=1)[:, 0]
    reason = np.take_along_axis(why, worst[:, None], axis=1)[:, 0]
    missing = gone.any(axis=1) & (level <= Trust.DOUBTFUL.rank)
    level = np.where(missing, Trust.DOUBTFUL.rank, level)
    reason = np.where(missing, number + channels + gone.argmax(axis=1), reason)
    nowhere = (there < 0).all(axis=1)
    level = np.where(nowhere, Trust.ABSENT.rank, level)
    return level, np.where(nowhere, number + 2 * channels + np.arange(figures)[:, None], reason)


def _settled(states: SourceStates, grounds: Grounds) -> npt.NDArray[np.float64]:
    """(figure, channel): seconds since 1970 up to which all that it rests on has settled; NaN for none."""
    resting = grounds.rests[:, None, :] & grounds.of_channel[None] & ~np.isnan(states.settled)
    own = np.where(resting, states.settled, np.inf).min(axis=2)
    every = np.where(grounds.whole, own, np.inf).min(axis=1)
    found = np.concatenate([own, every[:, None]], axis=1)
    return np.where(np.isinf(found), np.nan, found)


def _seconds(column: pd.Series) -> npt.NDArray[np.float64]:
    """Seconds since 1970 of a column of aware times; NaN for none."""
    seconds: npt.NDArray[np.float64] = column.dt.as_unit("s").astype("int64").to_numpy().astype(np.float64)
    seconds[column.isna().to_numpy()] = np.nan
    return seconds


def _codes(column: pd.Series, names: Sequence[str]) -> Codes:
    """A column of known names as their places."""
    coded, index = column.astype("category").cat, {name: at for at, name in enumerate(names)}
    table = np.array([index[name] for name in coded.categories], np.int64)
    return table[coded.codes.to_numpy()] if len(table) else np.zeros(0, np.int64)


def _category(codes: Codes, names: Sequence[str]) -> pd.Categorical:
    """Codes into names that may repeat, as a category."""
    index: dict[str, int] = {}
    table = np.array([index.setdefault(name, len(index)) for name in names], np.int64)
    return pd.Categorical.from_codes(table[codes], list(index))
