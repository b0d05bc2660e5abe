"""What is said of one reading, wherever it stands: its target, change, sample, age, and that there is none."""

from datetime import datetime
from typing import Any

from config.catalogue import Catalogue, Metric
from dashboards.panels.target_scale import judged
from metrics.proportions import wilson_interval
from metrics.readings import Reading, State, Trust
from wording.words import DASH, Words


def chosen(catalogue: Catalogue, names: tuple[str, ...]) -> list[Metric]:
    """Those of the named metrics that this catalogue has, in this order."""
    return [catalogue.metrics[name] for name in names if name in catalogue.metrics]


def target(metric: Metric, words: Words) -> str:
    """What a metric should be, with its direction."""
    if metric.band is not None:
        low, high = (words.limit(metric, edge) for edge in metric.band)
        return words("target.band", low=low, high=high)
    if metric.target is None:
        return words("target.none")
    return words(f"target.{metric.better}", value=words.limit(metric, metric.target))


def absent(metric: Metric) -> Reading:
    """What stands where the snapshot has no reading: nobody delivers the figure there."""
    return Reading(
        metric.id, "", "", "", None, None, None, 0.0, None, None, State.NO_VALUE, Trust.ABSENT, "tile.not_delivered"
    )


def sample(metric: Metric, reading: Reading, words: Words) -> str:
    """How many cases a quotient stands on; for a survey also the interval in which the share of all may lie (95 %)."""
    if metric.formula.denominator is None or not reading.n:
        return ""
    if not metric.survey or reading.numerator is None:
        return words("tile.n", n=words.count(reading.n))
    bounds = wilson_interval(reading.numerator, reading.n)
    low, high = (words.limit(metric, bound) for bound in bounds or (0.0, 1.0))
    return words("tile.n_interval", n=words.count(reading.n), low=low, high=high)


def change(metric: Metric, reading: Reading, words: Words) -> dict[str, Any]:
    """How the figure moved against the period before, and whether for the better, in words that need no colour.

    A change of which no digit shows is none.
    """
    moved = words.difference(metric, reading.value, reading.previous)
    if moved == DASH:
        return {".change": "", ".verb": "", ".verb@data-judged": None}
    verdict = judged(metric, reading)
    if verdict != "neutral" and not set("123456789") & set(moved):
        verdict = "same"
    verb = "" if verdict == "neutral" else words(f"change.{verdict}")
    return {".change": moved, ".verb": verb, ".verb@data-judged": verdict}


def is_late(metric: Metric, reading: Reading, now: datetime, catalogue: Catalogue) -> bool:
    """Whether a figure is older than its data rule lets it be, so that its age has to stand beside it.

    Contacts that have not ended yet are waited for: a channel's figures reach as far as they have settled,
    those of all channels as far as the slowest.
    """
    if reading.at is None:
        return False
    channels = catalogue.channels
    settle = [channels[reading.channel]] if reading.channel in channels else channels.values()
    allowed = metric.data_rule.frequency_s + metric.data_rule.deadline_s
    allowed += max((channel.settle_s for channel in settle), default=0)
    return reading.trust is Trust.STALE or (now - reading.at).total_seconds() > allowed


def time_of(metric: Metric, reading: Reading, now: datetime, words: Words) -> str:
    """The time of the data: on the clock while it is in time, as an age once it is late."""
    late = is_late(metric, reading, now, words.catalogue)
    return words.age(reading.at, now) if late else words.clock(reading.at, now)
