"""Where a value stands against its target, on one scale for every metric: bars, maps and colours read it.

0 to 1/3 is critical, 1/3 to 2/3 warning, 2/3 to 1 good, so that better is to the right whichever
direction the metric counts in. Between the limits the scale is even; beyond them it ends at twice their
distance, because a bar has an end. A metric with no warning line is never critical, as in `metrics/states.py`.
"""

from config.catalogue import Metric
from metrics.readings import Reading

THIRD = 1 / 3
STEP = 0.45


def target_position(metric: Metric, value: float | None) -> float | None:
    """Place of a value between 0 and 1; None without a value or without a target."""
    if value is None:
        return None
    if metric.band is not None:
        return _in_band(value, *metric.band)
    if metric.target is None:
        return None
    line = 0.9 * metric.target if metric.warning is None else metric.warning
    gap = abs(line - metric.target) or 1.0
    ahead = (value - metric.target) * (-1 if metric.better == "down" else 1) / gap
    if ahead >= 0:
        return 2 * THIRD + min(1.0, ahead / 2) * THIRD
    if ahead >= -1:
        return 2 * THIRD + ahead * THIRD
    return THIRD if metric.warning is None else max(0.0, THIRD + (ahead + 1) / 2 * THIRD)


def shade(metric: Metric, value: float | None) -> float | None:
    """The same for a colour that diverges around the target: -1 worst, 1 best.

    There is a step at the target, because to reach it and to miss it by a hair are not the same.
    """
    place = target_position(metric, value)
    if place is None:
        return None
    if place >= 2 * THIRD:
        return round(STEP + (1 - STEP) * (3 * place - 2), 3)
    return round(-STEP - (1 - STEP) * (1 - 1.5 * place), 3)


def judged(metric: Metric, reading: Reading) -> str:
    """Whether a figure moved for the better: better / worse / same, or neutral where no direction is better."""
    now, before = reading.value, reading.previous
    if now is None or before is None or metric.better == "none":
        return "neutral"
    if metric.better == "band":
        now, before = target_position(metric, now) or 0.0, target_position(metric, before) or 0.0
    gain = (now - before) * (-1 if metric.better == "down" else 1)
    return "same" if gain == 0 else "better" if gain > 0 else "worse"


def _in_band(value: float, low: float, high: float) -> float:
    half = (high - low) / 2
    inside = 1 - abs(value - (low + high) / 2) / half
    if inside >= 0:
        return 2 * THIRD + inside * THIRD
    return max(THIRD, 2 * THIRD + inside * THIRD)
