"""TM-01..05: figures come when they are due, by clocks that agree."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from data_quality.grid.schedule import NEVER
from data_quality.registry import Dimension, Records, Sight, Stage, Verdict, rule

Mask = npt.NDArray[np.bool_]
Seconds = npt.NDArray[np.int64]


@rule("TM-01", dimension=Dimension.TIMELINESS, stage=Stage.ARRIVAL, limits=("share",))
def batches_are_on_time(sight: Sight) -> Iterator[Verdict]:
    """Batches come by the deadline of the metrics on them; what people fill in, always."""
    schedule = sight.grid.schedule
    late, judged = _lateness(sight)
    allowed = np.where(schedule.manual, 0.0, 1.0 - sight.limit("share"))
    yield from _late(sight, judged, late > 0, late, allowed)


@rule("TM-02", dimension=Dimension.TIMELINESS, stage=Stage.ARRIVAL, limits=("late_s", "quantile"))
def lateness_is_short(sight: Sight) -> Iterator[Verdict]:
    """The 95th percentile of lateness is at most 15 minutes: no more than one batch in twenty is later."""
    late, judged = _lateness(sight)
    allowed = np.full(len(late), 1.0 - sight.limit("quantile"))
    yield from _late(sight, judged, late > sight.limit("late_s"), late, allowed)


def _lateness(sight: Sight) -> tuple[Seconds, Mask]:
    """Seconds after the deadline by (sender, interval), and where a batch was expected."""
    schedule = sight.grid.schedule
    deadline = schedule.ends[None, :] + schedule.deadline_s[:, None]
    return np.where(schedule.covered, schedule.first_came, deadline) - deadline, schedule.expected


def _late(sight: Sight, judged: Mask, bad: Mask, late: Seconds, allowed: npt.NDArray[np.float64]) -> Iterator[Verdict]:
    """What has not come at all is CP-01's; here it is blocked."""
    if judged.any():
        absent = judged & ~sight.grid.schedule.covered
        bad = (bad & judged)[:, None, :]
        shown = {"late_s": late[:, None, :]}
        yield Verdict(
            sight.grid.sender_labels, judged[:, None, :], bad, absent[:, None, :],
            allowed=allowed, shown=shown, placeless=True,
        )  # fmt: skip


@rule("TM-03", dimension=Dimension.TIMELINESS, stage=Stage.ARRIVAL, limits=("intervals",))
def sources_are_not_stale(sight: Sight) -> Iterator[Verdict]:
    """The newest figure is at most two intervals overdue.

    Silent about ranges that ended long ago, and about those too short to hold the newest figure that is still in time.
    """
    schedule = sight.grid.schedule
    now = int(sight.evidence.now.timestamp())
    poll = np.array([max(schedule.step, one.source.poll_s if one.source else 0) for one in schedule.senders])
    bound = schedule.deadline_s + sight.limit("intervals") * poll
    newest = np.where(schedule.covered, schedule.ends[None, :], NEVER * -1).max(axis=1)
    known_since = np.maximum(newest, schedule.asked)
    judged = (schedule.starts[0] <= now - bound) & (schedule.ends[-1] + bound >= now) & (now - schedule.asked > bound)
    age = now - known_since
    if judged.any():
        yield _at_the_end(sight, judged, judged & (age > bound), {"age_s": age})


@rule("TM-04", dimension=Dimension.TIMELINESS, stage=Stage.ARRIVAL, limits=("skew_s",), records=Records.REFUSED)
def nothing_comes_from_the_future(sight: Sight) -> Iterator[Verdict]:
    """No figure begins, and no batch ends, later than the moment it came plus the skew that clocks may have.

    No record was refused because its time lies in the future.
    """
    rows, came = sight.grid.rows, sight.grid.schedule.came
    number = len(sight.grid.sender_labels)
    judged = sight.grid.rows_by_sender + np.bincount(came.source[came.ok], minlength=number)
    if not judged.any():
        return
    early = np.flatnonzero(rows.ahead_s > sight.limit("skew_s"))
    hasty = np.flatnonzero(came.ok & (came.end - came.fetched_at > sight.limit("skew_s")))
    sender = np.append(rows.sender(early), came.source[hasty])
    worst = np.zeros(number, np.int64)
    np.maximum.at(worst, sender, np.append(rows.ahead_s[early], (came.end - came.fetched_at)[hasty]))
    yield _at_the_end(sight, judged, np.bincount(sender, minlength=number), {"ahead_s": worst})


@rule("TM-05", dimension=Dimension.TIMELINESS, stage=Stage.KEY)
def no_interval_is_counted_twice(sight: Sight) -> Iterator[Verdict]:
    """A key comes once an interval: not twice, nor once more a little beside the interval's boundary."""
    grid, rows = sight.grid, sight.grid.rows
    if not grid.filled.any():
        return
    several = np.append(grid.parts + grid.totals_given > 1, False)
    shared = np.flatnonzero(several[rows.cell])
    key = (rows.cell[shared] * (len(rows.dimension_keys) + 1) + rows.dimension[shared]) * 2 + rows.reported[shared]
    ordered = np.sort(key)
    bad = grid.holding(shared[np.isin(key, ordered[1:][ordered[1:] == ordered[:-1]])])
    yield Verdict(grid.labels, grid.filled, bad, sight.spoiled & grid.filled, spoils=bad)


def _at_the_end(sight: Sight, judged: Mask | Seconds, bad: Mask | Seconds, shown: dict[str, Seconds]) -> Verdict:
    """A verdict about senders that has one time only: the last interval of the range."""
    labels = sight.grid.sender_labels
    cells = [np.zeros((len(labels), 1, sight.grid.shape[2]), np.int64) for _ in range(2)]
    cells[0][:, 0, -1], cells[1][:, 0, -1] = judged, bad
    columns = {name: values[:, None, None] for name, values in shown.items()}
    return Verdict(labels, cells[0], cells[1], shown=columns, placeless=True)
