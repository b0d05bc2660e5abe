"""The polling of sources: a job a channel, which asks each of its sources when that source's own rhythm says so."""

import time
from collections.abc import Callable, Iterable, Sequence
from threading import Event

from config.jobs import Job
from pipeline.flow.feeder import Feeder

Ask = Callable[[Feeder, Event], None]
"""What is done when a source is due: its turns, until it has no more or the event is set (`turn.follow`)."""
EARLY = 0.9
"""A source is due again after this share of its rhythm, so that a run a little early does not skip it."""


def polling_jobs(feeders: Iterable[Feeder], ask: Ask, ended: Event) -> list[Job]:
    """A job for every channel that has sources to be asked; the first runs come at once."""
    channels: dict[str, list[Feeder]] = {}
    for feeder in filter(polled, feeders):
        channels.setdefault(feeder.channel.id, []).append(feeder)
    return [
        Job(f"channel {channel}", min(feeder.source.poll_s for feeder in own), Polling(own, ask, ended))
        for channel, own in channels.items()
    ]


class Polling:
    """One run after another over the sources of a channel."""

    def __init__(self, feeders: Sequence[Feeder], ask: Ask, ended: Event) -> None:
        self.feeders, self.ask, self.ended = feeders, ask, ended
        self._due: dict[str, float] = {}

    def __call__(self) -> None:
        """Ask each source that is due."""
        for feeder in self.feeders:
            now = time.monotonic()
            if now >= self._due.get(feeder.source.id, now):
                self._due[feeder.source.id] = now + feeder.source.poll_s * EARLY
                self.ask(feeder, self.ended)


def polled(feeder: Feeder) -> bool:
    """Whether the pipeline goes and asks; pushed sources come by themselves."""
    return feeder.source.kind != "push"
