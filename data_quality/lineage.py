"""Which metrics stand on which measure: a measure is as important, and as urgent, as what is built on it."""

from config.catalogue import Catalogue, Metric


def metrics_by_measure(catalogue: Catalogue) -> dict[str, tuple[Metric, ...]]:
    """The metrics that stand on each measure, in any variant."""
    found: dict[str, list[Metric]] = {}
    for metric in catalogue.metrics.values():
        for measure in measures_of(metric):
            found.setdefault(measure, []).append(metric)
    return {measure: tuple(metrics) for measure, metrics in found.items()}


def measures_of(metric: Metric) -> tuple[str, ...]:
    """The measures of a metric's formula and of its variants, each once."""
    formulas = (metric.formula, *metric.variants.values())
    return tuple(dict.fromkeys(name for formula in formulas for name in formula.measures))
