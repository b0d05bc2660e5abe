"""A source with the collector that reads it, and the name of the job that reads it live."""

from collections.abc import Iterable
from dataclasses import dataclass

from collectors import Collector
from config.catalogue import Channel, Source

LIVE = "live"
"""Job name of the running service; a back-fill keeps its own cursor under its own name."""


@dataclass(frozen=True)
class Feeder:
    """One source of one channel, and the collector that reads it."""

    channel: Channel
    source: Source
    collector: Collector


def pushing(feeders: Iterable[Feeder]) -> dict[str, Feeder]:
    """The feeders of what is pushed, by channel."""
    return {feeder.channel.id: feeder for feeder in feeders if feeder.source.kind == "push"}
