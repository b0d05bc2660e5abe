"""What the tables of state hold as JSON, as text."""

from collections.abc import Mapping
from json import JSONEncoder
from math import isfinite
from typing import Any


def as_json(value: Any) -> str:
    """JSON of a value: a number of numpy as a plain one, a time as text, what is not finite as null."""
    try:
        return ENCODER.encode(value)
    except ValueError:  # a number that is not finite, which is rare: only then is it worth looking for
        return ENCODER.encode(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and not isfinite(plain) else plain


def _plain(value: Any) -> Any:
    """What JSON has no word for."""
    if isinstance(value, Mapping):
        return dict(value)
    return value.item() if hasattr(value, "item") else str(value)


ENCODER = JSONEncoder(check_circular=False, allow_nan=False, default=_plain)
"""Nothing that is kept holds itself, and to look for that takes as long again as the text."""
