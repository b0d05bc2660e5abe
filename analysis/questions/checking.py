"""What a question names is looked up in the catalogue; what does not exist, or does not fit, is refused in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.questions.faults import CannotAnswer
from analysis.questions.question import (
    CHANNEL,
    GRAINS,
    MOST_GROUPS,
    MOST_PAGE_ROWS,
    REGION,
    Comparison,
    Question,
)
from config.catalogue import Catalogue, Formula, Level, Metric, Sketch
from metrics.formula import formula_of

BELOW = {Level.NATION: "province", Level.PROVINCE: "city", Level.CITY: "centre", Level.CENTRE: REGION}
"""What a region is split into: the store's name of the level."""
LONGEST_VALUE = 200


@dataclass(frozen=True)
class Checked:
    """A question whose names all exist, and what they stand for."""

    question: Question
    metric: Metric | Sketch
    reading: Formula | Sketch
    """How the figure is worked out: the metric's formula, a variant of it, or the sketch itself."""
    channels: tuple[str, ...]
    """Those that deliver every measure, with every dimension that is asked for."""
    keys: tuple[str, ...]
    """The store's names of the groups: levels, `channel`, dimensions."""

    @property
    def subject(self) -> str:
        """The figure's name: the metric, with its variant if it is not the main one."""
        asked = self.question
        return asked.metric if asked.variant is None else f"{asked.metric}:{asked.variant}"

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the figure stands on."""
        return measures_of(self.reading)

    @property
    def marks(self) -> tuple[str, ...]:
        """The dimension that a sketch is read off; () for a metric."""
        return (self.reading.dimension,) if isinstance(self.reading, Sketch) else ()


def check(question: Question, catalogue: Catalogue) -> Checked:
    """Look up all that a question names; raises CannotAnswer saying what is unknown and what there is."""
    metric = _metric(question, catalogue)
    if question.place not in catalogue.regions:
        raise CannotAnswer(
            f"no region {question.place!r}; codes are adcodes such as 440000, or those of config/centres.yaml"
        )
    _known("cannot split by", question.grain, GRAINS)
    if question.channel is not None:
        _known("no channel", question.channel, catalogue.channels)
    reading, keys = _reading(metric, question), _keys(question, catalogue)
    _check_dimensions(question, catalogue, reading)
    _check_form(question, metric)
    return Checked(question, metric, reading, _channels(question, catalogue, reading), keys)


def measures_of(reading: Formula | Sketch) -> tuple[str, ...]:
    """The measures that a figure stands on."""
    return (reading.measure,) if isinstance(reading, Sketch) else reading.measures


def _known(fault: str, name: str, there: Iterable[str]) -> None:
    names = list(there)
    if name not in names:
        raise CannotAnswer(f"{fault} {name!r}; there are {', '.join(names)}")


def _metric(question: Question, catalogue: Catalogue) -> Metric | Sketch:
    _known("no metric", question.metric, [*catalogue.metrics, *catalogue.sketches])
    return catalogue.metrics.get(question.metric) or catalogue.sketches[question.metric]


def _reading(metric: Metric | Sketch, question: Question) -> Formula | Sketch:
    if isinstance(metric, Sketch):
        if question.variant is not None:
            raise CannotAnswer(f"{metric.id} has no variants")
        return metric
    try:
        return formula_of(metric, question.variant)
    except KeyError as error:
        raise CannotAnswer(str(error.args[0])) from None


def _keys(question: Question, catalogue: Catalogue) -> tuple[str, ...]:
    if len(question.groups) > MOST_GROUPS or len(set(question.groups)) < len(question.groups):
        raise CannotAnswer(f"cannot group by {', '.join(question.groups)}: at most {MOST_GROUPS}, each once")
    for group in question.groups:
        _known("cannot group by", group, [REGION, CHANNEL, *catalogue.dimensions])
    below = BELOW[catalogue.regions[question.place].level]
    return tuple(below if group == REGION else group for group in question.groups)


def dimensions_of(question: Question) -> tuple[str, ...]:
    """The dimensions that a question groups by or chooses from."""
    groups = (group for group in question.groups if group not in (REGION, CHANNEL))
    return tuple(dict.fromkeys([*groups, *(dimension for dimension, _ in question.filters)]))


def _check_dimensions(question: Question, catalogue: Catalogue, reading: Formula | Sketch) -> None:
    for dimension, values in question.filters:
        _known("cannot choose by", dimension, catalogue.dimensions)
        for value in values:
            if len(value) > LONGEST_VALUE or not (value.isprintable()):
                raise CannotAnswer(f"a value of {dimension} has at most {LONGEST_VALUE} printable signs")
        if not values:
            raise CannotAnswer(f"no value of {dimension} is chosen: leave it out to have all")
    if isinstance(reading, Sketch) and reading.dimension in dimensions_of(question):
        verb = "group" if reading.dimension in question.groups else "choose"
        raise CannotAnswer(f"cannot {verb} by {reading.dimension!r}: {question.metric} is read off it")


def _check_form(question: Question, metric: Metric | Sketch) -> None:
    """What of a question belongs together."""
    if question.span.end <= question.span.start:
        raise CannotAnswer("the end of the span is not after its start")
    if question.comparison is Comparison.TARGET and metric.target is None:
        raise CannotAnswer(f"{metric.id} has no target to compare with")
    if question.rows and (question.groups or question.grain != "total" or question.comparison is not Comparison.NONE):
        raise CannotAnswer("rows are single observations: they have no grain, no groups and no comparison")
    if not 0 < question.page_rows <= MOST_PAGE_ROWS:
        raise CannotAnswer(f"a page has 1 to {MOST_PAGE_ROWS} rows, not {question.page_rows}")


def _channels(question: Question, catalogue: Catalogue, reading: Formula | Sketch) -> tuple[str, ...]:
    """The channels that know the whole figure: one that knows half of it would bend it."""
    measures = measures_of(reading)
    asked = [question.channel] if question.channel else list(catalogue.channels)
    whole = f"channel {question.channel}" if question.channel else "any channel"
    fit = [name for name in asked if all(catalogue.delivery(name, measure) for measure in measures)]
    if not fit:
        raise CannotAnswer(f"{question.metric} needs {', '.join(measures)}, which {whole} does not deliver together")
    dimensions = dimensions_of(question)
    split = tuple(name for name in fit if _delivers_by(name, measures, dimensions, catalogue))
    if not split:
        raise CannotAnswer(
            f"{question.metric} is not counted by {', '.join(dimensions)}: {whole} does not deliver "
            f"{', '.join(measures)} by {'it' if len(dimensions) == 1 else 'them'}"
        )
    return split


def _delivers_by(channel: str, measures: Sequence[str], dimensions: Sequence[str], catalogue: Catalogue) -> bool:
    """Whether a channel splits every measure by all dimensions; else parts and whole would not meet in one cell."""
    deliveries = [catalogue.delivery(channel, measure) for measure in measures]
    return all(delivery and set(dimensions) <= set(delivery.dimensions) for delivery in deliveries)
