"""Write `docs/metrics.md` and `docs/channels.md` from the catalogue: `python -m config.document [--check]`.

The YAML files are what holds; the pages are for reading. `--check` writes nothing and fails when a
page is not what the catalogue says now.
"""

import sys
from collections.abc import Iterable, Iterator

from config.catalogue import Catalogue, Channel, Example, Formula, Measure, Metric, Source
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
MEASURES_INTRODUCTION = """
What sources count. Additive measures sum over everything. A level sums over places at one instant; over time its last,
mean or largest instant stands for the period. A peak takes the largest both ways.
"""


def metrics_page(catalogue: Catalogue) -> str:
    """The dictionary of metrics and measures as Markdown."""
    metrics = sorted(catalogue.metrics.values(), key=lambda metric: metric.id)
    return _page(
        HEAD,
        "# Metrics",
        METRICS_INTRODUCTION,
        *_table(("id", "name", "formula", "unit", "better", "target"), map(_metric_row, metrics)),
        *(line for metric in metrics for line in _metric_section(metric)),
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
    name = f"[{metric.id}](#{metric.id})"
    return (
        name,
        f"{metric.name.zh} / {metric.name.en}",
        _formula(metric.formula),
        metric.unit,
        metric.better,
        _aim(metric),
    )


def _metric_section(metric: Metric) -> Iterator[str]:
    rule, owner = metric.data_rule, metric.ownership
    attribution = metric.attribution.replace("_", " ")
    yield f"## {metric.id}"
    yield f"**{metric.name.zh} / {metric.name.en}**"
    yield ""
    yield f"- Meaning: {metric.meaning.zh} / {metric.meaning.en}."
    yield f"- Formula: `{_formula(metric.formula)}`; unit {metric.unit}; attribution {attribution}."
    for name, formula in metric.variants.items():
        yield f"- Variant {name}: `{_formula(formula)}`."
    yield f"- Better: {metric.better}. Target: {_aim(metric)}."
    yield f"- Source: {rule.source.zh} / {rule.source.en}; {rule.collection}; class {rule.quality_class}."
    yield f"- Every {rule.frequency_s} s, due after {rule.deadline_s} s, at most {rule.lateness_allowed_s} s late."
    yield f"- Minimum n: {rule.minimum_n}. Dimensions: {', '.join(rule.dimensions) or 'none'}."
    yield f"- Owner: {owner.department.zh} / {owner.department.en}; reviewed {owner.reviewed_on}."
    yield f"- Version {owner.version}, valid from {owner.valid_from}."
    yield ""
    yield from _table(("example", "variant", "value"), map(_example_row, metric.examples))


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


def _aim(metric: Metric) -> str:
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
