"""How far the figures of an answer can be relied on: what state remembers, laid before the judgement of `data_quality`.

It is the judgement of the screens, so that the same figure has the same trust, and the same reason, wherever it stands.
"""

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.questions.cells import Groups
from analysis.questions.checking import BELOW
from analysis.questions.frames import finding_frame
from analysis.questions.plan import Plan
from analysis.questions.question import CHANNEL
from analysis.questions.standing import Standing
from analysis.questions.stores import Stores
from analysis.questions.sums import Sums, positioned
from data_quality.trust import judge
from metrics.arithmetic import Figures
from metrics.intervals import STEPS_S
from metrics.observations import Interval
from store.facts.history import SumQuery
from store.state.findings import SEVERITIES

OPEN_FOR = timedelta(days=2)
"""Contacts of older spans have ended long ago: how many still wait is not asked."""
COUNTED = ("waiting", "offered")
"""Contacts whose end is not known yet, and all of them."""


def trusted(
    stores: Stores, asked: Plan, sums: Sums, groups: Groups, figures: Figures, standing: Standing
) -> tuple[list[str], list[str]]:
    """Trust and reason of the figures by (bucket, group)."""
    checked, buckets = asked.checked, len(sums.buckets)
    regions, channels = groups.regions(checked), groups.channels(checked)
    frame = pd.DataFrame(
        {
            "metric": pd.Categorical([checked.subject] * len(figures.n)),
            "region": pd.Categorical(regions * buckets),
            "channel": pd.Categorical(channels * buckets),
            "period": np.repeat(np.arange(buckets), len(groups)),
            "n": figures.n,
            "open_share": _open_share(stores, asked, sums, groups),
            **{name: _edges(sums, name).repeat(len(groups)) for name in ("start", "end")},
        }
    )
    judged = judge(frame, standing.states, _findings(stores, asked, standing), standing.grounds)
    return judged["trust"].astype(str).to_list(), judged["reason"].astype(str).to_list()


def _edges(sums: Sums, name: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([getattr(span, name) for span in sums.buckets]).as_unit("s")


def _findings(stores: Stores, asked: Plan, standing: Standing) -> pd.DataFrame:
    """What was found about the span, and what is open now of the channels of which the span holds the newest figures.

    What is open is about the newest figures, whenever it began, as it is on the screens; so in those it is counted
    once. What is closed is about the time in which it was wrong.
    """
    known_at, every = asked.question.as_known_at, len(standing.states.periods)
    newest = _newest(standing) if known_at is None else {}
    about = stores.state.past.findings(asked.question.span, known_at)
    going_on = [one for one in stores.state.findings.open() if newest.get(one.channel, every) < every]
    rows = [(one, 0, newest.get(one.channel, every) if one.closed_at is None else every, True) for one in about]
    rows += [(one, newest[one.channel], every, False) for one in going_on]
    rows.sort(key=lambda row: (SEVERITIES.index(row[0].severity), row[0].first_seen, row[0].id))
    frame = finding_frame([finding for finding, *_ in rows])
    for name in ("start", "end"):
        moments = [getattr(finding, name) if bound else None for finding, _, _, bound in rows]
        frame[name] = pd.Series(pd.to_datetime(moments, utc=True), dtype="datetime64[s, UTC]")
    return frame.assign(since=[row[1] for row in rows], until=[row[2] for row in rows])


def _newest(standing: Standing) -> dict[str, int]:
    """By channel: the first bucket that is the newest of any of its sources."""
    found: dict[str, int] = {}
    for (channel, _), present in zip(standing.grounds.sources, standing.states.present, strict=True):
        first = int(present.argmax()) if present.any() else len(present)
        found[channel] = min(found.get(channel, len(present)), first)
    return found


def _open_share(stores: Stores, asked: Plan, sums: Sums, groups: Groups) -> npt.NDArray[np.float64]:
    """By (bucket, group): contacts whose end is not known, as a share of all that were offered at that place.

    As on the screens: of the group's channel, or of all channels together; dimensions make no difference.
    """
    checked, question = asked.checked, asked.question
    shares, since = np.zeros((len(sums.buckets), len(groups))), stores.clock() - OPEN_FOR
    first = next((at for at, span in enumerate(sums.buckets) if span.end > since), None)
    if (
        first is None
        or checked.metric.attribution != "arrival_cohort"
        or not set(COUNTED) <= stores.catalogue.measures.keys()
    ):
        return shares.reshape(-1)
    keys = [key for key in checked.keys if key == CHANNEL or key in BELOW.values()]
    query = SumQuery(
        COUNTED,
        Interval(sums.buckets[first].start, question.span.end),
        by="day" if question.grain == "day" else STEPS_S.get(question.grain),
        group=tuple(keys),
        within=question.place,
        channels=(question.channel,) if question.channel else None,
        as_known_at=question.as_known_at,
    )
    found = positioned(stores.history.totals(query), sums.buckets, question.grain)
    held = groups.frame[keys].drop_duplicates()
    known, own = _positions(held, groups.frame[keys]), _positions(held, found[keys])
    counts = np.zeros((len(COUNTED), len(sums.buckets), max(1, len(held))))
    measure = pd.Index(COUNTED).get_indexer(found["measure"])
    kept = own >= 0
    counts[measure[kept], found["bucket"].to_numpy(np.int64)[kept], own[kept]] = found["value"].to_numpy()[kept]
    waiting, offered = counts[:, :, known].reshape(len(COUNTED), -1)
    share: npt.NDArray[np.float64] = np.divide(waiting, offered, out=np.zeros_like(offered), where=offered > 0)
    return share


def _positions(held: pd.DataFrame, keys: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Where rows of keys are among those held; -1 for those that are not."""
    if not len(held.columns):
        return np.zeros(len(keys), np.int64)
    index = pd.MultiIndex.from_frame(held)
    found: npt.NDArray[np.int64] = index.get_indexer(pd.MultiIndex.from_frame(keys.astype("str"))).astype(np.int64)
    return found
