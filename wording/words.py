"""Every text and every number that reaches a screen: look-up in the catalogue's words, and all formatting.

Inside the program are seconds, ratios 0-1 and UTC; here, and nowhere else, they become what people
read, in one of the two languages and in the zone of the reporting day.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from config.catalogue import Catalogue, Metric, Text
from metrics.observations import NaiveTime

DASH = "--"
"""What stands where there is no value: 0/0, not delivered, not received."""

MINUS = "\u2212"
STEPS = {
    "zh": ((1e8, "unit.1e8", 2), (1e4, "unit.1e4", 2)),
    "en": ((1e9, "unit.1e9", 2), (1e6, "unit.1e6", 2), (1e4, "unit.1e3", 1)),
}
"""From how much on a count is written in which larger unit, and with how many decimals."""

SCALE = {"unit.1e3": 1e3, "unit.1e4": 1e4, "unit.1e6": 1e6, "unit.1e8": 1e8, "unit.1e9": 1e9}
LONG_S = 1000
"""From here on a span in seconds is written in minutes."""


@dataclass(frozen=True)
class Figure:
    """A formatted value: digits and unit apart, because a tile sets them in different sizes."""

    digits: str
    unit: str = ""

    def __str__(self) -> str:
        return self.digits + self.unit


class Words:
    """The words and numbers of one language."""

    def __init__(self, catalogue: Catalogue, language: str) -> None:
        self.catalogue = catalogue
        self.language: Literal["zh", "en"] = "zh" if language == "zh" else "en"
        self.zone = ZoneInfo(catalogue.day.zone)

    def __call__(self, key: str, **values: object) -> str:
        """The words of a key with its placeholders filled; KeyError names a key that nobody wrote."""
        return self.of(self.catalogue.words[key]).format(**values)

    def of(self, text: Text) -> str:
        """A text of the catalogue in this language."""
        return text.zh if self.language == "zh" else text.en

    def has(self, key: str) -> bool:
        """Whether anybody wrote words for a key that came with the data."""
        return key in self.catalogue.words

    def told(self, reason: str) -> str:
        """The words of a `key|argument|…` that came with the data; as it is where the key has no words.

        Arguments fill `{0}`, `{1}`; times become clock times and known ids become names.
        """
        key, *given = reason.split("|")
        if not self.has(key):
            return reason
        filled = [self._argument(argument) for argument in given] + [DASH] * 4
        return self.of(self.catalogue.words[key]).format(*filled)

    def fault(self, error: str) -> str:
        """An error in words, followed by what the source itself said."""
        _, *details = error.split("|")
        return self("list.and").join([self.told(error), *details])

    def name(self, identifier: str) -> str:
        """The short name of a channel, region, metric or measure; the id itself where nothing bears it."""
        for section in (self.catalogue.channels, self.catalogue.regions, self.catalogue.metrics):
            if identifier in section:
                return self.of(section[identifier].short)
        measure = self.catalogue.measures.get(identifier)
        return self.of(measure.name) if measure else identifier

    def code(self, dimension: str, value: str) -> str:
        """The name of a dimension's value; the value itself where the code set does not know it."""
        text = self.catalogue.codes.get(dimension, {}).get(value)
        return self.of(text) if text else value

    def value(self, metric: Metric, value: float | None) -> Figure:
        """A metric's value; more decimals where rounding would hide that it misses its target."""
        if value is None or math.isnan(value):
            return Figure(DASH)
        if metric.unit == "ratio":
            anchors = (0.0, 1.0, metric.target, metric.warning, *(metric.band or ()))
            return Figure(
                _apart(value * 100, [anchor * 100 for anchor in anchors if anchor is not None]), self("unit.ratio")
            )
        if metric.unit == "s":
            return self.span(value)
        if metric.unit == "n":
            return self.count(value)
        return Figure(_fixed(value, 2 if metric.unit == "per_10k" else 1), self(f"unit.{metric.unit}"))

    def limit(self, metric: Metric, value: float) -> Figure:
        """A target or the edge of a band: as a value, without zeros that say nothing."""
        figure = self.value(metric, value)
        trimmed = figure.digits.rstrip("0").rstrip(".") if "." in figure.digits else figure.digits
        return Figure(trimmed, figure.unit)

    def count(self, value: float | None) -> Figure:
        """How many, in the large units of the language: 1.23 万, 12.3 k."""
        if value is None or math.isnan(value):
            return Figure(DASH)
        for least, unit, decimals in STEPS[self.language]:
            if abs(value) >= least:
                return Figure(_fixed(value / SCALE[unit], decimals), self(unit))
        whole = abs(value - round(value)) < 1e-9
        return Figure(_fixed(value, 0 if whole else 1))

    def span(self, seconds: float | None) -> Figure:
        """A span as a figure: 18.2 s, 246 s, 16.7 min."""
        if seconds is None or math.isnan(seconds):
            return Figure(DASH)
        if abs(seconds) >= LONG_S:
            return Figure(_fixed(seconds / 60, 1), self("unit.min"))
        return Figure(_fixed(seconds, 1 if abs(seconds) < 100 else 0), self("unit.s"))

    def share(self, ratio: float | None) -> str:
        """A part of a whole in per cent."""
        if ratio is None or math.isnan(ratio):
            return DASH
        return _apart(ratio * 100, [0.0, 100.0]) + self("unit.ratio")

    def score(self, score: float) -> str:
        """A quality score, 0 to 100."""
        return _fixed(score, 1)

    def fact(self, value: str | float | int) -> str:
        """A fact of a finding: a number with separators, an id as what it names, a time on the clock."""
        if isinstance(value, str):
            return self._argument(value)
        return _fixed(value, 0 if float(value).is_integer() else 2)

    def difference(self, metric: Metric, now: float | None, before: float | None) -> str:
        """How much a value moved, with its sign: points for ratios, per cent for counts, else the unit itself."""
        if now is None or before is None or math.isnan(now) or math.isnan(before):
            return DASH
        if metric.unit == "ratio":
            return _signed((now - before) * 100, 1) + self("unit.points")
        if metric.unit == "n":
            return DASH if before == 0 else _signed((now - before) / abs(before) * 100, 1) + self("unit.ratio")
        return _signed(now - before, 2 if metric.unit == "per_10k" else 1) + self(f"unit.{metric.unit}")

    def duration(self, seconds: float) -> str:
        """A length of time in its two largest units: 47 min, 9 h 12 min, 3 d 4 h."""
        minutes = int(max(0.0, seconds) // 60)
        if minutes < 1:
            return self("duration.s", s=int(max(0.0, seconds)))
        if minutes < 60:
            return self("duration.min", min=minutes)
        if minutes < 60 * 24:
            return self("duration.h", h=minutes // 60, min=minutes % 60)
        return self("duration.d", d=minutes // 1440, h=minutes % 1440 // 60)

    def age(self, then: datetime | None, now: datetime) -> str:
        """How long ago: 47 min ago; the dash when it never was."""
        if then is None:
            return DASH
        return self("duration.ago", duration=self.duration((_aware(now) - _aware(then)).total_seconds()))

    def clock(self, moment: datetime | None, now: datetime | None = None) -> str:
        """Hour and minute in the reporting zone, with the date when that is not the date of `now`."""
        if moment is None:
            return DASH
        local = _aware(moment).astimezone(self.zone)
        same = now is None or _aware(now).astimezone(self.zone).date() == local.date()
        return f"{local:%H:%M}" if same else f"{local:%m-%d %H:%M}"

    def on_axis(self, moment: datetime) -> str:
        """A moment on a time axis of plotly.js, which knows no zones: the wall clock of the reporting zone."""
        return f"{_aware(moment).astimezone(self.zone):%Y-%m-%d %H:%M}"

    def axis(self, metric: Metric) -> dict[str, str]:
        """How plotly.js writes a metric's values along an axis; the format is d3's."""
        if metric.unit == "ratio":
            return {"tickformat": "~%"}
        return {"tickformat": ",~f", "ticksuffix": "" if metric.unit == "n" else self(f"unit.{metric.unit}")}

    def _argument(self, argument: str) -> str:
        try:
            return self.clock(datetime.fromisoformat(argument))
        except ValueError:
            return self.name(argument)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise NaiveTime(f"a time to be shown, {moment.isoformat()}, has no time zone")
    return moment


def _fixed(value: float, decimals: int) -> str:
    """Digits with thousands separators, a true minus and never a negative zero."""
    text = f"{value:,.{decimals}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text.replace("-", MINUS)


def _signed(value: float, decimals: int) -> str:
    text = _fixed(value, decimals)
    return text if text.startswith(MINUS) or float(text.replace(",", "")) == 0 else f"+{text}"


def _apart(value: float, anchors: list[float]) -> str:
    """One decimal, or up to three where one would make it look equal to an anchor that it is not."""
    for decimals in (1, 2, 3):
        text = _fixed(value, decimals)
        if not any(text == _fixed(anchor, decimals) and abs(value - anchor) > 1e-9 for anchor in anchors):
            break
    return text
