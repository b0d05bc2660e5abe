"""PostgreSQL with a standby: the primary and its disk are lost and the standby takes over, or the standby is away."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.faults.course import AWAY_S, Course
from tests.support.faults.lineups import up
from tests.support.faults.with_standby import WithStandby
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(500)]
Begin = Callable[[WithStandby, str], Course]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithStandby]:
    with up(WithStandby(tmp_path_factory.mktemp("pair"))) as lineup:
        yield lineup


def test_primary_lost(pair: WithStandby, course: Begin) -> None:
    """With its disk, twice: a failover manager promotes the standby at once, an operator when he has seen a screen."""
    one = course(pair, "primary PostgreSQL lost with its disk")
    for unattended_s in (one.chance.uniform(0, 2), AWAY_S / 2):
        one.steady()
        with one.fault():
            pair.primary.lose()
            time.sleep(unattended_s)
            pair.fail_over()
        pair.rebuild()
    one.settle()


def test_standby_away(pair: WithStandby, course: Begin) -> None:
    """Commits wait: what is pushed is taken, and not let go of before it is on two disks."""
    one = course(pair, f"standby PostgreSQL away {AWAY_S:.0f} s")
    one.steady()
    with one.fault():
        pair.standby.go_away()
        eventually(pair.primary.commits_waiting, "commits wait for the standby")
        waiting, before = pair.accepted(), pair.sender.acknowledged
        time.sleep(AWAY_S)
        assert pair.waits(waiting)
        assert pair.sender.acknowledged > before
        pair.standby.come_back()
    one.settle()


def test_what_waited_for_the_standby_when_the_primary_died(pair: WithStandby, course: Begin) -> None:
    """The primary that comes back has rows that are on its disk alone: they are not taken for stored."""
    one = course(pair, "standby away and primary killed, then lost")
    one.steady()
    with one.fault():
        pair.standby.go_away()
        eventually(pair.primary.commits_waiting, "commits wait for the standby")
        waiting = pair.accepted()
        pair.primary.kill()
        eventually(pair.primary.commits_waiting, "commits wait again")
        time.sleep(AWAY_S / 4)
        assert pair.waits(waiting)
        pair.primary.lose()
        pair.standby.come_back()
        pair.standby.ready()
        pair.fail_over()
    pair.rebuild()
    one.settle()
