"""The command line: run the service, back-fill files, ask for figures, audit a range, see the sources."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from analysis.questions.answer import answer
from analysis.questions.question import GRAINS, CannotAnswer, Question
from analysis.questions.stores import Stores
from config.catalogue import NATION, Catalogue
from config.faults import CatalogueError
from config.loading import load
from config.settings import BadSetting, Settings, read_settings
from metrics.observations import Interval
from pipeline.dependencies import Dependencies
from service.commands import backfill, remote, report, tokens, users
from service.dependencies import open_dependencies
from service.pipeline import run_alone
from service.process import set_up_log
from service.sources import feeder
from store.facts import opening as tiers
from store.faults import NotKept, StoreFault, StoreInUse
from wording import documents as printing

WRONG_CALL, FAILED = 2, 1


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0: done, 1: failed, 2: the call or the configuration is wrong."""
    asked = parser().parse_args(arguments)
    for name, folder in (("WATCHFLOOR_CONFIG_DIR", asked.config), ("WATCHFLOOR_HOME_DIR", asked.home)):
        if folder is not None:
            # By the environment, because collectors resolve their own relative paths against the same settings.
            os.environ[name] = str(folder)
    try:
        settings = read_settings()
        command: Callable[[Settings, Catalogue, argparse.Namespace], int] = asked.command
        return command(settings, load(settings.config_dir), asked)
    except (BadSetting, CatalogueError, CannotAnswer, NotKept, backfill.CannotRead) as error:
        print(error, file=sys.stderr)
        return WRONG_CALL
    except StoreInUse as error:
        answer = remote.ask(settings.home_dir, command_of(arguments))
        print(answer.text if answer else error, end="" if answer else "\n", file=sys.stderr if answer is None else None)
        return answer.code if answer else FAILED
    except StoreFault as error:
        print(error, file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # The reader of our output, such as `head`, has seen enough.
        with suppress(OSError):
            sys.stdout.close()
        return 0


def command_of(arguments: Sequence[str]) -> list[str]:
    """A call without the folders that it names: what another process is asked to answer."""
    shell = argparse.ArgumentParser(add_help=False)
    _add_folders(shell)
    shell.add_argument("command", nargs=argparse.REMAINDER)
    command: list[str] = shell.parse_args(arguments).command
    return command


def answer_here(dependencies: Dependencies, arguments: Sequence[str]) -> str:
    """Answer a call that only asks, with parts that are open already; raises CannotAnswer for every other call."""
    try:
        asked = parser(exit_on_error=False).parse_args(arguments)
    except (argparse.ArgumentError, SystemExit):
        raise CannotAnswer("this call cannot be read; see --help") from None
    if not hasattr(asked, "ask"):
        raise CannotAnswer("the service is running and holds the store: stop it first, or name another --home")
    told: str = asked.ask(dependencies, asked)
    return told


def _add_folders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="DIR", help="catalogue folder (default: config)")
    parser.add_argument("--home", type=Path, metavar="DIR", help="data folder (default: var)")


def parser(exit_on_error: bool = True) -> argparse.ArgumentParser:
    """The commands and their options; a command that only asks has `ask`."""
    top = argparse.ArgumentParser(prog="./watchfloor", description=__doc__, exit_on_error=exit_on_error)
    _add_folders(top)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run the pipeline without the web windows")
    run.set_defaults(command=_run)

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
    query.set_defaults(command=_ask, ask=_query)

    audit = commands.add_parser("audit", help="every finding of a range, with the rows behind it")
    _add_range(audit)
    audit.add_argument("--format", choices=("table", "json"), default="table")
    audit.add_argument("--language", choices=("zh", "en"), default="en")
    audit.set_defaults(command=_ask, ask=_audit)

    sources = commands.add_parser("sources", help="each source: last success, age, lag, error")
    sources.add_argument("--format", choices=("table", "json"), default="table")
    sources.set_defaults(command=_ask, ask=_sources)

    storage = commands.add_parser("storage", help="each tier of facts: rows, bytes, bytes a row, oldest and newest")
    storage.add_argument("--format", choices=("table", "json"), default="table")
    storage.set_defaults(command=_ask, ask=_storage)

    users.add_commands(commands.add_parser("user", help="who may sign in: add, list, disable"))
    tokens.add_commands(commands.add_parser("access", help="with what other systems may ask: tokens"))
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


def _run(settings: Settings, catalogue: Catalogue, _: argparse.Namespace) -> int:
    set_up_log(settings)
    return run_alone(settings, catalogue)


def _backfill(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    chosen = feeder(settings, catalogue, asked.channel, asked.source)
    with open_dependencies(settings, catalogue) as dependencies:
        return backfill.run(dependencies, chosen, asked.files)


def _ask(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    with open_dependencies(settings, catalogue) as dependencies:
        print(asked.ask(dependencies, asked), end="")
    return 0


def _query(dependencies: Dependencies, asked: argparse.Namespace) -> str:
    span = range_of(asked, dependencies.catalogue)
    groups = () if asked.group is None else (asked.group,)
    question = Question(asked.metric, span, asked.variant, asked.by, asked.region, asked.channel, groups)
    stores = Stores(dependencies.catalogue, dependencies.history, dependencies.state, dependencies.clock)
    return printing.as_text(answer(stores, question).rows(), asked.format)


def _audit(dependencies: Dependencies, asked: argparse.Namespace) -> str:
    found = report.audit(dependencies, range_of(asked, dependencies.catalogue), asked.language)
    return printing.findings_as_text(found, asked.format)


def _sources(dependencies: Dependencies, asked: argparse.Namespace) -> str:
    return printing.as_text(report.sources(dependencies), asked.format)


def _storage(dependencies: Dependencies, asked: argparse.Namespace) -> str:
    return printing.as_text(tiers.storage(dependencies.history), asked.format)
