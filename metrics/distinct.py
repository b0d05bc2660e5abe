"""Counting people: someone who works several queues, or comes by several channels, is one person.

So counts of people never add up; the marks that people leave do. A mark is what HyperLogLog (Flajolet et
al. 2007) keeps of one person: a register, chosen by the first bits of the pseudonym, and a rank, one more than the
zeros that follow. One person always leaves the same mark, so any parts, merged, hold the marks of the whole.
"""

import math
import re
from collections.abc import Iterable, Mapping

import numpy as np

REGISTER_BITS = 10
"""1,024 registers: the standard error is 1.04 / sqrt(1024), 3.3 %."""
REGISTERS = 1 << REGISTER_BITS
RANK_BITS = 64 - REGISTER_BITS
MARK = re.compile(r"(\d{1,4})\.(\d{1,2})", re.ASCII)


def mark_of(pseudonym: str) -> str:
    """The mark of a person, `register.rank`; the pseudonym is a keyed hash of at least 16 hexadecimal digits."""
    bits = int(pseudonym[:16], 16)
    rest = bits & ((1 << RANK_BITS) - 1)
    return f"{bits >> RANK_BITS}.{RANK_BITS - rest.bit_length() + 1}"


def people(marks: Iterable[str]) -> int:
    """About how many different people left these marks; a handful is nearly always told exactly.

    Ertl's estimator (arXiv:1702.01284, algorithm 6), which needs no tables and no case for small numbers.
    Texts that are no mark are not looked at.
    """
    ranks = np.zeros(REGISTERS)
    for mark in filter(None, map(_read, marks)):
        ranks[mark[0]] = max(ranks[mark[0]], mark[1])
    filled = ranks[ranks > 0]
    if not filled.size:
        return 0
    weight = float(np.sum(np.exp2(-filled))) + REGISTERS * _sigma(1 - filled.size / REGISTERS)
    return round(REGISTERS**2 / (2 * math.log(2) * weight))


def known(counts: Mapping[str, float]) -> dict[str, float]:
    """The counts that a number of people stands on: those of cases that have a mark."""
    return {mark: count for mark, count in counts.items() if count > 0 and _read(mark)}


def _read(mark: str) -> tuple[int, int] | None:
    found = MARK.fullmatch(mark)
    if found is None or int(found[1]) >= REGISTERS or not 1 <= int(found[2]) <= RANK_BITS + 1:
        return None
    return int(found[1]), int(found[2])


def _sigma(empty: float) -> float:
    """x + x^2 + 2 x^4 + 4 x^8 + ..., what empty registers add; 0 <= x < 1."""
    power, factor, total, before = empty, 1.0, empty, -1.0
    while total != before:
        power *= power
        before = total
        total += power * factor
        factor *= 2
    return total
