"""A burst at once, then evenly; a wait is told, and beyond the patience nothing is taken."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from access.rate_limit import RateLimit


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_may_come_at_once_and_then_so_many_a_second() -> None:
    clock = Clock()
    rate = RateLimit(3, 2.0, clock)
    assert [rate.reserve() for _ in range(4)] == [0, 0, 0, None]
    assert rate.wait_s() == pytest.approx(0.5)
    clock.now += 0.5
    assert [rate.reserve(), rate.reserve()] == [0, None]
    clock.now += 3600
    assert [rate.reserve() for _ in range(4)] == [0, 0, 0, None]


def test_there_is_always_one_call_after_a_silence() -> None:
    rate = RateLimit(0.1, 0.01, Clock())
    assert [rate.reserve(), rate.reserve()] == [0, None]


def test_a_call_beyond_the_patience_takes_nothing() -> None:
    rate = RateLimit(1, 0.09, Clock())
    assert rate.reserve(1) == 0
    assert rate.reserve(1) is None
    assert rate.wait_s() == pytest.approx(1 / 0.09)
    assert rate.reserve(100) == pytest.approx(1 / 0.09)
    assert rate.reserve(100) == pytest.approx(2 / 0.09)


def test_a_wait_that_is_as_long_as_the_patience_is_taken() -> None:
    rate = RateLimit(1, 0.5, Clock())
    rate.reserve()
    assert rate.reserve(2.0) == 2.0


def test_a_clock_that_stands_still_gives_nothing_back() -> None:
    rate = RateLimit(1, 5.0, Clock())
    rate.reserve()
    assert [rate.wait_s() for _ in range(3)] == pytest.approx([0.2] * 3)


def test_callers_beside_each_other_take_no_more_than_there_is() -> None:
    rate = RateLimit(50, 0.001, Clock())
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: rate.reserve(), range(400)))
    assert taken.count(0.0) == 50
