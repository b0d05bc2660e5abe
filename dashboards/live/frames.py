"""Frames: what changed on a view, as bytes that every subscriber shares.

A block is one server-sent event, kept plain and as a raw deflate block that ends on a byte with an empty
window (`Z_FULL_FLUSH`): blocks made once can follow each other in any order in any number of gzip
streams, behind each stream's own ten-byte header.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from dashboards.window import Parts

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True)
class Block:
    """One event: for a client that reads gzip, and for one that does not."""

    plain: bytes
    packed: bytes

    @cached_property
    def plain_chunk(self) -> bytes:
        """`plain` as one chunk of an HTTP/1.1 answer."""
        return _chunk(self.plain)

    @cached_property
    def packed_chunk(self) -> bytes:
        """`packed` as one chunk of an HTTP/1.1 answer."""
        return _chunk(self.packed)


def event(name: str, data: Mapping[str, object]) -> Block:
    """Write one server-sent event; raises ValueError for a number that JSON does not have (NaN)."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    plain = f"event: {name}\ndata: {text}\n\n".encode()
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return Block(plain, packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH))


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def frame(sequence: int, full: bool, at: datetime | None, parts: Parts) -> Block:
    """A frame: everything (`full`) or what changed, with the instant of the data and of its sending."""
    return event(
        "frame",
        {
            "seq": sequence,
            "full": full,
            "at": at.astimezone(UTC).isoformat() if at else None,
            "now": datetime.now(UTC).isoformat(),
            "set": parts,
        },
    )


def changes(before: Parts, after: Parts) -> dict[str, dict[str, object]]:
    """Only what differs; a part that is gone becomes null, which takes it off the screen."""
    found: dict[str, dict[str, object]] = {}
    for element in before.keys() | after.keys():
        old, new = before.get(element, {}), after.get(element, {})
        changed = {part: new.get(part) for part in old.keys() | new.keys() if old.get(part) != new.get(part)}
        if changed:
            found[element] = changed
    return found
