"""Opening a file that an operator named: only regular files, never a hang, never a packed file without bounds."""

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from metrics.observations import SourceFault

LARGEST_EXPANDED = 4 * 1024**3
"""Bytes that a packed file may expand to."""
LARGEST_RATIO = 200
"""Expanded over packed; logs reach 10 to 40, deflate can reach 1032."""
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class OpenFile:
    """An open regular file, plain or gzip, that can be read at a byte of its content."""

    path: Path
    stream: IO[bytes]
    device: int
    inode: int
    limit: int | None
    """Bytes of content that will be read at most; None for plain files."""

    def read_at(self, offset: int, size: int) -> bytes:
        """At most `size` bytes of content from `offset`; raises SourceFault where a packed file is broken or a bomb."""
        try:
            self.stream.seek(offset)
            data = b"" if self.stream.tell() < offset else self.stream.read(size)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise SourceFault(
                "unreadable", f"{self.path}: broken or cut-off gzip file ({error})", permanent=True
            ) from error
        except OSError as error:
            raise SourceFault("unreadable", f"{self.path}: {error.strerror or error}") from error
        if self.limit is not None and offset + len(data) > self.limit:
            detail = f"{self.path}: expands to more than {self.limit} bytes; unpack it and check what it is"
            raise SourceFault("unreadable", detail, permanent=True)
        return data


@contextmanager
def open_regular(path: Path) -> Iterator[OpenFile]:
    """Open a regular file for reading at any byte; raises SourceFault for whatever else stands at the path.

    The path is looked at before it is opened, since opening a device can already do something, and again
    after, since it may have been exchanged; without O_NONBLOCK a FIFO would wait for its writer for ever.
    """
    try:
        refuse_irregular(path, os.stat(path).st_mode)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise SourceFault("not_found", f"{path}: there is no such file") from error
    except PermissionError as error:
        raise SourceFault("unauthorised", f"{path}: this account may not read it") from error
    except OSError as error:
        raise SourceFault("unreadable", f"{path}: {error.strerror or error}", permanent=True) from error
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        refuse_irregular(path, status.st_mode)
        packed = stream.read(2) == GZIP_MAGIC
        limit = min(LARGEST_EXPANDED, LARGEST_RATIO * status.st_size) if packed else None
        stream.seek(0)
        content = cast("IO[bytes]", gzip.GzipFile(fileobj=stream)) if packed else stream
        yield OpenFile(path, content, status.st_dev, status.st_ino, limit)


def refuse_irregular(path: Path, mode: int) -> None:
    """Raise SourceFault unless `mode` is a regular file's."""
    if not stat.S_ISREG(mode):
        kind = "directory" if stat.S_ISDIR(mode) else "FIFO, socket or device"
        raise SourceFault("unreadable", f"{path}: is a {kind}, not a file", permanent=True)
