"""Names as small integers: what the key columns hold, and how they read back."""

from collections.abc import Iterable, Sequence

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


class Names:
    """The names of one store, held in memory; codes are given in order of first sight and never change."""

    def __init__(self, saved: Iterable[Name]) -> None:
        """Start from every name that the store holds."""
        self._values: dict[str, tuple[Codes, list[str]]] = {}
        self._labels: dict[str, list[str]] = {kind: [] for kind in KINDS}
        self._codes: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
        self.learn(saved)

    def learn(self, saved: Iterable[Name]) -> None:
        """Take over names that the store holds: each kind's codes go on where the known ones end."""
        for kind, code, label in sorted(saved):
            self._labels[kind].append(label)
            self._codes[kind][label] = code
        self._saved = {kind: len(self._labels[kind]) for kind in KINDS}

    def give(self, kind: str, labels: Iterable[str]) -> Codes:
        """Codes of labels, new ones for those never seen; only a writer may call this."""
        codes, known = self._codes[kind], self._labels[kind]
        for label in labels:
            if label not in codes:
                known.append(label)
                codes[label] = len(known) - 1
        return np.array([codes[label] for label in labels], dtype=np.uint32)

    def find(self, kind: str, labels: Iterable[str]) -> list[int]:
        """Codes of those labels that have been seen."""
        codes = self._codes[kind]
        return [codes[label] for label in labels if label in codes]

    def fresh(self) -> list[Name]:
        """Names that the store does not hold yet: written in the transaction of the rows that use them."""
        return [
            (kind, code, self._labels[kind][code])
            for kind in KINDS
            for code in range(self._saved[kind], len(self._labels[kind]))
        ]

    def saved(self) -> None:
        """The transaction that wrote `fresh` was committed; after one that was not, they stay fresh."""
        self._saved = {kind: len(self._labels[kind]) for kind in KINDS}

    def labels(self, kind: str, codes: Iterable[int]) -> list[str]:
        """Read codes back one by one."""
        known = self._labels[kind]
        return [known[code] for code in codes]

    def label(self, kind: str, codes: npt.NDArray[np.integer]) -> pd.Categorical:
        """Read codes back as categories (only those that occur)."""
        return self.categorical(self._labels[kind], codes)

    def column(self, kind: str, codes: npt.NDArray[np.integer]) -> pd.Categorical:
        """Read a column of rows back; the categories are the names from the first that occurs to the last.

        To leave out those between them would give every row another code, which takes longer than to read the rows.
        """
        first, last = (int(codes.min()), int(codes.max())) if len(codes) else (0, -1)
        found = pd.Index(self._labels[kind][first : last + 1], dtype="str")
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
        keys = tuple(self._labels["dimension"])
        cached = self._values.get(dimension)
        if cached is not None and len(cached[0]) == len(keys):
            return cached
        values: dict[str, int] = {}
        codes = [values.setdefault(decode_dimensions(key).get(dimension, ""), len(values)) for key in keys]
        self._values[dimension] = (np.array(codes, dtype=np.uint32), list(values))
        return self._values[dimension]
