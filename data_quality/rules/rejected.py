"""Records that a collector had to refuse, as the verdict of the rule that they broke."""

from collections.abc import Iterator

import numpy as np

from data_quality.registry import Row, Sight, Verdict
from data_quality.row_rules import reject_row


def none_rejected(sight: Sight) -> Iterator[Verdict]:
    """Of the records read, those refused under this rule; silent when no record was read."""
    read = sight.grid.schedule.read
    if not read.any():
        return
    rows = _refused(sight)
    judged = np.zeros((len(read), 1, sight.grid.shape[2]), np.int64)
    bad = judged.copy()
    bad[:, 0, -1] = [len(rows.get(at, ())) for at in range(len(read))]
    judged[:, 0, -1] = np.maximum(read, bad[:, 0, -1])
    yield Verdict(sight.grid.source_labels, judged, bad, rows=rows)


def _refused(sight: Sight) -> dict[int, tuple[Row, ...]]:
    """The records refused under the sight's rule, by source."""
    refused, channel = sight.evidence.refused, sight.grid.channel
    keys = ((at, (channel.id, source.id, sight.rule)) for at, source in enumerate(channel.sources))
    return {at: tuple(reject_row(*line) for line in refused[key]) for at, key in keys if key in refused}
