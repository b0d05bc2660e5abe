"""Bytes of a file into numbered lines: the same lines, numbers and bytes however the file was cut into pieces."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from metrics.observations import FURTHER_REJECTS, Reject

BOM = b"\xef\xbb\xbf"
MOST_REJECTS = 10_000
"""Rejects told one by one for a payload; what is beyond is one reject with their number."""


@dataclass(frozen=True)
class Place:
    """Where reading stands in one file: which file, how far."""

    name: str
    device: int
    inode: int
    head: str
    """SHA-256 of the first `head_length` bytes: what makes a file the same one after a copy or a rename."""
    head_length: int
    offset: int = 0
    line: int = 0
    """Lines that have ended before `offset`."""
    skipping: bool = False
    """Whether `offset` is inside a line that was already rejected as too long."""

    @classmethod
    def of(cls, cursor: Any) -> Self | None:
        """The place kept in a cursor, or None before the first reading."""
        return cls(**cursor["place"]) if "place" in cursor else None

    def as_json(self) -> dict[str, Any]:
        """The form that a cursor keeps."""
        return asdict(self)

    def key(self, offset: int, checksum: int) -> str:
        """A key for a line without one of its own: the same wherever the file lies and whatever its name."""
        return f"{self.head[:12]}-{offset:x}-{checksum:08x}"


@dataclass(frozen=True)
class Lines:
    """Readable lines without their ends, blank ones left out; `numbers` are 1-based in the file."""

    texts: list[bytes]
    numbers: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    rejects: list[Reject]
    after: Place
    read: int
    """Lines that are not blank, rejected ones included."""


def split_lines(data: bytes, place: Place, limit: int) -> Lines:
    """Split what was read at `place`; lines longer than `limit` bytes or with NUL become rejects (TY-01).

    Data that does not end with a line end holds a whole last line (the file has ended) or, if that is longer
    than `limit`, the beginning of a line that is told once and skipped in the pieces that follow.
    """
    after = advance(data, place, limit)
    start = len(BOM) if place.offset == 0 and data.startswith(BOM) else 0
    number = place.line + 1
    if place.skipping:
        end = data.find(b"\n") + 1
        start, number = (end, number + 1) if end else (len(data), number)
    pieces = data[start:].split(b"\n")
    lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
    offsets = place.offset + start + np.concatenate([[0], np.cumsum(lengths + 1)[:-1]])
    texts, kept, rejects = [], [], []
    for index, piece in enumerate(pieces):
        text = piece.rstrip(b"\r")
        if not text:
            continue
        kept.append(index)
        texts.append(text)
        if len(piece) > limit:
            rejects.append(reject("TY-01", number + index, None, "line_too_long", f">{limit}"))
        elif b"\0" in piece:
            rejects.append(reject("TY-01", number + index, None, "nul_byte", "\0"))
    told = {entry.line for entry in rejects}
    good = [at for at, index in enumerate(kept) if number + index not in told] if told else range(len(kept))
    places = np.array([kept[at] for at in good], dtype=np.int64)
    lines = [texts[at] for at in good] if told else texts
    return Lines(lines, number + places, offsets[places], rejects, after, len(kept))


def advance(data: bytes, place: Place, limit: int) -> Place:
    """The place after `data`."""
    rest = len(data) - (data.rfind(b"\n") + 1)
    inside = rest > limit or (place.skipping and rest == len(data))  # nothing read: still where it was
    ended = data.count(b"\n") + (1 if rest and not inside else 0)
    return replace(place, offset=place.offset + len(data), line=place.line + ended, skipping=inside)


def reject(rule: str, line: int | None, column: str | None, code: str, value: str) -> Reject:
    """A reject whose advice has the same name as its fault; `value` is shortened and its control characters escaped."""
    shown = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in value[:200])
    return Reject(rule, None if line is None else int(line), column, code, shown[:200], code)


def bounded(rejects: list[Reject]) -> tuple[Reject, ...]:
    """Rejects in the order of their lines, bounded: a file of garbage must not fill the memory."""
    ordered = sorted(rejects, key=lambda entry: entry.line or 0)
    if len(ordered) <= MOST_REJECTS:
        return tuple(ordered)
    rest = ordered[MOST_REJECTS:]
    return (*ordered[:MOST_REJECTS], reject("TY-01", rest[0].line, None, FURTHER_REJECTS, str(len(rest))))
