"""Read JSON that others wrote: strict about what it says, bounded in depth, and never a crash."""

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from collectors.shared.record_fields import Repeated
from metrics.observations import SourceFault

DEEPEST = 64
"""No honest answer nests deeper, and what walks the answer afterwards may recurse."""
LONGEST_INTEGER = 400
NESTING = frozenset({dict, list, Repeated})


def read_json(written: str, what: str = "the answer") -> Any:
    """Read JSON; a key named twice becomes `Repeated`, NaN and infinities pass to where their column is known.

    Raises SourceFault `unreadable`, saying of `what`.
    """
    try:
        document = _loads(written)
    except RecursionError as error:
        raise _too_deep(what) from error
    except ValueError as error:
        raise SourceFault("unreadable", f"{what} is not JSON: {error}") from error
    if _nests_deeper(document, DEEPEST):
        raise _too_deep(what)
    return document


def _loads(written: str) -> Any:
    """Read, and only where Python refuses an integer for its length look at each: that takes three times as long."""
    try:
        return json.loads(written, object_pairs_hook=_pairs)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(written, object_pairs_hook=_pairs, parse_int=_integer)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        values: dict[str, list[Any]] = {}
        for name, value in pairs:
            values.setdefault(name, []).append(value)
        found |= {name: Repeated(several) for name, several in values.items() if len(several) > 1}
    return found


def _integer(digits: str) -> int | float:
    """Endless digits become an infinity, which is rejected where it stands, instead of failing the whole answer."""
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)


def _too_deep(what: str) -> SourceFault:
    return SourceFault("unreadable", f"{what} nests deeper than {DEEPEST} levels")


def _nests_deeper(document: Any, limit: int) -> bool:
    level = [document] if type(document) in NESTING else []
    for _ in range(limit):
        if NESTING.isdisjoint(map(type, _parts(level))):  # of leaves, which are the most, no list is made
            return False
        level = [part for part in _parts(level) if type(part) in NESTING]
    return True


def _parts(level: Iterable[Any]) -> Iterator[Any]:
    return chain.from_iterable(whole.values() if type(whole) is dict else whole for whole in level)
