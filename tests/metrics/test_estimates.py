"""Intervals of shares, agents from Erlang C."""

import pytest

from metrics.proportions import wilson_interval
from metrics.staffing import Demand, agents_needed, expected_service_level, probability_of_waiting

HALF_HOUR = Demand(contacts=100, interval_s=1800, aht_s=180)


def test_erlang_c_gives_14_agents_and_their_service_level() -> None:
    assert agents_needed(HALF_HOUR, target=0.80, within_s=20) == 14
    assert expected_service_level(HALF_HOUR, 14, within_s=20) == pytest.approx(0.88835, abs=5e-6)
    assert expected_service_level(HALF_HOUR, 13, within_s=20) < 0.80


def test_agents_who_cannot_keep_up_answer_nobody_in_time() -> None:
    assert HALF_HOUR.load == pytest.approx(10)
    assert probability_of_waiting(HALF_HOUR, 10) == 1.0
    assert expected_service_level(HALF_HOUR, 10, within_s=20) == 0.0


def test_one_agent_is_the_single_server_queue() -> None:
    """With one agent Erlang C is M/M/1: the chance to wait is the occupancy."""
    assert probability_of_waiting(Demand(10, 1800, 90), 1) == pytest.approx(0.5)


def test_no_contacts_need_nobody() -> None:
    quiet = Demand(0, 1800, 180)
    assert agents_needed(quiet, 0.8, 20) == 0
    assert expected_service_level(quiet, 0, 20) == 1.0


def test_thousands_of_agents_do_not_overflow() -> None:
    assert 6000 < agents_needed(Demand(60_000, 1800, 180), 0.8, 20) < 6100


@pytest.mark.parametrize("target", [1.0, -0.1, 80])
def test_a_target_that_cannot_be_planned_for(target: float) -> None:
    with pytest.raises(ValueError, match="cannot be planned for"):
        agents_needed(HALF_HOUR, target, 20)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_published(successes: int, n: int, low: float, high: float) -> None:
    """The last two are Newcombe's (1998) examples of the score interval."""
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_without_cases_and_beyond_them() -> None:
    assert wilson_interval(0, 0) is None
    with pytest.raises(ValueError, match="not a share"):
        wilson_interval(11, 10)
