"""Rows as engines hold them, in codes and seconds, become rows as `History.observations` gives them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from store.facts.shared.names import KINDS, Names
from store.facts.shared.seconds import moments

TIMES = ("start", "received_at")


def with_names(found: Mapping[str, Any], names: Names, columns: Sequence[str]) -> pd.DataFrame:
    """A frame of some columns that an engine gave; those that it has named itself are taken as they are."""
    return pd.DataFrame({name: _column(name, found[name], names) for name in columns}, copy=False)


def _column(name: str, values: Any, names: Names) -> Any:
    if name in TIMES:
        return moments(values)
    if name in KINDS and not isinstance(values, pd.Categorical):
        return names.column(name, values)
    return values
