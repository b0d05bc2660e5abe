"""A question about one figure, as every chart, export, command and other system asks it.

It is a value: two questions that ask the same are equal, and each can be written as the parameters of a URL, or as a
JSON object of texts, and read back without loss.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote, unquote

from analysis.questions.faults import CannotAnswer
from config.catalogue import NATION
from metrics.intervals import SIZES
from metrics.observations import Interval

GRAINS = SIZES
REGION, CHANNEL = "region", "channel"
"""Groups that are no dimension: the places below the question's own, and the channels."""
MOST_GROUPS = 2
PAGE_ROWS, MOST_PAGE_ROWS = 100, 1000
WHERE = "where."
"""Parameters that begin so are filters, named after their dimension."""


class Comparison(StrEnum):
    """What a figure is laid beside."""

    NONE = "none"
    PREVIOUS = "previous"
    SAME_WEEKDAY = "same_weekday"
    TARGET = "target"


Filter = tuple[str, tuple[str, ...]]
"""A dimension and the values of it that count; '' is what has no value of it."""


@dataclass(frozen=True)
class Question:
    """One figure over time; what it names is checked against the catalogue by `checking.check`."""

    metric: str
    """A metric, or a figure that is read off a sketch."""
    span: Interval
    """Half-open, aware."""
    variant: str | None = None
    grain: str = "total"
    """One of GRAINS."""
    place: str = NATION
    channel: str | None = None
    """One channel; None: all that know the whole figure, together."""
    groups: tuple[str, ...] = ()
    """At most two of REGION, CHANNEL and the dimensions."""
    filters: tuple[Filter, ...] = ()
    comparison: Comparison = Comparison.NONE
    as_known_at: datetime | None = None
    """As the figure stood at that instant; None: as it stands."""
    rows: bool = False
    """The observations behind the figure instead of its sums, a page at a time."""
    page: int = 0
    page_rows: int = PAGE_ROWS

    def __post_init__(self) -> None:
        """One form of each question: times in UTC, filters and their values in order."""
        by_dimension: dict[str, set[str]] = {}
        for dimension, values in self.filters:
            by_dimension.setdefault(dimension, set()).update(values)
        filters = tuple((dimension, tuple(sorted(by_dimension[dimension]))) for dimension in sorted(by_dimension))
        span = Interval(self.span.start.astimezone(UTC), self.span.end.astimezone(UTC))
        known = None if self.as_known_at is None else _aware(self.as_known_at, "as_known_at")
        for name, value in (("filters", filters), ("span", span), ("as_known_at", known)):
            object.__setattr__(self, name, value)

    def to_parameters(self) -> dict[str, str]:
        """The parameters of a URL (or a JSON object) that say this; what is as by default is left out."""
        told = {
            "metric": self.metric,
            "from": moment_text(self.span.start),
            "to": moment_text(self.span.end),
            **{name: write(value) for name, write, value in self._written() if value != DEFAULTS[name]},
        }
        return told | {WHERE + dimension: join_values(values) for dimension, values in self.filters}

    def _written(self) -> Iterator[tuple[str, Callable[[Any], str], Any]]:
        return ((name, write, getattr(self, field)) for name, (field, write, _) in PARAMETERS.items())

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> "Question":
        """The question that parameters say; raises CannotAnswer naming the one that cannot be read."""
        left = dict(parameters)
        metric, span = _taken(left, "metric"), taken_span(left)
        chosen = [name for name in left if name.startswith(WHERE)]
        filters = [(name.removeprefix(WHERE), _read(name, _split, left.pop(name))) for name in chosen]
        unknown = sorted(left.keys() - PARAMETERS.keys())
        if unknown:
            there = ", ".join(["metric", "from", "to", *PARAMETERS, f"{WHERE}<dimension>"])
            raise CannotAnswer(f"a question has no {unknown[0]!r}; it has {there}")
        given = {PARAMETERS[name][0]: _read(name, PARAMETERS[name][2], text) for name, text in left.items()}
        return replace(cls(metric, span, filters=tuple(filters)), **given)


def taken_span(parameters: dict[str, str]) -> Interval:
    """The span that `from` and `to` say, taken out of the parameters; raises CannotAnswer."""
    start, end = (_read(name, parse_moment, _taken(parameters, name)) for name in ("from", "to"))
    if end <= start:
        raise CannotAnswer(f"to {moment_text(end)} is not after from {moment_text(start)}")
    return Interval(start, end)


def _aware(moment: datetime, name: str) -> datetime:
    if moment.tzinfo is None:
        raise CannotAnswer(f"{name} {moment.isoformat()} has no time zone, such as Z or +08:00")
    return moment.astimezone(UTC)


def _taken(parameters: dict[str, str], name: str) -> str:
    if name not in parameters:
        raise CannotAnswer(f"the question has no {name!r}")
    return parameters.pop(name)


def _read(name: str, read: Callable[[str], Any], text: str) -> Any:
    """What a parameter says; raises CannotAnswer naming it."""
    try:
        return read(text)
    except CannotAnswer:
        raise
    except (ValueError, OverflowError):
        raise CannotAnswer(f"{name} cannot be {text[:80]!r}") from None


def moment_text(moment: datetime) -> str:
    """A moment as a parameter."""
    return moment.isoformat().replace("+00:00", "Z")


def parse_moment(text: str) -> datetime:
    """The moment that a parameter says; raises ValueError, or CannotAnswer without a zone."""
    return _aware(datetime.fromisoformat(text), "the time")


def join_values(values: tuple[str, ...]) -> str:
    """Values as one text: each with its commas and signs escaped, joined by commas."""
    return ",".join(quote(value, safe="") for value in values)


def _split(text: str) -> tuple[str, ...]:
    return tuple(unquote(part, errors="strict") for part in text.split(","))


def _groups(text: str) -> tuple[str, ...]:
    return _split(text) if text else ()


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(text)
    return text == "1"


def _comparison(text: str) -> Comparison:
    if text not in [*Comparison]:
        raise CannotAnswer(f"cannot compare with {text!r}; there are {', '.join(Comparison)}")
    return Comparison(text)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ValueError(text)
    return int(text)


PARAMETERS: dict[str, tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    "variant": ("variant", str, str),
    "grain": ("grain", str, str),
    "place": ("place", str, str),
    "channel": ("channel", str, str),
    "group": ("groups", join_values, _groups),
    "compare": ("comparison", str, _comparison),
    "known_at": ("as_known_at", moment_text, parse_moment),
    "rows": ("rows", lambda rows: str(int(rows)), _flag),
    "page": ("page", str, _number),
    "page_rows": ("page_rows", str, _number),
}
"""Parameter -> field, how it is written, how it is read."""
DEFAULTS = {name: Question.__dataclass_fields__[field].default for name, (field, _, _) in PARAMETERS.items()}
