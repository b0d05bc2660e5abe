"""A source with the collector that reads it, and the name of the job that reads it live."""

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
