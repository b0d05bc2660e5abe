"""Valkey is away for a minute: nothing can be promised and nothing shown, and the screens say so."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.faults.course import AWAY_S, Course
from tests.support.faults.lineups import Lineup, Split, up
from tests.support.faults.screens import Glass

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]


def test_valkey_away(tmp_path: Path, course: Callable[[Lineup, str], Course]) -> None:
    lineup = Split(tmp_path)
    lineup.screens.append(Glass(lineup.addresses[0], "hq?lang=en"))
    with up(lineup):
        one = course(lineup, f"valkey away {AWAY_S:.0f} s")
        one.steady()
        with one.fault():
            lineup.parts["valkey"].go_away()
            time.sleep(AWAY_S)
            lineup.parts["valkey"].come_back()
        assert any("unavailable" in told for told in lineup.sender.put_off)
        one.settle()
