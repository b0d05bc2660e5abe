"""The command line: run the service, back-fill files, ask for figures, audit a range, see the sources."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.catalogue import NATION, Catalogue
from config.faults import CatalogueError
from config.loading import load
from config.settings import Settings
from metrics.observations import Interval
from pipeline import backfill, printing, report, service
from pipeline.parts import open_parts
from pipeline.query import GRAINS, Asked, CannotAnswer, answer
from store.history import StoreInUse

WRONG_CALL, FAILED = 2, 1


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0: done, 1: failed, 2: the call or the configuration is wrong."""
    asked = parser().parse_args(arguments)
    for name, folder in (("WATCHFLOOR_CONFIG_DIR", asked.config), ("WATCHFLOOR_HOME_DIR", asked.home)):
        if folder is not None:
            # By the environment, because collectors resolve their own relative paths against the same settings.
            os.environ[name] = str(folder)
    settings = Settings()
    try:
        catalogue = load(settings.config_dir)
        command: Callable[[Settings, Catalogue, argparse.Namespace], int] = asked.command
        return command(settings, catalogue, asked)
    except (CatalogueError, CannotAnswer, backfill.CannotRead) as error:
        print(error, file=sys.stderr)
        return WRONG_CALL
    except StoreInUse as error:
        print(error, file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # The reader of our output, such as `head`, has seen enough.
        with suppress(OSError):
            sys.stdout.close()
        return 0


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    top.add_argument("--config", type=Path, metavar="DIR", help="catalogue folder (default: config)")
    top.add_argument("--home", type=Path, metavar="DIR", help="data folder (default: var)")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run the pipeline without the web windows")
    run.set_defaults(command=lambda settings, catalogue, _: service.run_alone(settings, catalogue))

    fill = commands.add_parser("backfill", help="read files in a source's stead; resumes where it was stopped")
    fill.add_argument("channel", metavar="CHANNEL")
    fill.add_argument("files", metavar="FILE", nargs="+", type=Path)
    fill.add_argument("--source", help="source of the channel, where it has several")
    fill.set_defaults(command=_backfill)

    query = commands.add_parser("query", help="a metric over time, by place, channel or dimension")
    query.add_argument("metric", metavar="METRIC")
    _add_range(query)
    query.add_argument("--by", choices=tuple(GRAINS), default="total")
    query.add_argument("--region", default=NATION, metavar="CODE")
    query.add_argument("--channel", metavar="ID")
    query.add_argument("--group", metavar="DIMENSION|region|channel")
    query.add_argument("--variant", metavar="F1..F5")
    query.add_argument("--format", choices=("table", "csv", "json"), default="table")
    query.set_defaults(command=_query)

    audit = commands.add_parser("audit", help="every finding of a range, with the rows behind it")
    _add_range(audit)
    audit.add_argument("--format", choices=("table", "json"), default="table")
    audit.add_argument("--language", choices=("zh", "en"), default="en")
    audit.set_defaults(command=_audit)

    sources = commands.add_parser("sources", help="each source: last success, age, lag, error")
    sources.add_argument("--format", choices=("table", "json"), default="table")
    sources.set_defaults(command=_sources)
    return top


def _add_range(command: argparse.ArgumentParser) -> None:
    note = "ISO date or time; without a zone it is taken in the reporting day's zone"
    command.add_argument("--from", dest="begin", required=True, metavar="TIME", help=note)
    command.add_argument("--to", dest="end", required=True, metavar="TIME", help=f"{note}; not included")


def range_of(asked: argparse.Namespace, catalogue: Catalogue) -> Interval:
    """The half-open range of a call; raises CannotAnswer naming what cannot be read."""
    zone = ZoneInfo(catalogue.day.zone)
    moments = []
    for name, text in (("--from", asked.begin), ("--to", asked.end)):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise CannotAnswer(
                f"{name} {text!r} is not an ISO date or time, such as 2026-11-21 or 2026-11-21T08:30"
            ) from None
        moments.append(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    if moments[1] <= moments[0]:
        raise CannotAnswer(f"--to {asked.end} is not after --from {asked.begin}")
    return Interval(*moments)


def _backfill(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    feeder = service.feeder(settings, catalogue, asked.channel, asked.source)
    with open_parts(settings, catalogue) as parts:
        return backfill.run(parts, feeder, asked.files)


def _query(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    question = Asked(
        asked.metric, range_of(asked, catalogue), asked.by, asked.region, asked.channel, asked.group, asked.variant
    )
    with open_parts(settings, catalogue) as parts:
        rows = answer(parts, question)
    printing.show(rows, asked.format)
    return 0


def _audit(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    with open_parts(settings, catalogue) as parts:
        found: list[dict[str, Any]] = report.audit(parts, range_of(asked, catalogue), asked.language)
    printing.show_findings(found, asked.format)
    return 0


def _sources(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    with open_parts(settings, catalogue) as parts:
        rows = report.sources(parts)
    printing.show(rows, asked.format)
    return 0
