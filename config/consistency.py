"""What must be true across the files of a catalogue; each function tells what is not."""

from collections.abc import Iterable, Iterator
from string import Formatter

from config.catalogue import (
    NATION,
    Channel,
    Definition,
    Expectation,
    Formula,
    Kind,
    Level,
    Metric,
    Region,
    Sketch,
    Text,
)
from config.drafts import Draft
from config.faults import Fault

DAY_S = 86_400
Remarks = Iterator[tuple[str, str]]
"""Pairs of a key in the file and what is wrong with it."""
NEEDS = {"be_one_of": "values", "not_be_one_of": "values", "not_precede": "other"}
"""What each kind of expectation compares with."""


def consistency_faults(draft: Draft) -> Iterator[Fault]:
    """Every fault that only shows when the files are read together."""
    for metric in draft.metrics.nouns.values():
        for key, reason in _metric(metric, draft):
            yield draft.metrics.fault(metric.id, key, reason)
    for sketch in draft.sketches.nouns.values():
        for key, reason in _sketch(sketch, draft):
            yield draft.sketches.fault(sketch.id, key, reason)
    for channel in draft.channels.nouns.values():
        for key, reason in _channel(channel, draft):
            yield draft.channels.fault(channel.id, key, reason)
    for region in draft.regions.nouns.values():
        for key, reason in _region(region, draft):
            yield draft.regions.fault(region.code, f"{region.code}.{key}", reason)
    for key, text in draft.words.nouns.items():
        for reason in _phrase(text):
            yield draft.words.fault(key, key, reason)


def _metric(metric: Metric, draft: Draft) -> Remarks:
    yield from _formula("formula", metric.formula, draft)
    for name, formula in metric.variants.items():
        yield from _formula(f"variants.{name}", formula, draft)
    yield from _unknown_dimensions("data_rule.dimensions", metric.data_rule.dimensions, draft)
    yield from _target(metric)
    for index, example in enumerate(metric.examples):
        key = f"examples.{index}"
        if example.variant is not None and example.variant not in metric.variants:
            yield f"{key}.variant", f"unknown variant {example.variant!r}"
            continue
        formula = metric.variants[example.variant] if example.variant else metric.formula
        unlike = sorted(set(example.measures) ^ set(formula.measures))
        if unlike:
            yield f"{key}.measures", f"must give exactly the measures of the formula; differs in {', '.join(unlike)}"


def _formula(key: str, formula: Formula, draft: Draft) -> Remarks:
    parts = (("numerator", formula.numerator_terms), ("denominator", formula.denominator_terms))
    for part, terms in parts:
        for name in terms:
            if draft.measures.lacks(name):
                yield f"{key}.{part}", f"unknown measure {name!r}"
            measure = draft.measures.nouns.get(name)
            if measure is not None and measure.kind is Kind.PEAK and len(terms) > 1:
                yield f"{key}.{part}", f"{name!r} is a peak; the largest of sums is not a sum, so it must stand alone"


def _sketch(sketch: Sketch, draft: Draft) -> Remarks:
    """The marks are counts that add up, and those of the kind that the figure is read off."""
    if sketch.id in draft.metrics.files:
        yield "id", f"there is a metric {sketch.id!r} already"
    if draft.measures.lacks(sketch.measure):
        yield "measure", f"unknown measure {sketch.measure!r}"
    measure = draft.measures.nouns.get(sketch.measure)
    if measure is not None and measure.kind is not Kind.ADDITIVE:
        yield "measure", f"{sketch.measure!r} is a {measure.kind}; only counts that add up can be merged"
    yield from _unknown_dimensions("dimension", (sketch.dimension,), draft)
    yield from _unknown_dimensions("data_rule.dimensions", sketch.data_rule.dimensions, draft)
    dimension = draft.dimensions.nouns.get(sketch.dimension)
    if dimension is not None and (dimension.accuracy is None) != (sketch.share is None):
        holds = "bands of a quantity" if dimension.accuracy else "no bands (it has no accuracy)"
        yield "share", f"does not fit: {sketch.dimension!r} has {holds}, and a percentile is read off bands alone"
    yield from _target(sketch)


def _target(metric: Definition) -> Remarks:
    """The warning line lies on the bad side of the target, and a band has two ends."""
    if metric.better == "band" and metric.band is None:
        yield "band", "is missing: a metric that is best inside a band needs its two ends"
    if metric.better != "band" and metric.band is not None:
        yield "band", f"has no effect while better is {metric.better!r}"
    if metric.band is not None and metric.band[0] >= metric.band[1]:
        yield "band", "the lower end must come first"
    if metric.better in ("none", "band") and metric.target is not None:
        yield "target", f"has no effect while better is {metric.better!r}"
    if metric.warning is None:
        return
    if metric.target is None or metric.better not in ("up", "down"):
        yield "warning", "has no effect without a target to fall short of"
    elif metric.better == "up" and metric.warning > metric.target:
        yield "warning", f"must lie below the target {metric.target}, since better is 'up'"
    elif metric.better == "down" and metric.warning < metric.target:
        yield "warning", f"must lie above the target {metric.target}, since better is 'down'"


def _channel(channel: Channel, draft: Draft) -> Remarks:
    if DAY_S % channel.interval_s:
        yield "interval_s", f"{channel.interval_s} s does not divide a day"
    yield from _unknown_dimensions("dimensions", channel.dimensions, draft)
    sources: set[str] = set()
    delivered: dict[str, str] = {}
    for index, source in enumerate(channel.sources):
        key = f"sources.{index}"
        if source.id in sources:
            yield f"{key}.id", f"the channel has a source {source.id!r} already"
        sources.add(source.id)
        for delivery in source.delivers:
            at = f"{key}.delivers.{delivery.measure}"
            if draft.measures.lacks(delivery.measure):
                yield at, f"unknown measure {delivery.measure!r}"
            if delivery.measure in delivered:
                yield at, f"is delivered by source {delivered[delivery.measure]!r} already: it would count twice"
            delivered[delivery.measure] = source.id
            yield from _unknown_dimensions(f"{at}.dimensions", delivery.dimensions, draft)
        for number, expectation in enumerate(source.expects):
            yield from _expectation(f"{key}.expects.{number}", expectation)


def _expectation(key: str, expectation: Expectation) -> Remarks:
    """An expectation has what its `must` compares with."""
    if expectation.must == "be_between" and expectation.low is None and expectation.high is None:
        yield f"{key}.low", "is missing: `be_between` needs low, high or both"
    needed = NEEDS.get(expectation.must)
    if needed is not None and not getattr(expectation, needed):
        yield f"{key}.{needed}", f"is missing: `{expectation.must}` compares with it"


def _region(region: Region, draft: Draft) -> Remarks:
    if region.parent is None:
        if region.level is Level.CENTRE:
            yield "parent", "is missing: name its city, or say lon and lat and build the maps, which finds the city"
        elif region.code != NATION:
            yield "parent", f"is missing: only the nation {NATION} has none"
        return
    if draft.regions.lacks(region.parent):
        yield "parent", f"unknown region {region.parent!r}"
    parent = draft.regions.nouns.get(region.parent)
    if parent is not None and parent.level.rank >= region.level.rank:
        yield "parent", f"{parent.code} is a {parent.level}, which cannot hold a {region.level}"
    cycle = _cycle(region.code, draft)
    if cycle:
        yield "parent", f"the parents go round in a circle: {' > '.join(cycle)}"
    for code in region.serves:
        served = draft.regions.nouns.get(code)
        if draft.regions.lacks(code):
            yield "serves", f"unknown region {code!r}"
        elif served is not None and (served.level is Level.CENTRE or not served.served):
            yield "serves", f"{code} has no customers to serve"


def _cycle(code: str, draft: Draft) -> list[str]:
    """The way from a region up to itself, or nothing."""
    path = [code]
    while (region := draft.regions.nouns.get(path[-1])) is not None and region.parent is not None:
        path.append(region.parent)
        if region.parent == code:
            return path
        if region.parent in path[:-1]:
            break
    return []


def _unknown_dimensions(key: str, names: Iterable[str], draft: Draft) -> Remarks:
    for name in names:
        if draft.dimensions.lacks(name):
            yield key, f"unknown dimension {name!r}; it must be in dimensions.yaml"


def _phrase(text: Text) -> Iterator[str]:
    """A phrase has the same placeholders in both languages."""
    try:
        holes = [
            {name for _, name, _, _ in Formatter().parse(words) if name is not None} for words in (text.zh, text.en)
        ]
    except ValueError as error:
        yield f"a brace is out of place ({error}); write {{{{ for a plain one"
        return
    if holes[0] != holes[1]:
        yield f"zh and en differ in placeholders: {', '.join(sorted(holes[0] ^ holes[1]))}"
