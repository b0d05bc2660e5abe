"""The polling of sources: a job a source, each in a thread of its own, so that one that hangs delays no other."""

from collections.abc import Callable, Iterable
from functools import partial
from threading import Event

from config.jobs import SOURCES, Job
from pipeline.flow.feeder import Feeder, PolledFeeder

Ask = Callable[[PolledFeeder, Event], None]
"""What is done when a source is due: its turns, until it has no more or the event is set (`turn.follow`)."""


def polling_jobs(feeders: Iterable[Feeder], ask: Ask, ended: Event) -> list[Job]:
    """A job for every source that is to be asked, in its own rhythm; the first runs come at once."""
    return [
        Job(f"source {feeder.channel.id}/{feeder.source.id}", feeder.source.poll_s, partial(ask, feeder, ended),
            executor=SOURCES)
        for feeder in feeders
        if isinstance(feeder, PolledFeeder)
    ]  # fmt: skip
