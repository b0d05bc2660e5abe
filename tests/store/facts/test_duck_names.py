"""The names of batches do not pile up: they go with the rows that speak of them, and codes go on."""

from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np

from store.facts.duck import DuckHistory
from store.facts.duck.schema import SETTINGS
from store.facts.shared.names import Names
from tests.support.store_world import START, hour, minute, stamp, table, world


def write(history: DuckHistory, at: int) -> None:
    history.write(stamp(at + 1, at=minute(at)), table([("offered", "110105", "", minute(at), at)]))


def held(file: Path) -> list[tuple[int, str]]:
    with closing(duckdb.connect(file, config=SETTINGS)) as engine:
        return engine.execute("SELECT code, label FROM name WHERE kind = 'batch' ORDER BY code").fetchall()


def test_names_of_batches_go_with_their_rows_and_codes_go_on(tmp_path: Path) -> None:
    file = tmp_path / "facts.duckdb"
    with closing(DuckHistory(file, world())) as history:
        for at in range(6):
            write(history, at)
        history.forget(minute(4))
        assert held(file) == [(4, stamp(5).batch), (5, stamp(6).batch)]
        write(history, 6)
        assert history.observations(hour())["batch"].tolist() == [stamp(at).batch for at in (5, 6, 7)]
    with closing(DuckHistory(file, world())) as history:
        write(history, 7)
        assert history.observations(hour())["batch"].tolist() == [stamp(at).batch for at in (5, 6, 7, 8)]
        history.forget(minute(20))
        assert held(file) == [(7, stamp(8).batch)]
        write(history, 21)
        assert history.observations(hour())["batch"].tolist() == [stamp(22).batch]


def test_a_store_without_batches_has_nothing_to_forget(tmp_path: Path) -> None:
    with closing(DuckHistory(tmp_path / "facts.duckdb", world())) as history:
        assert history.forget(START) == 0
        write(history, 1)
        assert history.observations(hour())["batch"].tolist() == [stamp(2).batch]


def test_a_name_that_was_forgotten_while_rows_were_read_is_none() -> None:
    names = Names([])
    codes = names.give("batch", ["a", "b", "c"])
    names.saved()
    names.forget("batch", 2)
    assert names.column("batch", codes).tolist() == ["", "", "c"]
    assert names.column("batch", np.array([2], np.uint32)).tolist() == ["c"]
    assert names.give("batch", ["b"]).tolist() == [3]
    assert names.fresh() == [("batch", 3, "b")]
