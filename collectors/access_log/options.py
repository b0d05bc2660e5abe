"""What a channel's YAML may say to the kind `access_log`; README.md explains it."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from collectors.shared.tailing import check_path
from config.catalogue import Identifier


class Strict(BaseModel):
    """Unknown keys are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Latency(Strict):
    """Which extra field holds the time a request took, and its unit."""

    field: str
    unit: Literal["s", "ms", "us"] = "s"


class Region(Strict):
    """Where a request belongs: a constant code, or a field whose text is a code or is mapped to one."""

    constant: str | None = None
    field: str | None = None
    """`host` (with `virtual_host`), `first_segment` of the path, or one of `extra_fields`."""
    map: dict[str, str] = {}

    @model_validator(mode="after")
    def one_way(self) -> Self:
        """Exactly one of the two ways."""
        if (self.constant is None) == (self.field is None):
            raise ValueError("give either `constant` or `field`")
        return self


class Options(Strict):
    """The options of one source of kind `access_log`."""

    path: Annotated[str, BeforeValidator(check_path)]
    """Absolute or relative to the data folder; `*` in the file name: files read in the order of their names."""
    line_limit: int = Field(default=65536, ge=64, le=1_048_576)
    virtual_host: bool = False
    """Whether each line begins with the host (`vhost_combined`)."""
    extra_fields: tuple[Identifier, ...] = ()
    """Names of the fields after the agent, in order; quoted or bare."""
    client: str = "address"
    """What tells visitors apart together with the agent: `address`, or an extra field (behind a proxy)."""
    latency: Latency | None = None
    region: Region
    bots: tuple[str, ...] = ()
    """Parts of agent names, any case, whose requests are left out and counted as `bot`."""
    ignore_paths: tuple[str, ...] = ()
    """Path prefixes whose requests are left out and counted as `ignored_path` (health checks)."""
    visit_gap_s: int = Field(default=1800, gt=0)
    visitors_kept: int = Field(default=20_000, ge=100, le=200_000)
    """Most open visits that are carried from one reading to the next."""
    contact_paths: dict[str, str] = {}
    """Path prefix -> service type of the contact that a completed request under it is; the longest prefix wins."""
    contacts_per: Literal["visit", "action"] = "action"
    """`visit`: once a visit and service type; `action`: every completed request."""
    dimensions: dict[Identifier, str] = {}
    """Constant dimension values of contacts, such as `entry: self_service`."""

    @model_validator(mode="after")
    def fields_exist(self) -> Self:
        """Every field that is used must be in the log."""
        known = {"address", "first_segment", *self.extra_fields, *(["host"] if self.virtual_host else [])}
        used = {self.client, *([self.latency.field] if self.latency else []), self.region.field or "address"}
        if used - known:
            raise ValueError(f"fields {sorted(used - known)} are not in the log; there are {sorted(known)}")
        return self
