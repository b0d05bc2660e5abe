"""Names as hashes: any number of writers give a name the same code without asking each other.

Within a process names have the small codes of `shared/names.py`; in tables they have these. Two names with one code are
refused. For the nouns of the catalogue, which are few, 32 bits are enough; dimension keys come from outside and have
64.
"""

from collections.abc import Callable, Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue
from store.facts.shared.names import Codes, Name, Names
from store.faults import NameClash

WIDTHS = {"channel": np.dtype(np.uint32), "measure": np.dtype(np.uint32), "region": np.dtype(np.uint32)} | {
    "dimension": np.dtype(np.uint64)
}


def code(kind: str, label: str) -> int:
    """The code of a name in the tables."""
    return int.from_bytes(blake2b(label.encode(), digest_size=WIDTHS[kind].itemsize).digest(), "little")


class HashedNames:
    """The names of one process and their codes in the tables; not for several threads at once."""

    def __init__(self, catalogue: Catalogue, read_stored: Callable[[], Iterable[Name]]) -> None:
        """Know the catalogue's names; `read_stored` gives all that the store holds."""
        self.local = Names([])
        self._read_stored = read_stored
        self._labels: dict[str, dict[int, str]] = {kind: {} for kind in WIDTHS}
        self._codes: dict[str, npt.NDArray[np.unsignedinteger]] = {}
        self._stored: set[tuple[str, str]] = set()
        for kind, labels in (
            ("channel", catalogue.channels),
            ("measure", catalogue.measures),
            ("region", catalogue.regions),
        ):
            for label in labels:
                self._add(kind, code(kind, label), label)
        self.refresh()

    def refresh(self) -> None:
        """Learn what other writers named."""
        for kind, number, label in self._read_stored():
            self._add(kind, number, label)
            self._stored.add((kind, label))

    def unsaved(self, frame: pd.DataFrame, channel: str) -> list[Name]:
        """Names in a frame of local codes that the store does not hold yet, as far as this process knows."""
        used = [("channel", channel)]
        for kind in ("measure", "region", "dimension"):
            used += [(kind, label) for label in self.local.labels(kind, np.flatnonzero(np.bincount(frame[kind])))]
        fresh = [(kind, code(kind, label), label) for kind, label in used if (kind, label) not in self._stored]
        for name in fresh:
            self._add(*name)
        return fresh

    def stored_codes(self, kind: str, local: npt.NDArray[np.integer]) -> npt.NDArray[np.unsignedinteger]:
        """Codes in the tables of local codes."""
        known = self._codes.get(kind)
        wanted = int(local.max()) + 1 if len(local) else 0
        if known is None or len(known) < wanted:
            labels = self.local.labels(kind, range(wanted))
            known = self._codes[kind] = np.array([code(kind, label) for label in labels], dtype=WIDTHS[kind])
        codes: npt.NDArray[np.unsignedinteger] = known[local]
        return codes

    def find(self, kind: str, labels: Iterable[str]) -> list[int]:
        """Codes in the tables of labels."""
        return [code(kind, label) for label in labels]

    def local_codes(self, kind: str, stored_codes: npt.NDArray[np.generic]) -> Codes:
        """Local codes of codes in the tables."""
        positions, used = pd.factorize(stored_codes)
        known = self._labels[kind]
        if any(int(number) not in known for number in used):
            self.refresh()
        codes: Codes = self.local.give(kind, [known[int(number)] for number in used])[positions]
        return codes

    def _add(self, kind: str, number: int, label: str) -> None:
        known_label = self._labels[kind].setdefault(number, label)
        if known_label != label:
            raise NameClash(
                f"the {kind} names {known_label!r} and {label!r} have one code ({number}): rename one of them"
            )
        self.local.give(kind, [label])
