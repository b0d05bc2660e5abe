"""Codes become ranges where that lets DuckDB skip what is between them."""

import pytest

from store.duck.reading import rows_of
from store.facts.questions import among


@pytest.mark.parametrize(
    ("codes", "condition"),
    [
        ([], "c IN (NULL)"),
        ([7], "c BETWEEN 7 AND 7"),
        ([3, 2, 4], "c BETWEEN 2 AND 4"),
        ([2, 3, 5, 6], "c BETWEEN 2 AND 6 AND c NOT IN (4)"),
        ([2, 9], "c IN (2, 9)"),
    ],
)
def test_codes_become_the_shorter_condition(codes: list[int], condition: str) -> None:
    assert among("c", codes) == condition


def test_a_few_ranges_are_read_apart() -> None:
    assert rows_of("t", [9, 2, 3]) == (
        "(FROM t AS scanned WHERE measure BETWEEN 2 AND 3 UNION ALL FROM t AS scanned WHERE measure BETWEEN 9 AND 9)"
    )
    assert rows_of("t", [2, 3, 4]) == "t"
    assert rows_of("t", [1, 3, 5, 7]) == "t"
    assert rows_of("t", []) == "t"
