"""The colour of places by their attainment of one metric: the same on the map and in the ranking beside it."""

from collections.abc import Mapping
from statistics import median

from config.catalogue import Metric
from dashboards.panels.target_scale import shade
from metrics.readings import Reading, State
from metrics.states import has_target


def place_shades(metric: Metric, readings: Mapping[str, Reading | None]) -> dict[str, float | None]:
    """Shade of every place, -1 to 1: around the target, or around the middle place where there is no target.

    Too few contacts are no ground for a colour.
    """
    values = {
        code: reading.value
        for code, reading in readings.items()
        if reading is not None and reading.value is not None and reading.state is not State.TOO_FEW
    }
    if has_target(metric):
        return {code: shade(metric, values.get(code)) for code in readings}
    middle = median(values.values()) if values else 0.0
    reach = max((abs(value - middle) for value in values.values()), default=0.0) or 1.0
    sign = -1 if metric.better == "down" else 1
    return {code: round(sign * (values[code] - middle) / reach, 3) if code in values else None for code in readings}
