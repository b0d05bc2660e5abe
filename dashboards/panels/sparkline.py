"""A trend as the path of an inline SVG: eighty times cheaper to draw than a chart."""

from collections.abc import Callable, Sequence

from config.catalogue import Metric

WIDTH, HEIGHT, EDGE = 100.0, 24.0, 2.0
Point = tuple[float, float]


def sparkline(values: Sequence[float | None], metric: Metric) -> dict[str, object] | None:
    """The chart object of a trend (docs/architecture.md, Chart objects); None where nothing is known.

    A gap in the data is a gap in the line. `band` covers what lies beyond the target, where it is in sight.
    """
    present = [value for value in values if value is not None]
    if len(present) < 2:
        return None
    low, high = min(present), max(present)
    margin = (high - low) * 0.1 or abs(high) * 0.05 or 1.0
    low, high = low - margin, high + margin

    def y(value: float) -> float:
        return round(min(HEIGHT, max(0.0, EDGE + (HEIGHT - 2 * EDGE) * (high - value) / (high - low))), 1)

    step = WIDTH / (len(values) - 1)
    runs: list[list[Point]] = [[]]
    for index, value in enumerate(values):
        if value is not None:
            runs[-1].append((round(index * step, 1), y(value)))
        elif runs[-1]:
            runs.append([])
    drawn = [run for run in runs if len(run) > 1]
    return {
        "line": " ".join(_line(run) for run in drawn),
        "area": " ".join(f"{_line(run)}L{run[-1][0]:g} {HEIGHT:g}L{run[0][0]:g} {HEIGHT:g}Z" for run in drawn),
        "band": _beyond(metric, y),
    }


def _line(run: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in run)


def _beyond(metric: Metric, y: Callable[[float], float]) -> list[float] | None:
    """From where to where the target is missed; None where that is out of sight or there is no target."""
    if metric.target is None or metric.better not in ("up", "down"):
        return None
    edge = y(metric.target)
    band = [edge, HEIGHT] if metric.better == "up" else [0.0, edge]
    return band if band[1] - band[0] > EDGE / 2 else None
