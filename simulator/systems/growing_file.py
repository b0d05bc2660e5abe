"""A file that grows by whole lines and is rotated every hour, as loggers do."""

from pathlib import Path

from simulator.rhythm import local

HOUR = 3600
KEPT = 12
"""Rotated files that stay."""


class GrowingFile:
    """Appends lines; at a new hour the old file is renamed (`name-20261121-1900`) and a new one begun."""

    def __init__(self, path: Path, header: str = "") -> None:
        """Begin a new file; one that an earlier run left is rotated away, so that its readers find the rest."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self._header = path, header
        if path.exists():
            path.rename(path.with_name(f"{path.name}-{local(path.stat().st_mtime):%Y%m%d-%H%M%S}"))
        self._hour: int | None = None
        self._hidden = False

    def write(self, lines: list[str], now: int) -> None:
        """Append lines and bring them to the file at once."""
        self._turn_over(now)
        if lines or not self._where.exists():
            with self._where.open("a", encoding="utf-8") as file:
                if not file.tell() and self._header:
                    file.write(self._header + "\n")
                file.writelines(f"{line}\n" for line in lines)

    def hide(self, hidden: bool) -> None:
        """Take the file out of its readers' sight, or bring it back; writing goes on."""
        if hidden != self._hidden:
            before = self._where
            self._hidden = hidden
            if before.exists():
                before.rename(self._where)

    @property
    def _where(self) -> Path:
        return self.path.with_name(f".hidden-{self.path.name}") if self._hidden else self.path

    def _turn_over(self, now: int) -> None:
        hour = now - now % HOUR
        if self._hour is not None and hour != self._hour and self._where.exists():
            self._where.rename(self.path.with_name(f"{self.path.name}-{local(self._hour):%Y%m%d-%H%M}"))
            for old in sorted(self.path.parent.glob(f"{self.path.name}-*"))[:-KEPT]:
                old.unlink()
        self._hour = hour
