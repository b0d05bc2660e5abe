"""The engines under the store's contract."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.catalogue import Catalogue
from store.facts.duck.history import DuckHistory
from store.facts.history import History
from store.facts.postgres import PostgresHistory
from tests.support.clickhouse_cluster import shared_cluster
from tests.support.clickhouse_in_process import in_process
from tests.support.real_postgres import schema_of

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

EXAMPLES = {"chdb": 4, "clickhouse": 3}
"""Of the property tests' 12 examples, those that an engine gets where opening it and asking it takes its time."""


def on_examples(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A property of every engine; a store is opened for each example: few of them, and no clock on them."""

    def of(test: Callable[..., None]) -> Callable[..., None]:
        def run(open_history: Callable[..., History], examples: int) -> None:
            @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
            @given(st.tuples(*strategies))
            def check(drawn: tuple[Any, ...]) -> None:
                test(open_history, *drawn)

            check()

        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return run

    return of
