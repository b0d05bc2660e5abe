"""What is kept aside reads back alike from every engine, also where a reject names neither line nor column."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from config.catalogue import Catalogue
from store.facts.history import ASIDE_COLUMNS, History
from store.facts.shared.kept_aside import checked
from store.faults import BadTable
from tests.support.store_world import stamp, world

ROWS = [("TY-01", 7, "value", "not_a_number", "x'\\", False), ("TY-02", None, None, "unit_unknown", None, True)]
TABLE = pd.DataFrame(ROWS, columns=list(ASIDE_COLUMNS))
Open = Callable[[Path, Catalogue], History]


def test_what_a_reject_does_not_say_is_empty(open_history: Open, tmp_path: Path) -> None:
    with closing(open_history(tmp_path, world())) as history:
        assert history.keep_aside(stamp(1), TABLE) == 2
        found = history.aside()
    assert found.columns.tolist() == ["channel", "source", "batch", "received_at", *ASIDE_COLUMNS]
    assert found[list(ASIDE_COLUMNS)].astype(object).to_numpy().tolist() == [
        ["TY-01", 7, "value", "not_a_number", "x'\\", False],
        ["TY-02", pd.NA, "", "unit_unknown", "", True],
    ]


def test_nothing_kept_aside_has_the_same_columns(open_history: Open, tmp_path: Path) -> None:
    with closing(open_history(tmp_path, world())) as history:
        history.keep_aside(stamp(1), TABLE)
        kept = history.aside().dtypes.to_dict()
        assert history.keep_aside(stamp(1), TABLE[:0]) == 0
        assert history.aside().dtypes.to_dict() == kept


def test_a_table_without_one_of_its_columns_is_refused() -> None:
    with pytest.raises(BadTable, match="columns missing: code, kept"):
        checked(stamp(1), TABLE.drop(columns=["code", "kept"]))
