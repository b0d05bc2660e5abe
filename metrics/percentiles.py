"""Percentiles from bucket counts, which add up; percentiles themselves never do.

Places and intervals merge by adding their counts; only then is the percentile read off. The average
of two percentiles is not a percentile of anything.
"""

from collections.abc import Sequence

import numpy as np

from metrics.formula import Floats


def bucket_counts(values: Floats, edges: Sequence[float]) -> Floats:
    """How many values fall into each half-open bucket [edge, next edge); raises ValueError for one outside them."""
    at = np.searchsorted(edges, values, side="right") - 1
    if ((at < 0) | (at >= len(edges) - 1)).any():
        raise ValueError(f"a value lies outside the buckets {edges[0]} to {edges[-1]}")
    return np.bincount(at, minlength=len(edges) - 1).astype(np.float64)


def percentile(counts: Floats, edges: Sequence[float], share: float) -> float | None:
    """The value below which that share (0-1) of the cases lies, to within its bucket; None without cases.

    Cases are taken as evenly spread inside a bucket; an open last bucket (edge inf) gives its lower edge.
    """
    if len(edges) != len(counts) + 1:
        raise ValueError(f"{len(counts)} counts need {len(counts) + 1} edges, not {len(edges)}")
    reached = np.cumsum(counts)
    if not reached[-1]:
        return None
    wanted = share * reached[-1]
    at = int(np.argmax((reached >= wanted) & (counts > 0)))
    low, high = edges[at], edges[at + 1]
    if np.isinf(high):
        return float(low)
    return float(high - (high - low) * (reached[at] - wanted) / counts[at])
