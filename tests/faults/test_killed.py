"""SIGKILL at random moments under load, several times each: the pipeline, a web process, Valkey, PostgreSQL."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.faults.course import Course
from tests.support.faults.lineups import Split, up
from tests.support.faults.screens import Glass

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
KILLS = 3
Begin = Callable[[Split, str], Course]


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Split]:
    lineup = Split(tmp_path_factory.mktemp("killed"))
    lineup.screens.append(Glass(lineup.addresses[0], "hq?lang=en"))
    with up(lineup):
        yield lineup


@pytest.mark.parametrize("name", ["pipeline", "web-a", "valkey", "postgres"])
def test_killed(split: Split, course: Begin, name: str) -> None:
    one = course(split, f"{name} killed")
    for _ in range(KILLS):
        one.steady()
        with one.fault():
            split.parts[name].kill()
    one.settle()
