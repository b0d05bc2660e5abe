"""Counting: one folder a kind of source; each turns what a channel system holds into tables.

A kind is a folder `collectors/<kind>/` whose `__init__.py` has two names:

- `Options`: a pydantic model (extra="forbid") of `source.options` in a channel's YAML;
- `build(plan: Plan) -> Collector`: make the collector; it must not touch the world yet.

`fetch` touches the world and `parse` is pure: the same payload always gives the same tables.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from pydantic import BaseModel

from config.catalogue import Catalogue, Channel, Source
from metrics.observations import Interval, Parsed, Payload

SHARED = "shared"
"""The folder of what several kinds use."""


@dataclass(frozen=True)
class Plan:
    """Everything a collector may know when it is built."""

    catalogue: Catalogue
    channel: Channel
    source: Source
    options: Any
    """The kind's validated `Options`."""
    pseudonym_key: bytes
    """Key of the keyed hash that replaces customer numbers at the door."""


@dataclass(frozen=True)
class Ask:
    """What the turn wants: the window it believes is due, and where the last reading ended."""

    window: Interval
    cursor: dict[str, Any]
    now: datetime


class Collector(Protocol):
    """One source of one channel."""

    def fetch(self, ask: Ask) -> Payload:
        """Read the source; raises SourceFault when it cannot be read, never anything else expected."""
        ...

    def fetch_file(self, path: Path, ask: Ask) -> Payload:
        """Read a file that holds what the source would have given (back-fill); raises SourceFault."""
        ...

    def parse(self, payload: Payload) -> Parsed:
        """Turn a payload into tables; bad records become rejects; raises SourceFault if none can be read."""
        ...


class UnknownKind(ValueError):
    """A channel names a kind of source that has no folder."""


@cache
def kinds() -> tuple[str, ...]:
    """Names of the kinds that exist: the folders beside this file."""
    here = Path(__file__).parent
    found = (path.parent.name for path in here.glob("*/__init__.py"))
    return tuple(sorted(name for name in found if name != SHARED))


def kind_module(kind: str) -> ModuleType:
    """The package of a kind; raises UnknownKind naming those that exist."""
    if kind not in kinds():
        raise UnknownKind(f"unknown kind of source {kind!r}; there are {', '.join(kinds())}")
    return import_module(f"collectors.{kind}")


def validate_options(source: Source) -> BaseModel:
    """Validate a source's options by its kind; raises UnknownKind or pydantic.ValidationError."""
    options: BaseModel = kind_module(source.kind).Options.model_validate(source.options)
    return options


def build(catalogue: Catalogue, channel: Channel, source: Source, pseudonym_key: bytes) -> Collector:
    """Make the collector of a source."""
    plan = Plan(catalogue, channel, source, validate_options(source), pseudonym_key)
    collector: Collector = kind_module(source.kind).build(plan)
    return collector
