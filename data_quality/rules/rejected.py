"""Records that a collector had to refuse, as the verdict of the rule that they broke."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from data_quality.registry import Row, Sight, Verdict
from data_quality.row_rules import reject_row

Counts = npt.NDArray[np.int64]


def none_rejected(sight: Sight) -> Iterator[Verdict]:
    """Of the records read, those refused under this rule; silent when no record was read."""
    read = records_read(sight)
    if not read.any():
        return
    rows = _refused(sight)
    judged = np.zeros((len(read), 1, sight.grid.shape[2]), np.int64)
    bad = judged.copy()
    bad[:, 0, -1] = [len(rows.get(at, ())) for at in range(len(read))]
    judged[:, 0, -1] = np.maximum(read, bad[:, 0, -1])
    yield Verdict(sight.source_labels, judged, bad, rows=rows)


def records_read(sight: Sight) -> Counts:
    """Number of records that readable batches of each source hold in the range."""
    schedule, came = sight.grid.schedule, sight.grid.schedule.came
    inside = (came.end > schedule.starts[0]) & (came.start < schedule.ends[-1]) & came.ok & (came.source >= 0)
    totals = np.bincount(came.source[inside], came.read[inside], len(sight.source_labels))
    return totals.astype(np.int64)


def _refused(sight: Sight) -> dict[int, tuple[Row, ...]]:
    """The records refused under the sight's rule, by source."""
    rejects = sight.evidence.rejects
    if rejects.empty:
        return {}
    own = rejects[(rejects["channel"] == sight.grid.channel.id) & (rejects["rule"] == sight.rule)]
    return {
        at: tuple(reject_row(*line) for line in part[["line", "column", "code", "value"]].itertuples(index=False))
        for at, label in enumerate(sight.source_labels)
        if len(part := own[own["source"] == label.source])
    }
