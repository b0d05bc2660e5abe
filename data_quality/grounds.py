"""What trust is judged by that only a catalogue says: which figure stands on which sources, and when they are due."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from config.catalogue import Catalogue, Definition, Formula, Sketch
from data_quality.grid.schedule import deadline_of
from data_quality.reach import Reach

EVERY = ""
"""Channel of a figure over all channels."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Subject:
    """A figure that can be trusted or not: a metric, a variant of one, or what is read off a sketch."""

    metric: str
    measures: tuple[str, ...]
    cohort: bool
    """Whether it counts contacts where they arrived, so that it moves until all of them have ended."""

    @classmethod
    def of(cls, metric: Definition, reading: Formula | Sketch) -> "Subject":
        """The figure of a definition that is worked out in one way."""
        measures = (reading.measure,) if isinstance(reading, Sketch) else reading.measures
        return cls(metric.id, measures, metric.attribution == "arrival_cohort")


class Grounds:
    """What the sources and the figures of a catalogue are judged by; made once for it."""

    def __init__(
        self, catalogue: Catalogue, subjects: Mapping[str, Subject] | None = None, reach: Reach | None = None
    ) -> None:
        """The main figure of every metric, unless others are named."""
        main = {metric.id: Subject.of(metric, metric.formula) for metric in catalogue.metrics.values()}
        self.catalogue, self.reach = catalogue, reach or Reach(catalogue)
        self.subjects = main if subjects is None else dict(subjects)
        self.channels = (*catalogue.channels, EVERY)
        self.sources = tuple(
            (channel.id, source.id) for channel in catalogue.channels.values() for source in channel.sources
        )
        self.of_channel: Mask = np.array([[own == name for own, _ in self.sources] for name in catalogue.channels])
        """(channel, source): whether the source is the channel's."""
        self.rests: Mask = np.array([self._rests(subject) for subject in self.subjects.values()], np.bool_)
        """(figure, source): whether the source delivers any of its measures."""
        self.whole: Mask = np.array([self._whole(subject) for subject in self.subjects.values()], np.bool_)
        """(figure, channel): whether the channel's sources deliver all of its measures."""
        self.cohort: Mask = np.array([subject.cohort for subject in self.subjects.values()], np.bool_)
        self.due = {
            (channel.id, source.id): (max(channel.interval_s, source.poll_s), deadline_of(source, catalogue))
            for channel in catalogue.channels.values()
            for source in channel.sources
        }
        """By source: seconds of an interval (or of its polling), and after an interval's end until it is due."""

    def about(self, subjects: Mapping[str, Subject]) -> "Grounds":
        """The same catalogue, other figures."""
        return Grounds(self.catalogue, subjects, self.reach)

    def _rests(self, subject: Subject) -> list[bool]:
        return [bool(set(subject.measures) & self.reach.delivered[key].keys()) for key in self.sources]

    def _whole(self, subject: Subject) -> list[bool]:
        return [set(subject.measures) <= self.reach.delivered[name, ""].keys() for name in self.catalogue.channels]
