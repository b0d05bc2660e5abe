"""Engines under the contract, and the real servers that tests talk to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from clickhouse_cluster import shared_cluster
from clickhouse_in_process import in_process
from store_world import world

from config.catalogue import Catalogue
from store.facts.duck.history import DuckHistory
from store.facts.history import History
from store.facts.postgres import PostgresHistory
from tests.real_postgres import schema_of
from tests.valkey_lineups import LINEUPS, Lineup, lineup

Open = Callable[[Path, Catalogue], History]

ENGINES: dict[str, Open] = {
    "chdb": lambda folder, catalogue: in_process().open(folder, catalogue),
    "clickhouse": lambda folder, catalogue: shared_cluster().open(folder, catalogue),
    "duckdb": lambda folder, catalogue: DuckHistory(folder / "facts.duckdb", catalogue),
    "postgresql": lambda folder, catalogue: PostgresHistory(schema_of(folder), catalogue),
}
"""Every engine that keeps facts; one that joins is one line here."""

SHARED = ("postgresql",)
"""Engines that several processes write at once; one that joins is one name here."""

EXAMPLES = {"chdb": 5, "clickhouse": 3}
"""Of the property tests' 25 examples, those that an engine gets where opening it and asking it takes its time."""


@pytest.fixture(params=sorted(ENGINES))
def open_history(request: pytest.FixtureRequest) -> Open:
    return ENGINES[request.param]


@pytest.fixture(params=SHARED)
def open_shared(request: pytest.FixtureRequest) -> Open:
    return ENGINES[request.param]


@pytest.fixture
def examples(open_history: Open) -> int:
    """How many examples a property test takes on this engine."""
    return next((few for engine, few in EXAMPLES.items() if ENGINES[engine] is open_history), 25)


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
