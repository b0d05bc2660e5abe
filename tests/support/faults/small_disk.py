"""A disk so small that it can be filled: a tmpfs over a folder; only root may mount one."""

import os
import shutil
import subprocess
from pathlib import Path

BLOCK = 1 << 20


class SmallDisk:
    """What is in the folder already is on it, with its owner."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder, self._ballast = folder, folder / "ballast"
        before = folder.with_name(f"{folder.name}-before")
        folder.rename(before)
        folder.mkdir()
        told = before.stat()
        options = f"size={megabytes}m,uid={told.st_uid},gid={told.st_gid},mode={told.st_mode & 0o777:o}"
        _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder)
        _run("cp", "-a", f"{before}/.", folder)
        shutil.rmtree(before)

    def fill(self) -> None:
        """To the last byte."""
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (BLOCK, 4096, 1):
                try:
                    while True:
                        ballast.write(bytes(size))
                except OSError:
                    continue

    def free(self) -> None:
        self._ballast.unlink()

    def end(self) -> None:
        _run("umount", "--lazy", self.folder)


def _run(*command: str | os.PathLike[str]) -> None:
    subprocess.run(command, check=True, timeout=30)
