"""What JSON has no word for is told in plain ones, whatever it lies in."""

import json
from datetime import UTC, datetime
from types import MappingProxyType

import numpy as np
import pytest

from store.state.json_text import as_json

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": 1, "b": 0.5, "c": "×", "d": None, "e": True}, {"a": 1, "b": 0.5, "c": "×", "d": None, "e": True}),
        (MappingProxyType({"a": np.int64(7), "b": np.float64(0.5)}), {"a": 7, "b": 0.5}),
        ([{"a": float("nan"), "b": 2}, {"a": np.float32("inf")}], [{"a": None, "b": 2}, {"a": None}]),
        ({"a": float("nan"), "b": np.int16(3)}, {"a": None, "b": 3}),
        ({"a": NOON, "b": (-np.inf, [NOON])}, {"a": str(NOON), "b": [None, [str(NOON)]]}),
        (MappingProxyType({}), {}),
    ],
)  # fmt: skip
def test_a_value_is_told_as_plain_json(value: object, told: object) -> None:
    assert json.loads(as_json(value), parse_constant=pytest.fail) == told
