"""The parameters of windows that show figures: the time window, and the metric in focus.

A parameter of one window alone stands in that window's module, in the same form.
"""

from config.catalogue import Catalogue
from dashboards.views import Parameter
from metrics.readings import WINDOWS

FIRST_METRICS = ("service_level_20s", "answer_rate")
"""What is shown when the URL names no metric: the first of these that the catalogue has, else its first."""


def first_metric(catalogue: Catalogue) -> str:
    """The metric of a URL that names none; '' when the catalogue has no metric at all."""
    for metric in (*FIRST_METRICS, *catalogue.metrics):
        if metric in catalogue.metrics:
            return metric
    return ""


TIME = Parameter("time", lambda catalogue: tuple(WINDOWS), lambda catalogue: next(iter(WINDOWS)))
"""A key of `metrics.readings.WINDOWS`."""
METRIC = Parameter("metric", lambda catalogue: tuple(catalogue.metrics) or ("",), first_metric)
"""A key of the catalogue's metrics."""
