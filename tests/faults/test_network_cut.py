"""The network between two parts is cut and healed: connections stay half open, nobody is told."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.faults.course import AWAY_S, Course
from tests.support.faults.lineups import Lineup, Split, up
from tests.support.faults.networks import Network

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]
CUT_S = AWAY_S * 2 / 3


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    made = Network()
    yield made
    made.end()


@pytest.fixture(scope="module")
def split(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Split]:
    with up(Split(tmp_path_factory.mktemp("cut"), place=network)) as lineup:
        yield lineup


@pytest.mark.parametrize(("asker", "server"), [("web", "valkey"), ("pipeline", "valkey"), ("pipeline", "postgres")])
def test_network_cut(
    split: Split, network: Network, course: Callable[[Lineup, str], Course], asker: str, server: str
) -> None:
    one = course(split, f"network cut {CUT_S:.0f} s: {asker} - {server}")
    one.steady()
    with one.fault():
        network.cut(asker, server)
        time.sleep(CUT_S)
        network.heal(asker, server)
    one.settle()
