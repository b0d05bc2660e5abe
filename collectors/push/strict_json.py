"""JSON as the push door reads it: one meaning or none."""

import json
from typing import Any

DEEPEST = 16
LONGEST_NUMBER = 40


class Ambiguous(ValueError):
    """The text is JSON in form but says something that has no single meaning."""


def read(text: bytes) -> Any:
    """Read a JSON document in UTF-8; raises ValueError saying what is wrong and where.

    A key named twice, NaN, infinities and numbers of more than 40 signs are refused: every reader
    would take them for something else.
    """
    try:
        written = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Ambiguous(f"byte {error.start + 1} is not UTF-8") from None
    try:
        document = json.loads(
            written, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_decimal
        )
    except json.JSONDecodeError as error:
        raise Ambiguous(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise Ambiguous(f"it nests deeper than {DEEPEST} levels") from None
    _check_depth(document)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Ambiguous(f"the key {twice[:80]!r} is named twice in one object")
    return found


def _constant(name: str) -> Any:
    raise Ambiguous(f"{name} is not a number")


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise Ambiguous(f"a number has {len(digits)} digits")
    return int(digits)


def _decimal(digits: str) -> float:
    if len(digits) > LONGEST_NUMBER:
        raise Ambiguous(f"a number has {len(digits)} signs")
    return float(digits)


def _check_depth(document: Any) -> None:
    level = [document]
    for _ in range(DEEPEST):
        level = [part for whole in level for part in _parts(whole)]
        if not level:
            return
    raise Ambiguous(f"it nests deeper than {DEEPEST} levels")


def _parts(whole: Any) -> list[Any]:
    if isinstance(whole, dict):
        return list(whole.values())
    return whole if isinstance(whole, list) else []
