"""Write `docs/metrics.md` and `docs/channels.md` from the catalogue: `python -m config.document [--check]`.

The YAML files are what holds; the pages are for reading. `--check` writes nothing and fails when a
page is not what the catalogue says now.
"""

import sys
from collections.abc import Iterable, Iterator
from functools import partial

from config.catalogue import (
    Catalogue,
    Channel,
    Definition,
    Example,
    Formula,
    Measure,
    Metric,
    Sketch,
    SketchExample,
    Source,
)
from config.loading import load
from config.settings import ROOT

HEAD = "<!-- Written by `python -m config.document`; change the files in config/ and run it again. -->"
DOCS = ROOT / "docs"


METRICS_INTRODUCTION = """
A metric is a numerator over a denominator, each linear over measures; sums first, divided last. 0/0 is no value (`--`).
The variants of a metric are other ways of counting it, asked for by name (`query … --variant F1`).

There is no composite quality index yet: a weighted mean of ratios is not linear over measures, so it would not add up
over places and intervals.
"""
SKETCHES_INTRODUCTION = """
A sketch is read off the marks that cases leave in a dimension, once the counts by mark are added: a percentile off
bands of a quantity, a number of people off marks of people. Parts of places, channels or time, added, give the same
figure as the whole; the figures themselves never add up (`query … --group` says under `together` what they come to).
"""
MEASURES_INTRODUCTION = """
What sources count. Additive measures sum over everything. A level sums over places at one instant; over time its last,
mean or largest instant stands for the period. A peak takes the largest both ways.
"""


def metrics_page(catalogue: Catalogue) -> str:
    """The dictionary of metrics, sketches and measures as Markdown."""
    metrics = sorted(catalogue.metrics.values(), key=lambda metric: metric.id)
    sketches = sorted(catalogue.sketches.values(), key=lambda sketch: sketch.id)
    return _page(
        HEAD,
        "# Metrics",
        METRICS_INTRODUCTION,
        *_table(("id", "name", "formula", "unit", "better", "target"), map(_metric_row, metrics)),
        *(line for metric in metrics for line in _metric_section(metric)),
        "# Sketches",
        SKETCHES_INTRODUCTION,
        *_table(("id", "name", "read off", "unit", "better", "target"), map(partial(_sketch_row, catalogue), sketches)),
        *(line for sketch in sketches for line in _sketch_section(sketch, catalogue)),
        "# Measures",
        MEASURES_INTRODUCTION,
        *_table(("id", "name", "kind", "unit", "meaning"), map(_measure_row, catalogue.measures.values())),
    )


def channels_page(catalogue: Catalogue) -> str:
    """The channels, their sources and what each delivers, as Markdown."""
    sections = (line for channel in catalogue.channels.values() for line in _channel_section(channel))
    return _page(
        HEAD, "# Channels", "The ways in which customers reach the operator, and what counts them.", "", *sections
    )


def _metric_row(metric: Metric) -> tuple[str, ...]:
    return _definition_row(metric, _formula(metric.formula))


def _sketch_row(catalogue: Catalogue, sketch: Sketch) -> tuple[str, ...]:
    return _definition_row(sketch, _read_off(sketch, catalogue))


def _definition_row(metric: Definition, made: str) -> tuple[str, ...]:
    name = f"[{metric.id}](#{metric.id})"
    return name, f"{metric.name.zh} / {metric.name.en}", made, metric.unit, metric.better, _aim(metric)


def _metric_section(metric: Metric) -> Iterator[str]:
    yield from _head(metric)
    yield f"- Formula: `{_formula(metric.formula)}`; {_unit(metric)}."
    for name, formula in metric.variants.items():
        yield f"- Variant {name}: `{_formula(formula)}`."
    yield from _elements(metric)
    yield from _table(("example", "variant", "value"), map(_example_row, metric.examples))


def _sketch_section(sketch: Sketch, catalogue: Catalogue) -> Iterator[str]:
    yield from _head(sketch)
    yield f"- Read off: {_read_off(sketch, catalogue)}; {_unit(sketch)}."
    yield from _elements(sketch)
    yield from _table(("example", "value"), map(_sketch_example_row, sketch.examples))


def _head(metric: Definition) -> Iterator[str]:
    yield f"## {metric.id}"
    yield f"**{metric.name.zh} / {metric.name.en}**"
    yield ""
    yield f"- Meaning: {metric.meaning.zh} / {metric.meaning.en}."


def _unit(metric: Definition) -> str:
    return f"unit {metric.unit}; attribution {metric.attribution.replace('_', ' ')}"


def _elements(metric: Definition) -> Iterator[str]:
    rule, owner = metric.data_rule, metric.ownership
    yield f"- Better: {metric.better}. Target: {_aim(metric)}."
    yield f"- Source: {rule.source.zh} / {rule.source.en}; {rule.collection}; class {rule.quality_class}."
    yield f"- Every {rule.frequency_s} s, due after {rule.deadline_s} s, at most {rule.lateness_allowed_s} s late."
    yield f"- Minimum n: {rule.minimum_n}. Dimensions: {', '.join(rule.dimensions) or 'none'}."
    yield f"- Owner: {owner.department.zh} / {owner.department.en}; reviewed {owner.reviewed_on}."
    yield f"- Version {owner.version}, valid from {owner.valid_from}."
    yield ""


def _sketch_example_row(example: SketchExample) -> tuple[str, ...]:
    cases = ", ".join(f"{case:g}" if isinstance(case, float) else case for case in example.cases)
    return cases or "none", "--" if example.value is None else f"{example.value:g}"


def _read_off(sketch: Sketch, catalogue: Catalogue) -> str:
    cases = f"`{sketch.measure}` by `{sketch.dimension}`"
    if sketch.share is None:
        return f"different people among {cases}"
    return f"value at {sketch.share:g} of {cases}, within {catalogue.accuracies[sketch.dimension]:g} of it"


def _example_row(example: Example) -> tuple[str, ...]:
    given = ", ".join(f"{measure} {amount:g}" for measure, amount in example.measures.items())
    return given, example.variant or "", "--" if example.value is None else f"{example.value:g}"


def _measure_row(measure: Measure) -> tuple[str, ...]:
    kind = f"{measure.kind} ({measure.over_time})" if measure.kind == "level" else measure.kind.value
    meaning = f"{measure.meaning.zh} / {measure.meaning.en}" if measure.meaning else ""
    return measure.id, f"{measure.name.zh} / {measure.name.en}", kind, measure.unit, meaning


def _channel_section(channel: Channel) -> Iterator[str]:
    yield f"## {channel.id}"
    yield f"**{channel.name.zh} / {channel.name.en}**"
    yield ""
    yield f"- Interval {channel.interval_s} s, settled {channel.settle_s} s after its end; zone {channel.zone}."
    yield f"- Capabilities: {', '.join(channel.capabilities) or 'none named'}."
    yield ""
    yield from _table(("source", "kind", "polled", "delivers"), map(_source_row, channel.sources))


def _source_row(source: Source) -> tuple[str, ...]:
    grains: dict[str, list[str]] = {}
    for delivery in source.delivers:
        grains.setdefault(delivery.grain, []).append(delivery.measure)
    delivers = "; ".join(f"by {grain}: {', '.join(measures)}" for grain, measures in grains.items())
    return source.id, source.kind, f"{source.poll_s} s", delivers


def _formula(formula: Formula) -> str:
    parts = [part if " " not in part else f"({part})" for part in (formula.numerator, formula.denominator) if part]
    return " / ".join(parts) + (f" × {formula.scale:g}" if formula.scale != 1 else "")


def _aim(metric: Definition) -> str:
    if metric.band is not None:
        return f"{metric.band[0]:g} to {metric.band[1]:g}"
    if metric.target is None:
        return "none"
    return f"{metric.target:g}" + (f" (critical beyond {metric.warning:g})" if metric.warning is not None else "")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""


def _page(*lines: str) -> str:
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` only say which are out of date; the exit status."""
    catalogue = load()
    pages = {DOCS / "metrics.md": metrics_page(catalogue), DOCS / "channels.md": channels_page(catalogue)}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path} is not what config/ says: run `python -m config.document`")
        return 1 if stale else 0
    for path in stale:
        path.write_text(pages[path], encoding="utf-8")
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
