"""A value against its target, its warning line, its band and its minimum n."""

import numpy as np
import pytest

from config.catalogue import Metric
from config.loading import load
from metrics.readings import State
from metrics.states import ORDER, state_of, states_of, urgency

METRICS = load().metrics
CONNECT, ABANDONMENT, OCCUPANCY = METRICS["manual_connect_rate_15s"], METRICS["abandonment_rate"], METRICS["occupancy"]
UNAIMED = METRICS["abandonment_rate_raw"]
UNWARNED = CONNECT.model_copy(update={"warning": None})


@pytest.mark.parametrize(
    ("metric", "value", "n", "state"),
    [
        (CONNECT, 0.85, 1000, State.GOOD),
        (CONNECT, 0.8499, 1000, State.WARNING),
        (CONNECT, 0.80, 1000, State.WARNING),
        (CONNECT, 0.7999, 1000, State.CRITICAL),
        (CONNECT, 0.0, 20, State.CRITICAL),
        (CONNECT, 0.0, 19, State.TOO_FEW),
        (CONNECT, None, 0, State.NO_VALUE),
        (CONNECT, None, None, State.NO_VALUE),
        (ABANDONMENT, 0.05, 1000, State.GOOD),
        (ABANDONMENT, 0.0501, 1000, State.WARNING),
        (ABANDONMENT, 0.0801, 1000, State.CRITICAL),
        (OCCUPANCY, 0.80, 3600, State.GOOD),
        (OCCUPANCY, 0.88, 3600, State.GOOD),
        (OCCUPANCY, 0.79, 3600, State.WARNING),
        (OCCUPANCY, 0.95, 3600, State.WARNING),
        (UNAIMED, 0.5, 1000, State.NO_TARGET),
        (UNAIMED, 0.5, 3, State.TOO_FEW),
        (UNWARNED, 0.1, 1000, State.WARNING),
    ],
)
def test_state(metric: Metric, value: float | None, n: float | None, state: State) -> None:
    assert state_of(metric, value, n) is state


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    values = np.array([0.9, 0.82, 0.1, 0.1, np.nan])
    n = np.array([50.0, 50.0, 50.0, 5.0, 0.0])
    expected = [
        state_of(CONNECT, None if np.isnan(value) else value, many) for value, many in zip(values, n, strict=True)
    ]
    assert [ORDER[code] for code in states_of(CONNECT, values, n)] == expected


def test_critical_comes_before_warning_and_both_before_all_else() -> None:
    assert [urgency(State.CRITICAL), urgency(State.WARNING)] == [0, 1]
    assert {urgency(state) for state in State if state not in (State.CRITICAL, State.WARNING)} == {2}
