"""A collector for every source of the catalogue; wrong options stop the start, naming file and key.

What collectors need of this installation, its data folder and the secrets of its environment, is handed to them here.
"""

import os
from collections.abc import Callable

from pydantic import ValidationError

from collectors import Installation, UnknownKind, build, kinds, receives
from config.catalogue import Catalogue, Channel, Source
from config.faults import CatalogueError, Fault
from config.settings import Settings
from pipeline.flow.feeder import Feeder, ReceivingFeeder, feeder_of, receiving
from service.dependencies import secret


def feeders(settings: Settings, catalogue: Catalogue) -> tuple[Feeder, ...]:
    """A collector for every source; raises CatalogueError with every source whose options are wrong."""
    key = secret(settings.pseudonym_key, settings.home_dir / "pseudonym.key")
    return _built(settings, catalogue, lambda source: True, key)


def receiving_feeders(settings: Settings, catalogue: Catalogue) -> tuple[ReceivingFeeder, ...]:
    """Those that send by themselves; needs no other source's secrets, and makes no pseudonyms."""
    own = _built(settings, catalogue, lambda source: source.kind in kinds() and receives(source.kind), b"")
    return tuple(receiving(own).values())


def from_environment(name: str) -> str:
    """The value of an environment variable; '' while it is not set."""
    return os.environ.get(name, "")


def _built(
    settings: Settings, catalogue: Catalogue, wanted: Callable[[Source], bool], key: bytes
) -> tuple[Feeder, ...]:
    installation = Installation(key, settings.home_dir, from_environment)
    made, faults = [], []
    for channel in catalogue.channels.values():
        for source in filter(wanted, channel.sources):
            try:
                made.append(feeder_of(channel, source, build(catalogue, channel, source, installation)))
            except (UnknownKind, ValidationError) as error:
                faults += _faults(settings, channel, source, error)
    if faults:
        raise CatalogueError(faults)
    return tuple(made)


def feeder(settings: Settings, catalogue: Catalogue, channel: str, source: str | None) -> Feeder:
    """The feeder of one channel, of one source of it where it has several; raises CatalogueError."""
    own = [feeder for feeder in feeders(settings, catalogue) if feeder.channel.id == channel]
    file = settings.config_dir / "channels"
    if not own:
        raise CatalogueError([Fault(file, channel, f"no such channel; there are {', '.join(catalogue.channels)}")])
    chosen = [feeder for feeder in own if source in (None, feeder.source.id)]
    if len(chosen) != 1:
        names = ", ".join(feeder.source.id for feeder in own)
        raise CatalogueError([Fault(file / f"{channel}.yaml", "sources", f"name one with --source: {names}")])
    return chosen[0]


def _faults(settings: Settings, channel: Channel, source: Source, error: UnknownKind | ValidationError) -> list[Fault]:
    file = settings.config_dir / "channels" / f"{channel.id}.yaml"
    place = f"sources.{source.id}.options"
    if isinstance(error, ValidationError):
        return [
            Fault(file, ".".join([place, *(str(part) for part in fault["loc"])]), fault["msg"])
            for fault in error.errors()
        ]
    return [Fault(file, f"sources.{source.id}.kind", str(error))]
