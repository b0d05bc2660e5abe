"""Engines under the contract, and the real servers that tests talk to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from store.facts.history import History
from tests.support.engines import ENGINES, EXAMPLES, SHARED, Open
from tests.support.store_world import world
from tests.support.valkey_lineups import LINEUPS, Lineup, lineup


@pytest.fixture(params=sorted(ENGINES))
def open_history(request: pytest.FixtureRequest) -> Open:
    return ENGINES[request.param]


@pytest.fixture(params=SHARED)
def open_shared(request: pytest.FixtureRequest) -> Open:
    return ENGINES[request.param]


@pytest.fixture
def examples(open_history: Open) -> int:
    """How many examples a property test takes on this engine."""
    return next((few for engine, few in EXAMPLES.items() if ENGINES[engine] is open_history), 12)


@pytest.fixture
def history(open_history: Open, tmp_path: Path) -> Iterator[History]:
    opened = open_history(tmp_path, world())
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def lineups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Lineup]]:
    """Line-ups of Valkey by name, each started when it is first asked for."""
    with ExitStack() as stack:
        yield cache(lambda name: stack.enter_context(lineup(name, tmp_path_factory.mktemp(name))))


@pytest.fixture(params=LINEUPS)
def valkey(request: pytest.FixtureRequest, lineups: Callable[[str], Lineup]) -> Lineup:
    """Every line-up, whole and empty."""
    return lineups(request.param).heal()


@pytest.fixture(params=[name for name in LINEUPS if name != "single"])
def replicated(request: pytest.FixtureRequest, lineups: Callable[[str], Lineup]) -> Lineup:
    """Those whose primary has replicas."""
    return lineups(request.param).heal()
