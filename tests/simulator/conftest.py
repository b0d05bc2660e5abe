from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from config.catalogue import Catalogue
from config.loading import load
from simulator.nation import Nation, nation_of
from tests.support.nation_world import ENVIRONMENT, Watched
from tests.support.serving import served


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load()


@pytest.fixture(scope="session")
def nation(catalogue: Catalogue) -> Nation:
    return nation_of(catalogue.regions)


@pytest.fixture
def watched(nation: Nation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """A nation that has lived for some minutes, its interfaces served, and the environment that leads to it."""
    for name, value in (ENVIRONMENT | {"WATCHFLOOR_HOME_DIR": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    found = Watched(nation, tmp_path)
    found.live(9)
    with served(Starlette(routes=found.simulation.routes())) as address:
        monkeypatch.setenv("WATCHFLOOR_DEMO_HTTP", address)
        yield found
    found.simulation.close()
