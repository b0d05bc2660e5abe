"""What a channel's YAML may say under `options` of a source of kind `sql`."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from sqlalchemy import text

from collectors.shared.record_map import FieldPath, RecordMap, TimeForm
from collectors.sql.one_select import check_one_select
from config.catalogue import Noun

EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
OneSelect = Annotated[str, AfterValidator(check_one_select)]
BOUND = frozenset({"start", "end", "watermark"})


class Watermark(Noun):
    """A column that only grows, so that a fetch reads what is new: bound as :watermark."""

    column: FieldPath
    kind: Literal["number", "time"]
    initial: float | datetime
    """Where the first fetch begins: a number, or an ISO time with its zone."""
    overlap: float = Field(default=0, ge=0)
    """Read again this far behind the watermark (number: units, time: seconds), for rows that arrive late."""

    @model_validator(mode="after")
    def _initial_fits(self) -> Self:
        if isinstance(self.initial, datetime) != (self.kind == "time"):
            raise ValueError(f"initial must be a {self.kind}")
        if isinstance(self.initial, datetime) and self.initial.tzinfo is None:
            raise ValueError("initial needs a time zone, such as 2026-01-01T00:00:00+08:00")
        return self


class Options(Noun):
    """A query against a channel's own database."""

    url_env: EnvironmentName
    """Environment variable with the SQLAlchemy URL, password included."""
    url_default: str | None = Field(default=None, pattern=r"^sqlite:///")
    """Used where the variable is not set: a SQLite file; `{home}` is the data folder."""
    query: OneSelect
    """One SELECT (or WITH … SELECT) with any of :start, :end, :watermark; ordered by the watermark, if any."""
    times: TimeForm | Literal["native", "local"] = "native"
    """How times are bound: `native` aware times, `local` the channel's wall clock without zone, or a form."""
    watermark: Watermark | None = None
    reach_back_s: int = Field(default=7 * 86_400, gt=0)
    """After an outage :start goes back to where the last reading ended, at most this far."""
    connect_s: int = Field(default=5, ge=1, le=60)
    timeout_s: float = Field(default=20, gt=0, le=600)
    """Longest run of the query, reading its rows included; the database stops it."""
    max_rows: int = Field(default=100_000, ge=1, le=5_000_000)
    """With a watermark the rest comes at the next fetch; without one, more rows are a fault."""
    personal: tuple[str, ...] = ()
    """Columns whose values name a person or are a person's words: replaced before anything is kept."""
    map: RecordMap

    @property
    def bound(self) -> frozenset[str]:
        """Names of the parameters that the query binds."""
        return frozenset(text(self.query).compile().params)

    @model_validator(mode="after")
    def _binds_what_there_is(self) -> Self:
        if strange := sorted(self.bound - BOUND):
            raise ValueError(f"the query binds :{strange[0]}; there are :start, :end and :watermark")
        if ("watermark" in self.bound) != (self.watermark is not None):
            raise ValueError("`watermark` and :watermark in the query belong together")
        if self.map.time.instant and self.bound:
            raise ValueError("levels of now bind nothing: the query tells how things stand")
        return self
