"""Figures that are read off counts by mark, once all parts are added."""

from collections.abc import Mapping

from config.catalogue import Sketch
from metrics.arithmetic import Figure
from metrics.distinct import known, people
from metrics.percentiles import percentile, ranked


def sketch_figure(sketch: Sketch, counts: Mapping[str, float], accuracy: float | None) -> Figure:
    """A percentile (`accuracy` of its bands) or a number of people over counts by mark.

    `n` is the number of cases that have a mark, the denominator that of all cases; no counts at all: not read.
    Cases without any mark give no value, because nobody known is not nobody.
    """
    if not counts:
        return Figure(None, None, None, None)
    every = float(sum(counts.values()))
    if sketch.share is None:
        marked = known(counts)
        return Figure(float(people(marked)) if marked else None, None, every, float(sum(marked.values())))
    if accuracy is None:
        raise ValueError(f"{sketch.id}: the dimension {sketch.dimension} has no bands")
    marked = ranked(counts)
    return Figure(percentile(marked, sketch.share, accuracy), None, every, float(sum(marked.values())))
