"""The clock of the product and of Valkey is stepped by five minutes, forwards and back, under load."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.load import minutes_from
from store.state import open_state
from tests.support.faults.course import Course
from tests.support.faults.lineups import Lineup, Split, up
from tests.support.faults.screens import Screen
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]
STEP_S = 300


class Clock:
    """Debian's libfaketime, told by a file; what processes wait for by the steady clock is left alone."""

    def __init__(self, file: Path) -> None:
        self._file, self._stepped_s = file, 0
        self.step(0)
        self.environment = {
            "LD_PRELOAD": str(next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, seconds: int) -> None:
        self._stepped_s += seconds
        new = self._file.with_suffix(".new")
        new.write_text(f"{self._stepped_s:+d}\n")
        os.replace(new, self._file)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    made = Clock(tmp_path_factory.mktemp("clock") / "offset")
    asked = ["date", "-u", "+%s"]
    stepped, true = (
        int(subprocess.run(asked, env={**os.environ, **more}, capture_output=True, check=True, timeout=10).stdout)
        for more in (made.environment, {})
    )
    assert abs(stepped - true) <= 1
    return made


@pytest.fixture(scope="module")
def split(clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Split]:
    lineup = Split(tmp_path_factory.mktemp("stepped"), clock.environment)
    lineup.screens.append(Screen(lineup.addresses[0], "quality?lang=en"))
    with up(lineup):
        yield lineup


@pytest.mark.parametrize("seconds", [STEP_S, -STEP_S])
def test_clock_stepped(split: Split, clock: Clock, course: Callable[[Lineup, str], Course], seconds: int) -> None:
    one = course(split, f"clock stepped {seconds:+d} s")
    one.steady()
    with one.fault():
        clock.step(seconds)
    one.settle()


def test_the_audit_says_that_figures_come_from_the_future(split: Split, clock: Clock) -> None:
    state = open_state(split.database_url(), split.catalogue.rules)

    def found() -> bool:
        return any(one.rule == "TM-04" for one in state.findings.open())

    try:
        assert not found()
        clock.step(-STEP_S)
        split.sender.deliver(split.load.channels[0], minutes_from(datetime.now(UTC) - timedelta(minutes=1), 1)[0])
        eventually(found, "the audit finds TM-04")
    finally:
        clock.step(STEP_S)
        state.close()
