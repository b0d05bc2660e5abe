"""What a channel's YAML says about its records: where time, place, dimensions and measures stand in them.

Kinds of source that deliver lists of records (`http_json`, `sql`) share these nouns; `records.py` applies them.
A *field* is a JSONPath inside the record (`agent.status`, `$.items[0].n`) or simply a column's name; quote a name
that holds other signs: `"'odd name'"`.
"""

from typing import Annotated, Any, Literal, Self

from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.parser import parse as parse_path
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from config.catalogue import Identifier, Noun


def scalar_text(value: Any) -> Any:
    """Write a JSON scalar as the text that codes are compared by: 1 and 1.0 are `1`, true is `true`, null is ``."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def check_path(path: str) -> str:
    """Refuse a field that is no JSONPath, when the configuration is read and not at the first record."""
    try:
        parse_path(path)
    except JSONPathError as error:
        raise ValueError(f"{path!r} is not a JSONPath or a column name: {error}") from error
    return path


Code = Annotated[str, BeforeValidator(scalar_text)]
FieldPath = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_path)]
Condition = dict[FieldPath, tuple[Code, ...]]
"""Fields that must each hold one of the values named; the empty condition holds always."""


class RecordTime(Noun):
    """When a record's figures begin; or, with `instant`, that they are levels of the moment of asking."""

    instant: bool = False
    """The record tells how things stand now: it counts for the last interval that ended before the fetch."""
    field: FieldPath | None = None
    form: str = "iso"
    """`iso`, `epoch_s`, `epoch_ms`, or a strptime pattern such as `%Y-%m-%d`."""
    hour_field: FieldPath | None = None
    """Field of the hour where `field` only holds the date."""
    hour_form: Literal["hour", "hhmm"] = "hour"
    """`hour`: 0 to 23; `hhmm`: 0, 100 … 2300 as WeChat's ref_hour."""
    naive: Literal["refuse", "channel_zone"] = "refuse"
    """A time without a zone is refused unless it is declared to be the channel's own wall clock."""
    off_boundary: Literal["reject", "floor"] = "reject"
    """Finished counts must begin on an interval of the channel; single events are floored to theirs."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.instant == (self.field is not None):
            raise ValueError("time needs either `field` or `instant: true`")
        if self.hour_field is not None and self.field is None:
            raise ValueError("hour_field needs `field` with the date")
        return self


class RecordPlace(Noun):
    """The region that a record counts for: one for all, or a field with the source's own codes."""

    constant: str | None = None
    field: FieldPath | None = None
    codes: dict[Code, str] = Field(default_factory=dict)
    """Source's code -> region code; empty: the field holds region codes already."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.constant is None) == (self.field is None):
            raise ValueError("region needs either `constant` or `field`")
        return self


class RecordDimension(Noun):
    """A dimension's value in a record."""

    field: FieldPath
    codes: dict[Code, str] = Field(default_factory=dict)
    """Source's code -> value; a code that is not listed is kept as it is, so that AC-02 can say it."""


class RecordContact(Noun):
    """The key of the contact that a record is about; with it the source gives contributions."""

    field: FieldPath
    pseudonymise: bool = True
    """False only where the key is the system's own number of a contact and names no person."""

    @model_validator(mode="after")
    def _plain_name(self) -> Self:
        if self.pseudonymise and not self.field.isidentifier():
            raise ValueError("a contact that is pseudonymised needs the plain name of its key")
        return self


class RecordMeasure(Noun):
    """What a record adds to a measure: a number of its own, or one for being there."""

    field: FieldPath | None = None
    count: bool = False
    where: Condition = Field(default_factory=dict)
    """Only records that meet it count; the others add nothing."""
    scale: float = Field(default=1.0, gt=0)
    """Factor to the measure's unit, such as 0.001 for milliseconds."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.count == (self.field is not None):
            raise ValueError("a measure needs either `field` or `count: true`")
        return self


class RecordMap(Noun):
    """How one record becomes rows of the travelling tables."""

    time: RecordTime
    region: RecordPlace
    contact: RecordContact | None = None
    where: Condition = Field(default_factory=dict)
    """Records that do not meet it are left out on purpose and counted as excluded."""
    dimensions: dict[Identifier, RecordDimension] = Field(default_factory=dict)
    measures: dict[Identifier, RecordMeasure] = Field(min_length=1)
    repeated: Literal["reject", "sum"] = "reject"
    """Several records for one measure, region, dimension and interval: a contradiction, or parts to add up."""
    absent: Literal["unknown", "zero"] = "unknown"
    """What it means that the source does not name a region: we do not know, or there was nothing to count."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.contact is not None and self.absent == "zero":
            raise ValueError("absent: zero belongs to counts; contacts that did not happen have no rows")
        if self.contact is not None and self.time.instant:
            raise ValueError("contacts need a time of their own")
        return self


class TimeForm(Noun):
    """How times are written into what the source is asked."""

    form: str = "iso"
    """`iso`, `epoch_s`, `epoch_ms`, or a strftime pattern such as `%Y-%m-%d`."""
    zone: Literal["channel", "utc"] = "channel"
    """Wall clock for `iso` and patterns."""
