"""A log that grows by whole lines, a file an hour, as loggers do (`calls-20261121-19.csv`)."""

from pathlib import Path

from simulator.rhythm import local

KEPT = 12
"""Files that stay."""


class GrowingFile:
    """Appends lines to the file of the hour; goes on with a file that an earlier run began."""

    def __init__(self, folder: Path, stem: str, ending: str, header: str = "") -> None:
        self._folder, self._stem, self._ending, self._header = folder, stem, ending, header
        self._hidden = folder.with_name(f".hidden-{folder.name}")
        self._hide = False
        self._name = ""
        self.hide(False)
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, lines: list[str], now: int) -> None:
        """Append lines and bring them to the file at once."""
        folder = self._hidden if self._hide else self._folder
        name = f"{self._stem}-{local(now):%Y%m%d-%H}{self._ending}"
        if lines or name != self._name:
            with (folder / name).open("a", encoding="utf-8") as file:
                if not file.tell() and self._header:
                    file.write(self._header + "\n")
                file.writelines(f"{line}\n" for line in lines)
        if name != self._name:
            self._name = name
            for old in sorted(folder.glob(f"{self._stem}-*{self._ending}"))[:-KEPT]:
                old.unlink()

    def hide(self, hide: bool) -> None:
        """Take the folder out of its readers' sight, or bring it back; writing goes on."""
        self._hide = hide
        before, after = (self._folder, self._hidden) if hide else (self._hidden, self._folder)
        if before.exists():
            before.rename(after)
