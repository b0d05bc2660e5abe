"""A reading against its target: good, warning, critical, or why it cannot be judged; and which of these come first."""

import numpy as np
import numpy.typing as npt

from config.catalogue import Definition
from metrics.formula import Floats
from metrics.readings import State

ORDER = tuple(State)
"""States by the codes of `states_of`."""
CODES = {state: np.int8(code) for code, state in enumerate(ORDER)}
URGENT = (State.CRITICAL, State.WARNING)
"""States that somebody must act on, the worst first."""


def urgency(state: State) -> int:
    """Place of a state where the most urgent stands first; all that nobody must act on are equally late."""
    return URGENT.index(state) if state in URGENT else len(URGENT)


def has_target(metric: Definition) -> bool:
    """Whether anybody has said what the metric should be."""
    return metric.target is not None or metric.band is not None


def state_of(metric: Definition, value: float | None, n: float | None) -> State:
    """State of one value; None is no value, and below the metric's minimum n it is too few, not red."""
    values = np.array([np.nan if value is None else value])
    return ORDER[int(states_of(metric, values, np.array([np.nan if n is None else n]))[0])]


def states_of(metric: Definition, values: Floats, n: Floats) -> npt.NDArray[np.int8]:
    """State of many values of one metric, as places in ORDER; NaN is no value.

    A miss without a warning line, and a value outside its band, is a warning: nobody has said how far is critical.
    """
    critical, missed = _misses(metric, values)
    judged = np.full(values.shape, CODES[State.GOOD if has_target(metric) else State.NO_TARGET])
    judged[missed] = CODES[State.WARNING]
    judged[critical] = CODES[State.CRITICAL]
    judged[n < metric.data_rule.minimum_n] = CODES[State.TOO_FEW]
    judged[np.isnan(values)] = CODES[State.NO_VALUE]
    return judged


def _misses(metric: Definition, values: Floats) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """(critical, missed) for each value."""
    never = np.zeros(values.shape, dtype=np.bool_)
    if metric.band is not None:
        low, high = metric.band
        return never, (values < low) | (values > high)
    if metric.target is None:
        return never, never
    side = -1.0 if metric.better == "up" else 1.0
    critical = never if metric.warning is None else side * values > side * metric.warning
    return critical, side * values > side * metric.target
