"""What a channel's YAML may say to the kind `contact_log`; README.md explains it to whoever maps a new system."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from collectors.shared.tailing import check_encoding, check_path
from config.catalogue import Identifier

Kind = Literal["text", "integer", "number", "duration", "time"]


class Strict(BaseModel):
    """Unknown keys are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def as_texts(value: Any) -> Any:
    """Let one value stand for a list and a number for its text; refuse YAML's surprise booleans (`NO`, `on`)."""
    items = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(item, bool) for item in items):
        raise ValueError(f"{value!r} was read as a boolean; put the text in quotes")
    return tuple(str(item) if isinstance(item, int | float) else item for item in items)


Texts = Annotated[tuple[str, ...], BeforeValidator(as_texts)]


class Condition(Strict):
    """What one cell must be; every given part must hold. `values` look at the text, limits at the number."""

    values: Texts = ()
    not_values: Texts = ()
    at_least: float | None = None
    at_most: float | None = None
    present: bool | None = None

    @model_validator(mode="after")
    def says_something(self) -> Self:
        """An empty condition would hold always, which nobody means."""
        if self == Condition.model_construct():
            raise ValueError("a condition needs values, not_values, at_least, at_most or present")
        return self


def as_condition(value: Any) -> Any:
    """Let a plain value or list stand for `values`."""
    return value if isinstance(value, dict | Condition) else {"values": value}


def as_alternatives(value: Any) -> Any:
    """Let one dictionary of conditions stand for a list of one alternative."""
    return [value] if isinstance(value, dict) else value


Alternative = dict[str, Annotated[Condition, BeforeValidator(as_condition)]]
When = Annotated[tuple[Alternative, ...], BeforeValidator(as_alternatives)]
"""Holds if one alternative holds; an alternative holds if all its columns' conditions do. None given: always."""


class Customer(Strict):
    """The column that names a person; it is replaced by a keyed hash before anything else sees it."""

    column: str
    nobody: Texts = ("", "0")
    """Texts that identify nobody; they become empty."""


class Contact(Strict):
    """The source's own key of a contact; with `hashed` it is replaced by a keyed hash (a key that names a person)."""

    columns: tuple[str, ...] = Field(min_length=1)
    hashed: bool = False


class Arrived(Strict):
    """When the contact arrived: one column, or a date column and a time column."""

    column: str | None = None
    format: str = "iso"
    """`iso`, `epoch_s`, `epoch_ms` or a strptime format; a time without offset is in the channel's zone."""
    date: str | None = None
    date_format: str = "%Y-%m-%d"
    time: str | None = None
    time_format: str = "%H:%M:%S"
    ambiguous: Literal["earlier", "later", "reject"] = "earlier"
    """What a local time means that the clock showed twice (end of summer time)."""

    @model_validator(mode="after")
    def one_way(self) -> Self:
        """Exactly one of the two ways."""
        pair = self.date is not None and self.time is not None
        if pair == (self.column is not None) or (self.date is None) != (self.time is None):
            raise ValueError("give either `column`, or `date` and `time`")
        return self


class Region(Strict):
    """Where the contact belongs: a constant code, or a column whose text is a code or is mapped to one."""

    constant: str | None = None
    column: str | None = None
    map: dict[str, str] = {}

    @model_validator(mode="after")
    def one_way(self) -> Self:
        """Exactly one of the two ways."""
        if (self.constant is None) == (self.column is None):
            raise ValueError("give either `constant` or `column`")
        return self


class Exclusion(Strict):
    """Records left out on purpose and counted under a reason (a words key under `excluded.`)."""

    reason: Identifier
    when: When = Field(min_length=1)


class Case(Strict):
    """A dimension value and when it applies."""

    value: str
    when: When = ()


class Dimension(Strict):
    """A dimension's value: a column (mapped where `map` names its text), the first case that holds, or a mark."""

    column: str | None = None
    map: dict[str, str] = {}
    constant: str | None = None
    cases: tuple[Case, ...] = ()
    band: str | None = None
    """The column of numbers whose band it is, for percentiles."""
    person: str | None = None
    """The column that names a person, whose mark it is, for counting people."""

    @model_validator(mode="after")
    def one_way(self) -> Self:
        """Exactly one of the five ways."""
        ways = (self.column, self.constant, self.band, self.person)
        if [*(way is not None for way in ways), bool(self.cases)].count(True) != 1:
            raise ValueError("give one of `column`, `constant`, `cases`, `band` and `person`")
        return self


class Count(Strict):
    """A measure: one for every contact, or the sum of a column, over the contacts for which `when` holds."""

    sum: str | None = None
    when: When = ()


class Options(Strict):
    """The options of one source of kind `contact_log`."""

    path: Annotated[str, BeforeValidator(check_path)]
    """Absolute or relative to the data folder; `*` in the file name: files read in the order of their names."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', max_length=1)
    """Empty: quotes are ordinary text."""
    encoding: Annotated[str, BeforeValidator(check_encoding)] = "utf-8"
    header: Literal[True] | tuple[str, ...] = True
    """True: the first line of each file names the columns; else their names in order."""
    line_limit: int = Field(default=65536, ge=64, le=1_048_576)
    """Longest line in bytes that is still taken for a record."""
    missing: Texts = ("",)
    """Texts that stand for an empty cell."""
    columns: dict[str, Kind] = {}
    """Types of columns; a column that is not named is text."""
    contact: Contact | None = None
    """None: the line's place in its file is the key; then a corrected line counts again."""
    customer: Customer | None = None
    arrived: Arrived
    region: Region
    exclude: tuple[Exclusion, ...] = ()
    dimensions: dict[Identifier, Dimension] = {}
    measures: dict[Identifier, Count] = Field(min_length=1)
    zero: tuple[Identifier, ...] = ()
    """Measures this system is known not to have: each contact contributes 0, so a sum that needs them is whole."""

    @model_validator(mode="after")
    def sums_are_numbers(self) -> Self:
        """A sum or a limit over a column of text would be no number."""
        numeric = {name for name, kind in self.columns.items() if kind != "text"}
        needed = {count.sum for count in self.measures.values() if count.sum} | self.limited_columns()
        needed |= {dimension.band for dimension in self.dimensions.values() if dimension.band}
        if needed - numeric:
            raise ValueError(f"columns {sorted(needed - numeric)} need a type other than text in `columns`")
        if set(self.zero) & set(self.measures):
            raise ValueError(f"{sorted(set(self.zero) & set(self.measures))} are both in `measures` and in `zero`")
        return self

    @model_validator(mode="after")
    def people_are_customers(self) -> Self:
        """Only the column of `customer` is replaced by a pseudonym before anything else sees it."""
        people = {dimension.person for dimension in self.dimensions.values() if dimension.person}
        if people - ({self.customer.column} if self.customer else set()):
            raise ValueError(f"{sorted(people)} must be the column of `customer`, for it names people")
        return self

    def alternatives(self) -> list[Alternative]:
        """Every alternative of every `when`."""
        whens = [exclusion.when for exclusion in self.exclude]
        whens += [case.when for dimension in self.dimensions.values() for case in dimension.cases]
        whens += [count.when for count in self.measures.values()]
        return [alternative for when in whens for alternative in when]

    def limited_columns(self) -> set[str]:
        """Columns that some condition compares with a limit."""
        return {
            column
            for alternative in self.alternatives()
            for column, condition in alternative.items()
            if condition.at_least is not None or condition.at_most is not None
        }

    def named_columns(self) -> set[str]:
        """Every column that the options name: the only ones that are read out of a line."""
        names = {column for alternative in self.alternatives() for column in alternative}
        names |= set(self.columns) | {count.sum for count in self.measures.values() if count.sum}
        for dimension in self.dimensions.values():
            names |= {name for name in (dimension.column, dimension.band, dimension.person) if name}
        names |= {name for name in (self.arrived.column, self.arrived.date, self.arrived.time) if name}
        names |= {self.region.column} if self.region.column else set()
        names |= {self.customer.column} if self.customer else set()
        return names | set(self.contact.columns if self.contact else ())
