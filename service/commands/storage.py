"""`storage`: what each tier of facts holds and costs."""

import argparse

from analysis.questions.family import StorageQuestion
from config.catalogue import Catalogue
from config.settings import Settings
from service.commands.arguments import Commands, add_format
from service.questions import ask
from wording.documents import as_text


def add(commands: Commands) -> None:
    """Add the command."""
    storage = commands.add_parser("storage", help="each tier of facts: rows, bytes, bytes a row, oldest and newest")
    add_format(storage, "table", "json")
    storage.set_defaults(command=_storage)


def _storage(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    print(as_text(ask(settings, catalogue, StorageQuestion()).rows(), asked.format), end="")
    return 0
