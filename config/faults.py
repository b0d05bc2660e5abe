"""What is wrong with a catalogue, as people meet it: the file, the key in it and the reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Fault:
    """One fault of one file."""

    file: Path
    key: str
    """Dotted path inside the file; '' when it is the file as a whole."""
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.file), self.key, self.reason) if part)


class CatalogueError(ValueError):
    """Every fault of a catalogue at once, so that nobody mends one only to meet the next."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        count = len(self.faults)
        lines = "".join(f"\n  {fault}" for fault in self.faults)
        super().__init__(f"the catalogue has {count} fault{'s' if count != 1 else ''}:{lines}")
