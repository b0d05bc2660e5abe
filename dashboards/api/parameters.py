"""The query parameters of the interface, strict: an unknown one is refused, and every refusal says what there is."""

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from starlette.datastructures import QueryParams

from config.catalogue import Level
from dashboards.access.problems import Problem
from metrics.readings import WINDOWS

P = TypeVar("P", bound="Parameters")
MOST_ROWS = 10_000
REASONS = {
    "extra_forbidden": "there is no such parameter",
    "missing": "has to be given",
    "tuple_type": "cannot be read",
}
Names = Annotated[tuple[str, ...], Field(max_length=100)]
"""Several values: the parameter is repeated."""


class Parameters(BaseModel):
    """What every list takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(default=1000, ge=1, le=MOST_ROWS)
    cursor: str = Field(default="", max_length=1000)


class Placed(Parameters):
    """What a list of places, or of figures that have one, takes besides."""

    region: str = Field(default="", max_length=32)
    level: Literal["", Level.NATION, Level.PROVINCE, Level.CITY, Level.CENTRE] = ""


class OfReadings(Placed):
    """What the readings take besides."""

    metric: Names = ()
    window: tuple[Literal[tuple(WINDOWS)], ...] = ()  # type: ignore[valid-type]  # the windows are a constant
    channel: Names = ()


class OfFindings(Placed):
    """What the findings take besides."""

    channel: Names = ()
    rule: Names = ()


class OfSources(Parameters):
    """What the sources take besides."""

    channel: Names = ()


def read(model: type[P], given: QueryParams) -> P:
    """The parameters that a query says; raises Problem 400 with each fault."""
    try:
        return model.model_validate(dict(_values(model, given)))
    except ValidationError as error:
        faults = [
            {"parameter": str(fault["loc"][0]), "reason": REASONS.get(fault["type"], fault["msg"])}
            for fault in error.errors(include_url=False, include_input=False)
        ]
        there = list(fields_of(model))
        detail = "; ".join(f"{fault['parameter']}: {fault['reason']}" for fault in faults)
        raise Problem(400, detail, faults=faults, parameters=there) from None


def check_known(parameter: str, values: Collection[str], there: Collection[str]) -> None:
    """Raise Problem 400 for a value that names nothing."""
    unknown = [value[:80] for value in values if value not in there]
    if unknown:
        raise Problem(400, f"{parameter}: there is no {unknown[0]!r}", parameter=parameter, available=sorted(there))


def is_many(annotation: Any) -> bool:
    """Whether a parameter may be repeated."""
    return get_origin(annotation) is tuple


def fields_of(model: type[Parameters]) -> dict[str, FieldInfo]:
    """The fields of parameters by the names that a query has for them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _values(model: type[Parameters], given: QueryParams) -> Iterator[tuple[str, Any]]:
    fields = fields_of(model)
    for name in dict.fromkeys(given):
        values = given.getlist(name)
        field = fields.get(name)
        if field is not None and is_many(field.annotation):
            yield name, tuple(values)
        elif len(values) > 1:
            raise Problem(400, f"{name}: may be given once", parameter=name)
        else:
            yield name, values[0]
