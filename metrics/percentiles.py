"""Percentiles from counts by band, which add up; percentiles themselves never do.

Places and intervals merge by adding their counts; only then is the percentile read off. The average
of two percentiles is not a percentile of anything. The bands are those of DDSketch (Masson, Rim, Lee,
VLDB 2019): each is wider than the one below by the same factor, so the error is a share of the value.
"""

import math
from collections.abc import Mapping
from functools import cache

import numpy as np
from ddsketch import DDSketch, LogarithmicMapping

DIGITS = 4
"""A band's name has so many: few enough to read, enough to lie inside the finest band that is allowed."""


def band_of(value: float, accuracy: float) -> str:
    """The band of a finite value, named by the number that stands for it: no further from any in it than `accuracy`."""
    bands = _bands(accuracy)
    if abs(value) <= bands.min_possible:
        return "0"
    middle = math.copysign(bands.value(bands.key(abs(value))), value)
    return np.format_float_positional(middle, precision=DIGITS, fractional=False, trim="-")


def percentile(counts: Mapping[str, float], share: float, accuracy: float) -> float | None:
    """The value at or below which a share (0-1) of the cases lies, to within `accuracy` of it; None without cases.

    Names that are no number, which a source of its own making may send, are not looked at.
    """
    sketch = DDSketch(accuracy)
    for band, count in ranked(counts).items():
        sketch.add(float(band), count)
    found = sketch.get_quantile_value(share)
    return None if found is None else float(found)


def ranked(counts: Mapping[str, float]) -> dict[str, float]:
    """The counts that a percentile stands on: those of cases whose band is a number."""
    return {band: count for band, count in counts.items() if count > 0 and _is_number(band)}


def _is_number(band: str) -> bool:
    try:
        return math.isfinite(float(band))
    except ValueError:
        return False


@cache
def _bands(accuracy: float) -> LogarithmicMapping:
    return LogarithmicMapping(accuracy)
