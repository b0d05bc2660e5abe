"""Texts of a column into numbers: each distinct text is read once."""

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from collectors.contact_log.options import Kind

Numbers = npt.NDArray[np.float64]
LARGEST = 2.0**53
"""Beyond it a float no longer holds every whole number."""
PLAIN = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?", re.ASCII)
DURATION = re.compile(r"(-?)(?:(\d{1,6}):)?(\d{1,6}):([0-5]?\d(?:\.\d{1,9})?)", re.ASCII)
CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?", re.ASCII)


class NotReadable(ValueError):
    """A text is no value of its column's type; holds rule and code of the reject."""

    def __init__(self, rule: str, code: str) -> None:
        super().__init__(code)
        self.rule, self.code = rule, code


def number(text: str) -> float:
    """A finite number in plain notation; no thousands signs, no words such as `nan`."""
    if not PLAIN.fullmatch(text) or not math.isfinite(value := float(text)):
        raise NotReadable("TY-01", "not_a_number")
    if abs(value) > LARGEST:
        raise NotReadable("AC-01", "number_too_large")
    return value


def integer(text: str) -> float:
    """A whole number."""
    value = number(text)
    if not value.is_integer():
        raise NotReadable("TY-01", "not_whole")
    return value


def duration(text: str) -> float:
    """`h:mm:ss` or `m:ss` in seconds; may be negative, since sources write such and the audit must see it."""
    match = DURATION.fullmatch(text)
    if not match:
        raise NotReadable("TY-03", "not_a_duration")
    sign, hours, minutes, seconds = match.groups()
    if hours is not None and int(minutes) > 59:
        raise NotReadable("TY-03", "not_a_duration")
    value = int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
    return -value if sign else value


@lru_cache(maxsize=131_072)
def clock(text: str) -> float:
    """A time of day, `h:mm` or `h:mm:ss`, as seconds of the day."""
    if not CLOCK.fullmatch(text):
        raise NotReadable("TY-03", "not_a_time")
    hours, minutes, *seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + (float(seconds[0]) if seconds else 0.0)


READERS: dict[Kind, Callable[[str], float]] = {
    "integer": integer,
    "number": number,
    "duration": duration,
    "time": clock,
}


def read_numbers(texts: Sequence[str], kind: Kind) -> tuple[Numbers, dict[int, NotReadable]]:
    """The number of each text, NaN where it is empty or unreadable, and why, by index, where unreadable."""
    read = READERS[kind]
    numbers = np.full(len(texts), math.nan)
    faults: dict[int, NotReadable] = {}
    for index, text in enumerate(texts):
        if text:
            try:
                numbers[index] = read(text)
            except NotReadable as fault:
                faults[index] = fault
    return numbers, faults
