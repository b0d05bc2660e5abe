"""Read JSON that others wrote: strict about what it says, bounded in depth, and never a crash."""

import json
from typing import Any

from collectors.record_fields import Repeated
from metrics.observations import SourceFault

DEEPEST = 64
"""No honest answer nests deeper, and what walks the answer afterwards may recurse."""
LONGEST_INTEGER = 400


def read_json(written: str) -> Any:
    """Read JSON; a key named twice becomes `Repeated`, NaN and infinities pass to where their column is known."""
    try:
        document = json.loads(written, object_pairs_hook=_pairs, parse_int=_integer)
    except RecursionError as error:
        raise SourceFault("unreadable", f"the answer nests deeper than {DEEPEST} levels") from error
    except ValueError as error:
        raise SourceFault("unreadable", f"the answer is not JSON: {error}") from error
    _check_depth(document)
    return document


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


def _check_depth(document: Any) -> None:
    level = [document]
    for _ in range(DEEPEST):
        level = [part for whole in level for part in _parts(whole)]
        if not level:
            return
    raise SourceFault("unreadable", f"the answer nests deeper than {DEEPEST} levels")


def _parts(whole: Any) -> list[Any]:
    if isinstance(whole, dict):
        return list(whole.values())
    return list(whole) if isinstance(whole, list | tuple) else []
