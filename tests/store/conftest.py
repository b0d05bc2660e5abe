"""Engines under the contract, and the real servers that tests talk to."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from store_world import world

from config.catalogue import Catalogue
from store.duck.history import DuckHistory
from store.history import History

Open = Callable[[Path, Catalogue], History]

ENGINES: dict[str, Open] = {"duckdb": lambda folder, catalogue: DuckHistory(folder / "facts.duckdb", catalogue)}
"""Every engine that keeps facts; one that joins is one line here."""


@pytest.fixture(params=sorted(ENGINES))
def open_history(request: pytest.FixtureRequest) -> Open:
    return ENGINES[request.param]


@pytest.fixture
def history(open_history: Open, tmp_path: Path) -> Iterator[History]:
    opened = open_history(tmp_path, world())
    yield opened
    opened.close()
