"""Back-fill: files read in a source's stead, by the same turn, with a cursor of their own.

Stopped at any point, by any signal, the next run goes on at the byte where the last stored piece
ended; what is read twice changes nothing.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.dependencies import Dependencies
from pipeline.flow.feeder import Feeder
from pipeline.flow.turn import turn_with_file
from service.commands.arguments import Commands
from service.dependencies import open_dependencies
from service.sources import feeder


class CannotRead(ValueError):
    """A file of the call cannot be read; the message says which and why."""


def add(commands: Commands) -> None:
    """Add the command."""
    fill = commands.add_parser("backfill", help="read files in a source's stead; resumes where it was stopped")
    fill.add_argument("channel", metavar="CHANNEL")
    fill.add_argument("files", metavar="FILE", nargs="+", type=Path)
    fill.add_argument("--source", help="source of the channel, where it has several")
    fill.set_defaults(command=_backfill)


def _backfill(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    chosen = feeder(settings, catalogue, asked.channel, asked.source)
    with open_dependencies(settings, catalogue) as dependencies:
        return run(dependencies, chosen, asked.files)


def run(dependencies: Dependencies, feeder: Feeder, files: Sequence[Path]) -> int:
    """Read every file to its end; 0: all read, 1: at least one source fault (said on standard error)."""
    for file in files:
        if not file.is_file():
            raise CannotRead(
                f"{file} is not a file that can be read; name the file that {feeder.channel.id} would have given"
            )
    return max([_file(dependencies, feeder, file) for file in files], default=0)


def _file(dependencies: Dependencies, feeder: Feeder, file: Path) -> int:
    """Read one file; its place is kept under a job named after its path."""
    job = f"file:{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:16]}"
    size = file.stat().st_size
    counts = {"read": 0, "rejected": 0, "excluded": 0}
    with tqdm(total=size, unit="B", unit_scale=True, desc=file.name, disable=None) as bar:
        while True:
            batch = turn_with_file(dependencies, feeder, job, file)
            if batch.error is not None or batch.parsed is None or batch.payload is None:
                print(f"{file}: {batch.error}", file=sys.stderr)
                return 1
            bar.update(len(batch.payload.data))
            counts["read"] += batch.parsed.read
            counts["rejected"] += batch.parsed.refused
            counts["excluded"] += sum(batch.parsed.excluded.values())
            if not batch.payload.more:
                break
    told = ", ".join(f"{name} {count}" for name, count in counts.items())
    print(f"{file}: {told}", file=sys.stderr)
    return 0
