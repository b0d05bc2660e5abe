"""Names as small integers: what the key columns hold, and how they read back."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from metrics.observations import decode_dimensions

KINDS = ("channel", "measure", "region", "dimension", "batch")
NO_NAME = 2**32 - 1
"""Code that reads back as ''."""

Codes = npt.NDArray[np.uint32]


Name = tuple[str, int, str]
"""Kind, code, label."""


class NameTable(NamedTuple):
    """The names of one kind in order of their codes; those before the first are forgotten.

    A name is added to the list; to forget is to put another table in its place, so that a reader has one or the other.
    """

    first: int
    labels: list[str]

    @property
    def end(self) -> int:
        """The next code."""
        return self.first + len(self.labels)


class Names:
    """The names of one store, held in memory; codes are given in order of first sight and never change."""

    def __init__(self, saved: Iterable[Name]) -> None:
        """Start from every name that the store holds."""
        self._values: dict[str, tuple[Codes, list[str]]] = {}
        self._tables = {kind: NameTable(0, []) for kind in KINDS}
        self._codes: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
        self.learn(saved)

    def learn(self, saved: Iterable[Name]) -> None:
        """Take over names that the store holds: each kind's codes go on where the known ones end."""
        for kind, code, label in sorted(saved):
            if not self._tables[kind].labels:
                self._tables[kind] = NameTable(code, [])
            self._tables[kind].labels.append(label)
            self._codes[kind][label] = code
        self.saved()

    def give(self, kind: str, labels: Iterable[str]) -> Codes:
        """Codes of labels, new ones for those never seen; only a writer may call this."""
        codes, table = self._codes[kind], self._tables[kind]
        for label in labels:
            if label not in codes:
                codes[label] = table.end
                table.labels.append(label)
        return np.array([codes[label] for label in labels], dtype=np.uint32)

    def find(self, kind: str, labels: Iterable[str]) -> list[int]:
        """Codes of those labels that have been seen."""
        codes = self._codes[kind]
        return [codes[label] for label in labels if label in codes]

    def fresh(self) -> list[Name]:
        """Names that the store does not hold yet: written in the transaction of the rows that use them."""
        return [
            (kind, code, table.labels[code - table.first])
            for kind, table in self._tables.items()
            for code in range(self._saved[kind], table.end)
        ]

    def saved(self) -> None:
        """The transaction that wrote `fresh` was committed; after one that was not, they stay fresh."""
        self._saved = {kind: table.end for kind, table in self._tables.items()}

    def forget(self, kind: str, before: int) -> None:
        """Let go of names that the store holds no more: those with codes before one that it does hold; by a writer."""
        table = self._tables[kind]
        forgotten = max(0, before - table.first)
        self._tables[kind] = NameTable(table.first + forgotten, table.labels[forgotten:])
        for label in table.labels[:forgotten]:
            del self._codes[kind][label]

    def labels(self, kind: str, codes: Iterable[int]) -> list[str]:
        """Read codes back one by one."""
        table = self._tables[kind]
        return [table.labels[code - table.first] for code in codes]

    def label(self, kind: str, codes: npt.NDArray[np.integer]) -> pd.Categorical:
        """Read codes of a kind of which nothing is forgotten back as categories (only those that occur)."""
        return self.categorical(self._tables[kind].labels, codes)

    def column(self, kind: str, codes: npt.NDArray[np.integer]) -> pd.Categorical:
        """Read a column of rows back; the categories are the names from the first that occurs to the last.

        To leave out those between them would give every row another code, which takes longer than to read the rows.
        A name that was forgotten while the rows were read is ''.
        """
        base, labels = self._tables[kind]
        first, last = (int(codes.min()), int(codes.max())) if len(codes) else (base, base - 1)
        if first < base:
            return self.categorical(labels, np.where(codes < base, len(labels), codes.astype(np.int64) - base))
        found = pd.Index(labels[first - base : last + 1 - base], dtype="str")
        return pd.Categorical.from_codes((codes - first).astype(np.min_scalar_type(-len(found) - 1)), categories=found)

    @staticmethod
    def categorical(labels: Sequence[str], codes: npt.NDArray[np.integer]) -> pd.Categorical:
        """Codes with their labels, as a categorical whose categories all occur."""
        known = np.minimum(codes, len(labels))
        occurs = np.bincount(known, minlength=len(labels) + 1) > 0
        found = ["" if code == len(labels) else labels[code] for code in np.flatnonzero(occurs).tolist()]
        positions = (np.cumsum(occurs) - 1).astype(np.min_scalar_type(-len(labels) - 1))
        return pd.Categorical.from_codes(positions.take(known), categories=pd.Index(found, dtype="str"))

    def dimension_values(self, dimension: str) -> tuple[Codes, list[str]]:
        """By code of a dimension key: the code of its value of one dimension; and those values ('' is absent)."""
        keys = tuple(self._tables["dimension"].labels)
        cached = self._values.get(dimension)
        if cached is not None and len(cached[0]) == len(keys):
            return cached
        values: dict[str, int] = {}
        codes = [values.setdefault(decode_dimensions(key).get(dimension, ""), len(values)) for key in keys]
        self._values[dimension] = (np.array(codes, dtype=np.uint32), list(values))
        return self._values[dimension]
