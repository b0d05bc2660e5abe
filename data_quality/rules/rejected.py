"""Records that a collector had to refuse, as the verdict of the rule that they broke."""

from collections.abc import Iterator

import numpy as np

from data_quality.registry import Row, Sight, Verdict
from data_quality.row_rules import reject_row


def none_rejected(sight: Sight) -> Iterator[Verdict]:
    """Of the records read, those refused under this rule; silent of sources of which no record was read."""
    grid, rows = sight.grid, _refused(sight)
    judged = np.zeros((len(grid.sender_labels), 1, grid.shape[2]), np.int64)
    bad = judged.copy()
    bad[list(rows), 0, -1] = [len(own) for own in rows.values()]
    judged[:, 0, -1] = np.maximum(grid.schedule.read, bad[:, 0, -1])
    if judged.any():
        yield Verdict(grid.sender_labels, judged, bad, rows=rows)


def _refused(sight: Sight) -> dict[int, tuple[Row, ...]]:
    """The records refused under the sight's rule, by sender."""
    refused = sight.evidence.refused
    keys = ((at, (*sender.key, sight.rule)) for at, sender in enumerate(sight.grid.schedule.senders))
    return {at: tuple(reject_row(*line) for line in refused[key]) for at, key in keys if key in refused}
