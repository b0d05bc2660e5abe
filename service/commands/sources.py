"""`sources`: where each source stands."""

import argparse

from analysis.questions.family import SourcesQuestion
from config.catalogue import Catalogue
from config.settings import Settings
from service.commands.arguments import Commands, add_format
from service.questions import ask
from wording.documents import as_text


def add(commands: Commands) -> None:
    """Add the command."""
    sources = commands.add_parser("sources", help="each source: last success, age, lag, error")
    add_format(sources, "table", "json")
    sources.set_defaults(command=_sources)


def _sources(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    print(as_text(ask(settings, catalogue, SourcesQuestion()).rows(), asked.format), end="")
    return 0
