"""PostgreSQL is away for a minute: pushes are taken all the same, wait, and are counted when it is back."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.faults.course import AWAY_S, Course
from tests.support.faults.lineups import Lineup, Split, up

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]


def test_postgres_away(tmp_path: Path, course: Callable[[Lineup, str], Course]) -> None:
    lineup = Split(tmp_path)
    with up(lineup):
        one = course(lineup, f"postgres away {AWAY_S:.0f} s")
        one.steady()
        with one.fault():
            lineup.parts["postgres"].go_away()
            before = lineup.sender.acknowledged
            time.sleep(AWAY_S)
            assert lineup.sender.acknowledged > before
            lineup.parts["postgres"].come_back()
        one.settle()
