"""What several commands have in common: the folders, a range of time, the form in which rows are printed."""

import argparse
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

from analysis.questions.faults import CannotAnswer
from config.catalogue import Catalogue
from config.settings import Settings
from metrics.observations import Interval

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What a command adds itself to; argparse has no public name for it."""
Command = Callable[[Settings, Catalogue, argparse.Namespace], int]
"""What a parser sets as `command`: does it, and gives the exit code."""


def add_folders(parser: argparse.ArgumentParser) -> None:
    """Which catalogue, and which data folder."""
    parser.add_argument("--config", type=Path, metavar="DIR", help="catalogue folder (default: config)")
    parser.add_argument("--home", type=Path, metavar="DIR", help="data folder (default: var)")


def add_range(command: argparse.ArgumentParser) -> None:
    """From when to when."""
    note = "ISO date or time; without a zone it is taken in the reporting day's zone"
    command.add_argument("--from", dest="begin", required=True, metavar="TIME", help=note)
    command.add_argument("--to", dest="end", required=True, metavar="TIME", help=f"{note}; not included")


def add_format(command: argparse.ArgumentParser, *forms: str) -> None:
    """How rows are printed; the first is the default."""
    command.add_argument("--format", choices=forms, default=forms[0])


def add_language(command: argparse.ArgumentParser) -> None:
    """The language of sentences."""
    command.add_argument("--language", choices=("zh", "en"), default="en")


def range_of(asked: argparse.Namespace, catalogue: Catalogue) -> Interval:
    """The half-open range of a call; raises CannotAnswer naming what cannot be read."""
    moments = [moment_of(name, text, catalogue) for name, text in (("--from", asked.begin), ("--to", asked.end))]
    if moments[1] <= moments[0]:
        raise CannotAnswer(f"--to {asked.end} is not after --from {asked.begin}")
    return Interval(*moments)


def moment_of(name: str, text: str, catalogue: Catalogue) -> datetime:
    """A moment of a call, without a zone in the reporting day's; raises CannotAnswer naming what cannot be read."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CannotAnswer(
            f"{name} {text!r} is not an ISO date or time, such as 2026-11-21 or 2026-11-21T08:30"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(catalogue.day.zone))
