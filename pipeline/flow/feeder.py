"""A source with the collector that reads it, and the name of the job that reads it live."""

from collections.abc import Iterable
from dataclasses import dataclass

from collectors import Collector, Receiver
from config.catalogue import Channel, Source

LIVE = "live"
"""Job name of the running service; a back-fill keeps its own cursor under its own name."""


@dataclass(frozen=True)
class Feeder:
    """One source of one channel, and what reads it."""

    channel: Channel
    source: Source
    collector: Collector | Receiver


@dataclass(frozen=True)
class PolledFeeder(Feeder):
    """One that the pipeline goes and asks."""

    collector: Collector


@dataclass(frozen=True)
class ReceivingFeeder(Feeder):
    """One that sends by itself."""

    collector: Receiver


SourceKey = tuple[str, str]
"""Ids of a channel and of one of its sources."""


def feeder_of(channel: Channel, source: Source, collector: Collector | Receiver) -> Feeder:
    """The feeder of a source, by what its collector is."""
    if isinstance(collector, Receiver):
        return ReceivingFeeder(channel, source, collector)
    return PolledFeeder(channel, source, collector)


def receiving(feeders: Iterable[Feeder]) -> dict[SourceKey, ReceivingFeeder]:
    """Those that send by themselves, by channel and source."""
    return {(feeder.channel.id, feeder.source.id): feeder for feeder in feeders if isinstance(feeder, ReceivingFeeder)}
