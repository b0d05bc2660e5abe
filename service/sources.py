"""A collector for every source of the catalogue; wrong options stop the start, naming file and key."""

from collections.abc import Callable

from pydantic import ValidationError

from collectors import UnknownKind, build
from collectors.push import PushCollector
from config.catalogue import Catalogue, Channel, Source
from config.faults import CatalogueError, Fault
from config.settings import Settings
from pipeline.flow.feeder import Feeder
from service.dependencies import secret


def feeders(settings: Settings, catalogue: Catalogue) -> tuple[Feeder, ...]:
    """A collector for every source; raises CatalogueError with every source whose options are wrong."""
    key = secret(settings.pseudonym_key, settings.home_dir / "pseudonym.key")
    return _built(settings, catalogue, lambda source: True, key)


def push_collectors(settings: Settings, catalogue: Catalogue) -> dict[str, PushCollector]:
    """What the push endpoint counts with, by channel; needs no other source's secrets, and makes no pseudonyms."""
    return pushed(_built(settings, catalogue, lambda source: source.kind == "push", b""))


def pushed(own: tuple[Feeder, ...]) -> dict[str, PushCollector]:
    """The collectors of what is pushed, by channel."""
    return {feeder.channel.id: feeder.collector for feeder in own if isinstance(feeder.collector, PushCollector)}


def _built(
    settings: Settings, catalogue: Catalogue, wanted: Callable[[Source], bool], key: bytes
) -> tuple[Feeder, ...]:
    made, faults = [], []
    for channel in catalogue.channels.values():
        for source in filter(wanted, channel.sources):
            try:
                made.append(Feeder(channel, source, build(catalogue, channel, source, key)))
            except (UnknownKind, ValidationError) as error:
                faults += _faults(settings, channel, source, error)
    if faults:
        raise CatalogueError(faults)
    return tuple(made)


def feeder(settings: Settings, catalogue: Catalogue, channel: str, source: str | None) -> Feeder:
    """The feeder of one channel, of one source of it where it has several; raises CatalogueError."""
    own = [one for one in feeders(settings, catalogue) if one.channel.id == channel]
    file = settings.config_dir / "channels"
    if not own:
        raise CatalogueError([Fault(file, channel, f"no such channel; there are {', '.join(catalogue.channels)}")])
    chosen = [one for one in own if source in (None, one.source.id)]
    if len(chosen) != 1:
        names = ", ".join(one.source.id for one in own)
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
