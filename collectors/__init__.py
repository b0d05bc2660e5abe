"""Counting: one folder a kind of source; each turns what a channel system holds into tables.

A kind is a folder `collectors/<kind>/` whose `__init__.py` has two names:

- `Options`: a pydantic model (extra="forbid") of `source.options` in a channel's YAML;
- `build(plan: Plan) -> Collector`: make the collector; it must not touch the world yet.

A kind whose figures arrive by themselves has a third, `addresses` (`receiving.py`), and builds a `Receiver`; every
other kind is polled. `fetch` touches the world and `parse` is pure: the same payload always gives the same tables.
What a kind needs of this installation is handed to it; none reads the environment or the settings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from collectors.receiving import Intake, ReceivingAddress
from config.catalogue import Catalogue, Channel, Source
from metrics.observations import Interval, Parsed, Payload

SHARED = "shared"
"""The folder of what several kinds use."""
Secret = Callable[[str], str]
"""The value of a secret by the name that a channel's YAML gives it; '' while there is none."""


@dataclass(frozen=True)
class Installation:
    """What collectors need of the installation that they run in."""

    pseudonym_key: bytes
    home: Path
    secret: Secret


@dataclass(frozen=True)
class Plan:
    """Everything a collector may know when it is built."""

    catalogue: Catalogue
    channel: Channel
    source: Source
    options: Any
    """The kind's validated `Options`."""
    pseudonym_key: bytes
    """Key of the keyed hash that replaces customer numbers before anything is kept."""
    home: Path
    """The data folder: paths that are not absolute are below it."""
    secret: Secret


@dataclass(frozen=True)
class Ask:
    """What the turn wants: the window it believes is due, and where the last reading ended."""

    window: Interval
    cursor: dict[str, Any]
    now: datetime


class Collector(Protocol):
    """One source of one channel that is polled."""

    def fetch(self, ask: Ask) -> Payload:
        """Read the source; raises SourceFault when it cannot be read, never anything else expected."""
        ...

    def fetch_file(self, path: Path, ask: Ask) -> Payload:
        """Read a file that holds what the source would have given (back-fill); raises SourceFault."""
        ...

    def parse(self, payload: Payload) -> Parsed:
        """Turn a payload into tables; bad records become rejects; raises SourceFault if none can be read."""
        ...


@runtime_checkable
class Receiver(Protocol):
    """One source of one channel that sends by itself."""

    def payload(self, body: bytes, received_at: datetime) -> Payload:
        """What was sent, as the steps of the pipeline take it."""
        ...

    def fetch_file(self, path: Path, ask: Ask) -> Payload:
        """Read a file that holds what would have been sent (back-fill); raises SourceFault."""
        ...

    def parse(self, payload: Payload) -> Parsed:
        """As that of a Collector."""
        ...


class ReceivingSource(Protocol):
    """A source that receives, with what counts it."""

    @property
    def channel(self) -> Channel:
        """Whose source it is."""
        ...

    @property
    def source(self) -> Source:
        """The source as the channel's YAML has it."""
        ...

    @property
    def collector(self) -> Receiver:
        """What counts its bodies."""
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


def receives(kind: str) -> bool:
    """Whether sources of a kind send by themselves; raises UnknownKind."""
    return hasattr(kind_module(kind), "addresses")


def build(catalogue: Catalogue, channel: Channel, source: Source, installation: Installation) -> Collector | Receiver:
    """Make the collector of a source: a Receiver where its kind receives."""
    plan = Plan(
        catalogue, channel, source, validate_options(source), installation.pseudonym_key, installation.home,
        installation.secret,
    )  # fmt: skip
    collector: Collector | Receiver = kind_module(source.kind).build(plan)
    return collector


def addresses(sources: Sequence[ReceivingSource], intake: Intake) -> list[ReceivingAddress]:
    """Where figures arrive, asked of every kind that receives, with its sources; it may have none."""
    found: list[ReceivingAddress] = []
    for kind in filter(receives, kinds()):
        found += kind_module(kind).addresses([source for source in sources if source.source.kind == kind], intake)
    return found
