"""Following files that grow: goes on at the right byte after a restart and through every usual rotation.

1. The cursor's place names a file by device, inode and a digest of its head (the first lines). Among the live file and
   its rotated siblings (`name.1`, `name-20261121`, also packed) the one that it means is found, renamed or copied.
2. Whole lines are read from the place's byte, at most `chunk` bytes; a half-written last line waits for its end.
3. When that file is read out and a newer one has begun, reading goes on there.
4. Where the place's file cannot be found any more, reading begins anew and the loss is told (`lost` in the cursor).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collectors import Ask
from collectors.shared.lines import Place, reject
from collectors.shared.regular_files import OpenFile, open_regular
from metrics.observations import Interval, Payload, Reject, SourceFault

CHUNK = 4 * 1024 * 1024
ROTATED = re.compile(r"[.-][0-9][0-9.-]*(\.gz)?")
"""What rotation adds to a file's name: a number or a date."""


def check_path(value: Any) -> Any:
    """Refuse a path that cannot name a file; wildcards only in the last part."""
    if isinstance(value, str):
        path = Path(value)
        if not value.strip() or "\0" in value or value.endswith("/"):
            raise ValueError(f"{value!r} names no file")
        if ".." in path.parts or "*" in str(path.parent):
            raise ValueError(f"{value!r}: no `..`, and `*` only in the file's name")
    return value


def check_encoding(value: Any) -> Any:
    """Refuse an encoding that is unknown or whose line end is not the single byte that lines are found by."""
    if isinstance(value, str):
        try:
            single = "\n".encode(value) == b"\n"
        except (LookupError, UnicodeError) as error:
            raise ValueError(f"unknown encoding {value!r}") from error
        if not single:
            raise ValueError(f"{value!r} writes a line end in several bytes; convert the file to utf-8 first")
    return value


def resolve(path: str, home: Path) -> Path:
    """The path itself if absolute, else under the data folder."""
    return Path(path) if Path(path).is_absolute() else home / path


def loss(cursor: Mapping[str, Any], origin: str) -> list[Reject]:
    """The reject that tells of a file whose rest could not be found."""
    return [reject("CP-01", None, None, "rotated_unread", origin)] if cursor.get("lost") else []


def next_cursor(payload: Payload, after: Place, **state: Any) -> dict[str, Any]:
    """The cursor for the next reading: the new place and the kind's own state."""
    return {"place": after.as_json(), "unread": payload.more, **state}


@dataclass(frozen=True)
class Tail:
    """One growing file, or with `*` in its name the files of a folder in the order of their names."""

    path: Path
    head_lines: int
    """Lines that make up the head: through the first record."""
    chunk: int = CHUNK
    """Bytes of one reading; more than the longest line."""

    def fetch(self, ask: Ask) -> Payload:
        """The next whole lines; raises SourceFault where there is no file or it cannot be read."""
        files = self._files()
        place = Place.of(ask.cursor)
        at = self._locate(place, files) if place else None
        lost = place is not None and at is None and (not self._many or bool(ask.cursor.get("unread")))
        if place and at is not None:
            payload = self._read(files[at], place, ask, last=at == len(files) - 1)
            if payload.data:
                return payload
        for path in self._successors(files, at, place):
            last = path == files[-1]
            payload = self._read(path, None, ask, last=last, lost=lost)
            if payload.data or not last:
                return payload
        if not self._many and files[-1] != self.path:
            raise SourceFault("not_found", f"{self.path}: there is no such file")
        return self._payload(b"", self.path, ask, ask.cursor, more=False)

    def fetch_file(self, path: Path, ask: Ask) -> Payload:
        """The next whole lines of any finished file, plain or gzip; its last line needs no end."""
        return self._read(path, Place.of(ask.cursor), ask, last=True, finished=True)

    @property
    def _many(self) -> bool:
        return "*" in self.path.name

    def _files(self) -> list[Path]:
        """The files that there are, oldest first; raises SourceFault if there are none."""
        pattern = re.sub(r"([?\[])", r"[\1]", self.path.name)
        if self._many:
            found = sorted(path for path in self.path.parent.glob(pattern) if path.is_file())
        else:
            older = [path for path in self.path.parent.glob(f"{pattern}*") if self._is_rotated(path)]
            found = sorted(older, key=modified) + ([self.path] if self.path.exists() or self.path.is_symlink() else [])
        if not found:
            raise SourceFault("not_found", f"{self.path}: there is no such file")
        return found

    def _is_rotated(self, path: Path) -> bool:
        return ROTATED.fullmatch(path.name.removeprefix(self.path.name)) is not None and path.is_file()

    def _locate(self, place: Place, files: list[Path]) -> int | None:
        """Which file the place is in: the very one, else one with the same head and length enough (a copy).

        The newest is looked at first, so that an old file that cannot be read does no harm.
        """
        copy = None
        for at in reversed(range(len(files))):
            try:
                with open_regular(files[at]) as file:
                    same, very = is_same(file, place), (file.device, file.inode) == (place.device, place.inode)
            except SourceFault:
                if at == len(files) - 1:
                    raise
                continue
            if same and very:
                return at
            copy = at if same else copy
        return copy

    def _successors(self, files: list[Path], at: int | None, place: Place | None) -> Iterator[Path]:
        """Where reading goes on when the place's file is read out or gone."""
        if at is not None:
            yield from files[at + 1 :]
        elif self._many:
            yield from (path for path in files if place is None or path.name > place.name)
        elif files[-1] == self.path:
            yield self.path

    def _read(
        self, path: Path, place: Place | None, ask: Ask, *, last: bool, lost: bool = False, finished: bool = False
    ) -> Payload:
        """Whole lines of one file from the place, or from its beginning; nothing while its head is incomplete."""
        with open_regular(path) as file:
            if place and not is_same(file, place):
                detail = f"{path}: is not the file that was begun, or is shorter than what was read of it"
                raise SourceFault("unreadable", detail, permanent=finished)
            ended = finished or not last
            begin = place or self._begin(file, ended)
            if begin is None:
                return self._payload(b"", path, ask, ask.cursor, more=False)
            raw = file.read_at(begin.offset, self.chunk)
        whole = raw if ended and len(raw) < self.chunk else raw[: raw.rfind(b"\n") + 1]
        if not whole and len(raw) == self.chunk:
            whole = raw
        state = {key: value for key, value in ask.cursor.items() if key not in ("place", "lost", "unread")}
        cursor = {**state, "place": begin.as_json(), **({"lost": True} if lost else {})}
        return self._payload(whole, path, ask, cursor, more=len(raw) == self.chunk or not last)

    def _begin(self, file: OpenFile, ended: bool) -> Place | None:
        """The beginning of a file, once its head is complete (or the file has ended)."""
        start = file.read_at(0, self.chunk)
        end = 0
        for _ in range(self.head_lines):
            end = start.find(b"\n", end) + 1
            if not end:
                break
        if not end and not ended and len(start) < self.chunk:
            return None
        head = start[: end or self.chunk]
        digest = hashlib.sha256(head).hexdigest()
        return Place(file.path.name, file.device, file.inode, digest, len(head))

    def _payload(self, data: bytes, path: Path, ask: Ask, cursor: Mapping[str, Any], *, more: bool) -> Payload:
        """A payload; while there is more to read it covers no whole interval for certain."""
        window = Interval(ask.window.start, ask.window.start) if more else ask.window
        return Payload(data, ask.now, window, str(path), cursor, more)


def is_same(file: OpenFile, place: Place) -> bool:
    """Whether an open file begins with the place's head and reaches the place."""
    if hashlib.sha256(file.read_at(0, place.head_length)).hexdigest() != place.head:
        return False
    return place.offset == 0 or len(file.read_at(place.offset - 1, 1)) == 1


def modified(path: Path) -> tuple[int, str]:
    """Order of rotated files: by time of the last writing, then higher numbers first."""
    try:
        return path.stat().st_mtime_ns, path.name
    except FileNotFoundError:
        return 0, path.name
