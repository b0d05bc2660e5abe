"""Raw payloads, kept some days so that a figure can be traced back to the bytes that it came from."""

import errno
import hashlib
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from metrics.observations import NaiveTime
from store.faults import StoreFull, StoreUnreachable

DIGEST = re.compile(r"[0-9a-f]{64}")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PATH = re.compile(r"\d{4}-\d{2}-\d{2}/[0-9a-f]{64}\.zlib")


class Payloads:
    """Compressed files `<day of fetching, UTC>/<SHA-256>.zlib` under one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, data: bytes, digest: str, fetched_at: datetime) -> str:
        """Write a payload once, whole or not at all; gives its path inside the folder.

        Raises StoreFull, StoreUnreachable where the folder cannot be written.
        """
        if not DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is not a SHA-256 in hexadecimal")
        if fetched_at.tzinfo is None:
            raise NaiveTime(f"payload {digest}: fetched_at has no time zone")
        path = f"{fetched_at.astimezone(UTC).date().isoformat()}/{digest}.zlib"
        target = self._folder / path
        if not target.exists():
            with _folder_faults(self._folder):
                target.parent.mkdir(parents=True, exist_ok=True)
                _write_whole(target, zlib.compress(data, level=3))
        return path

    def read(self, path: str) -> bytes:
        """The bytes that `keep` was given; raises ValueError when they are not those any more."""
        if not PATH.fullmatch(path):
            raise ValueError(f"{path!r} is not the path of a payload")
        data = zlib.decompress((self._folder / path).read_bytes())
        if hashlib.sha256(data).hexdigest() != Path(path).stem:
            raise ValueError(f"{self._folder / path} was changed since it was written")
        return data

    def forget(self, before: date) -> int:
        """Delete the days before a date; gives the number of payloads. Raises StoreUnreachable."""
        gone = 0
        for day in self._folder.glob("????-??-??"):
            if day.name < before.isoformat():
                gone += len(list(day.glob("*.zlib")))
                with _folder_faults(self._folder):
                    shutil.rmtree(day)
        return gone


@contextmanager
def _folder_faults(folder: Path) -> Iterator[None]:
    """Raise what the operating system says of a folder as a fault of a store."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StoreFull(f"no room for payloads in {folder}: {error.strerror}") from error
        raise StoreUnreachable(f"payloads cannot be kept in {folder}: {error}") from error


def _write_whole(target: Path, data: bytes) -> None:
    """Write beside and rename: a reader, or a start after a kill, sees the whole file or none."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
